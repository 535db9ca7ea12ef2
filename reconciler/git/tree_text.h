// A tree as the bytes that git stores, `<mode> <name>\0<20 bytes of id>` for each entry in order, changed without
// taking it apart: ten thousand entries cost a copy.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reconciler {

struct TreeTextEntry {
  bool is_directory = false;
  std::string id;  ///< 20 bytes
};

/// The entry of that name; nothing when there is none, or the text ends within an entry before it.
std::optional<TreeTextEntry> find_entry(std::string_view tree, std::string_view name);

/// `tree` with that entry in its place, instead of one of the same name.
std::string with_entry(std::string_view tree, std::string_view name, const TreeTextEntry& entry);

/// `tree` without the entry of that name.
std::string without_entry(std::string_view tree, std::string_view name);

}  // namespace reconciler
