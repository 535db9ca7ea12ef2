// How the parts of an object merge: what strategic merge patch and server-side apply must know of a kind beyond its
// JSON. Objects merge member by member and lists are replaced as one value, unless a rule here says otherwise.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace reconciler {

struct ListKey {
  std::string field;
  Json otherwise = nullptr;  ///< the value an item without the field has
};

struct Shape {
  enum class Kind {
    Plain,   ///< objects member by member, lists as one value
    Atomic,  ///< an object that is one value
    Set,     ///< a list of distinct scalars
    Keyed,   ///< a list of objects told apart by `keys`
  };
  Kind kind = Kind::Plain;
  std::vector<ListKey> keys;
  std::string patch_key;  ///< the one key a strategic merge patch uses
  std::map<std::string, Shape, std::less<>> fields;

  /// The shape of a member (for `Keyed`: of a member of an item).
  const Shape& field(std::string_view name) const;
};

/// The shape of custom kinds: only the metadata is known.
const Shape& custom_shape();

/// The shape of a built-in kind; `custom_shape()` for kinds without lists that merge.
const Shape& builtin_shape(std::string_view kind);

/// The identity of an item of a keyed list as managedFields write it: `{"name":"app"}`.
std::string item_key(const Json& item, const Shape& shape);

}  // namespace reconciler
