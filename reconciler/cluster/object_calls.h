// Calls about the object that a manifest names.
#pragma once

#include <string>
#include <string_view>

#include "cluster/api.h"
#include "ports.h"

namespace reconciler {

/// Where a kind lives; `Transient` while the cluster does not know it.
Result<Resource> resource_of(KubernetesApi& api, const std::string& api_version, const std::string& kind);

/// A call with the object's path filled in; one without a namespace is in `default_namespace`. `verb` is for messages.
Result<ApiCall> call_about(KubernetesApi& api, const std::string& verb, const Json& object,
                           const std::string& default_namespace);

/// Who applies, and for whom.
struct Applier {
  std::string_view field_manager;
  std::string_view owner;
  std::string default_namespace;
};

/// Server-side apply, ownership forced, unknown fields refused.
Result<ApiCall> apply_call(KubernetesApi& api, const Json& object, ApplyMode mode, const Applier& applier);

/// The live object as the server has it; nothing when it does not exist, or its kind does not.
Result<std::optional<Json>> read_object(KubernetesApi& api, const Json& manifest, const std::string& default_namespace);

}  // namespace reconciler
