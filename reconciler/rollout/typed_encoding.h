// JSON in the exact bytes a typed Go program writes: members in a fixed order, zero values written or left out member
// by member. Hashes that other controllers compute over such bytes can be reproduced only this way.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace reconciler {

/// A member that does not fit its type, by its JSON pointer: `/spec/containers/0/name`.
struct TypeProblem {
  std::string pointer;
  std::string message;
  bool operator==(const TypeProblem&) const = default;
};

struct TypedEncoding {
  std::string bytes;
  std::vector<TypeProblem> problems;  ///< `bytes` mean nothing when there are any
  std::vector<std::string> unknown;   ///< pointers of members that the type does not have; they are left out
};

/// Types by name. The text has one type a line, `Type: member member ...`. A member is its name, a mark and its type:
/// no mark: always written; `?` left out when absent, zero or empty; `*` left out only when absent or null.
/// `s` string, `i` integer, `b` boolean, `x` integer or string, `q` quantity, `t` time, `r` anything, a type's name,
/// `[T]` list, `{T}` map, `T|null` an absent pointer that is written as null.
class TypeTable {
 public:
  explicit TypeTable(std::string_view text);

  /// `value` as `type`, which is written as a member's type is: `PodTemplateSpec`, `[Step]`.
  TypedEncoding encode(const Json& value, std::string_view type) const;

  enum class Mark { Always, UnlessEmpty, UnlessAbsent };
  struct Member {
    std::string name;
    Mark mark = Mark::Always;
    std::string type;
  };
  using Type = std::vector<Member>;

 private:
  std::map<std::string, Type, std::less<>> types_;
};

/// `spec.containers[0].name` of `/spec/containers/0/name`.
std::string dotted(std::string_view pointer);

/// `/spec/labels/app.kubernetes.io~1name`: the pointer of a member of what `pointer` names.
std::string member_pointer(std::string_view pointer, std::string_view member);

/// FNV-1a over the bytes, written with the digits that Kubernetes thinks safe in names.
std::string safe_hash(std::string_view bytes);

}  // namespace reconciler
