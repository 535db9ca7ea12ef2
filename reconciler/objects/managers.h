// Who wrote which field of a live object: metadata.managedFields, read without any schema.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "objects/pointer.h"

namespace reconciler {

/// The name under which Serin applies.
inline constexpr std::string_view kFieldManager = "serin";

/// One entry of managedFields.
struct FieldOwner {
  std::string manager;
  std::string verb;  ///< Apply or Update
  std::string subresource;
  std::string time;
  bool operator==(const FieldOwner&) const = default;
  /// `kubectl-edit (Update, 2026-11-22T10:00:00Z)`
  std::string text() const;
};

/// Has the manager written to this object, in any way?
bool is_written_by(const Json& live, std::string_view manager);
/// Has the manager applied this object before?
bool is_applied_by(const Json& live, std::string_view manager);

/// Who made `live` differ from `wanted`, but for `manager` itself: the owner of a field that differs, the latest of
/// several. A field that is gone has no owner; then whoever wrote last. Nothing when nobody else ever wrote.
std::optional<FieldOwner> meddler(const Json& live, const Json& wanted, std::string_view manager);

enum class Owns {
  Applied,  ///< by applying it
  Anyhow,   ///< by applying or updating it
};

/// Who else than `manager` owns what stands at `pointer`; nothing when nobody does.
std::optional<FieldOwner> other_owner(const Json& live, const Pointer& pointer, std::string_view manager, Owns how);

/// The JSON patch that takes over what kubectl and those before server-side apply own of `live`, so that fields that
/// leave the manifest leave the object. It tests the resourceVersion. Nothing when there is nothing to take over.
std::optional<Json> takeover_patch(const Json& live, std::string_view manager);

}  // namespace reconciler
