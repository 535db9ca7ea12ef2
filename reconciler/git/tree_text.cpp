#include "git/tree_text.h"

namespace reconciler {
namespace {

constexpr size_t kIdBytes = 20;
constexpr std::string_view kDirectoryMode = "40000";
constexpr std::string_view kFileMode = "100644";

/// Where an entry stands in the text.
struct Span {
  size_t begin = 0, end = 0;
  std::string_view name;
  bool is_directory = false;
};

/// The entry that begins at `at`; nothing at the end, or when what stands there is none.
std::optional<Span> span_at(std::string_view tree, size_t at) {
  size_t space = tree.find(' ', at);
  if (space == tree.npos) return std::nullopt;
  size_t zero = tree.find('\0', space);
  if (zero == tree.npos || zero + 1 + kIdBytes > tree.size()) return std::nullopt;
  return Span{.begin = at,
              .end = zero + 1 + kIdBytes,
              .name = tree.substr(space + 1, zero - space - 1),
              .is_directory = tree.substr(at, space - at) == kDirectoryMode};
}

std::optional<Span> span_of(std::string_view tree, std::string_view name) {
  for (auto span = span_at(tree, 0); span; span = span_at(tree, span->end))
    if (span->name == name) return span;
  return std::nullopt;
}

/// Git orders a directory as if its name ended in a slash.
std::string order_of(std::string_view name, bool is_directory) { return std::string(name) + (is_directory ? "/" : ""); }

}  // namespace

std::optional<TreeTextEntry> find_entry(std::string_view tree, std::string_view name) {
  auto span = span_of(tree, name);
  if (!span) return std::nullopt;
  return TreeTextEntry{span->is_directory, std::string(tree.substr(span->end - kIdBytes, kIdBytes))};
}

std::string with_entry(std::string_view tree, std::string_view name, const TreeTextEntry& entry) {
  std::string line(entry.is_directory ? kDirectoryMode : kFileMode);
  line.append(" ").append(name).push_back('\0');
  line.append(entry.id);
  auto present = span_of(tree, name);
  if (present && present->is_directory == entry.is_directory)
    return std::string(tree.substr(0, present->begin)).append(line).append(tree.substr(present->end));
  const std::string others = present ? without_entry(tree, name) : std::string(tree);
  const std::string order = order_of(name, entry.is_directory);
  size_t at = 0;
  for (auto span = span_at(others, 0); span && order_of(span->name, span->is_directory) < order;
       span = span_at(others, span->end))
    at = span->end;
  return others.substr(0, at) + line + others.substr(at);
}

std::string without_entry(std::string_view tree, std::string_view name) {
  auto span = span_of(tree, name);
  if (!span) return std::string(tree);
  return std::string(tree.substr(0, span->begin)).append(tree.substr(span->end));
}

}  // namespace reconciler
