#include "manifest/name_list.h"

#include <algorithm>

#include "base/format.h"
#include "manifest/names.h"

namespace reconciler {

std::vector<std::string> read_names(const Field& list, std::string_view what) {
  std::vector<std::string> out;
  for (const Field& item : list.items()) {
    auto text = item.text();
    if (!text) continue;
    if (text->empty())
      item.problem("must not be empty");
    else if (std::find(out.begin(), out.end(), *text) != out.end())
      item.problem(format("{} \"{}\" stands here twice", what, *text));
    else
      out.push_back(*text);
  }
  return out;
}

std::string read_object_name(const Field& name) {
  auto text = name.text();
  if (!text) return "";
  if (auto trouble = name_trouble("", *text)) name.problem(*trouble);
  return *text;
}

std::vector<std::string> read_object_names(const Field& list) {
  for (const Field& item : list.items())
    if (item.json().is_string() && !item.json().empty()) read_object_name(item);
  return read_names(list, "name");
}

}  // namespace reconciler
