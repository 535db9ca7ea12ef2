// Objects as the bytes of one pack file: each deflated whole, or as what differs from an object before it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace reconciler {

enum class ObjectType { Commit = 1, Tree = 2, Blob = 3 };  // as packs number them

struct NewObject {
  ObjectType type = ObjectType::Blob;
  std::string id;
  std::string content;
  std::optional<size_t> like;  ///< the place of an object of its type, before it, that it differs little from
};

/// The whole file, its checksum included.
Result<std::string> pack_text(const std::vector<NewObject>& objects);

}  // namespace reconciler
