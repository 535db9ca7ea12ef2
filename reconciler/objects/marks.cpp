#include "objects/marks.h"

#include <algorithm>
#include <cctype>

namespace reconciler {
namespace {

std::string mark(const Json& object, std::string_view name) {
  std::string annotation = text_at(object, {"metadata", "annotations", name});
  return annotation.empty() ? text_at(object, {"metadata", "labels", name}) : annotation;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return std::string(text);
}

std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find_first_of(",\n", begin), list.size());
    if (std::string part = trimmed(std::string_view(list).substr(begin, end - begin)); !part.empty())
      out.push_back(std::move(part));
    begin = end + 1;
  }
  return out;
}

}  // namespace

Marks marks_of(const Json& object) {
  Marks out;
  auto misunderstood = [&](const char* name, const std::string& value) {
    out.unknown.push_back(std::string(name) + ": " + value);
  };
  if (const std::string value = mark(object, "serin.dev/reconcile"); value == "disabled")
    out.reconciled = false;
  else if (!value.empty() && value != "enabled")
    misunderstood("serin.dev/reconcile", value);
  if (const std::string value = mark(object, "serin.dev/apply"); value == "if-absent")
    out.apply = ApplyMark::IfAbsent;
  else if (value == "merge")
    out.apply = ApplyMark::Merge;
  else if (!value.empty() && value != "always")
    misunderstood("serin.dev/apply", value);
  if (const std::string value = mark(object, "serin.dev/force"); value == "enabled")
    out.replaced = true;
  else if (!value.empty() && value != "disabled")
    misunderstood("serin.dev/force", value);
  for (const std::string& part : parts_of(mark(object, "serin.dev/ignore"))) {
    if (auto pointer = parse_pointer(part))
      out.ignored.push_back(std::move(*pointer));
    else
      misunderstood("serin.dev/ignore", part);
  }
  return out;
}

}  // namespace reconciler
