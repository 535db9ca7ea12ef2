#include "cluster/object_calls.h"

#include "base/object_key.h"
#include "cluster/convert.h"
#include "cluster/writes.h"

namespace reconciler {

Result<Resource> resource_of(KubernetesApi& api, const std::string& api_version, const std::string& kind) {
  auto resource = api.discover(api_version, kind);
  if (!resource) return resource.error();
  if (!*resource)
    return transient("the cluster does not know " + kind + " of " + api_version +
                     " (yet): install its CustomResourceDefinition");
  return **resource;
}

Result<ApiCall> call_about(KubernetesApi& api, const std::string& verb, const Json& object,
                           const std::string& default_namespace) {
  ObjectKey key = key_of(object);
  auto resource = resource_of(api, text_at(object, {"apiVersion"}), key.kind);
  if (!resource) return Error{resource.error().kind, verb + " " + key.text() + ": " + resource.error().message};
  key.ns = !resource->namespaced ? "" : key.ns.empty() ? default_namespace : key.ns;
  ApiCall call;
  call.path = path_of(*resource, key.ns, key.name);
  call.about = verb + " " + key.text();
  call.secret = key.kind == "Secret" && key.group.empty();
  return call;
}

Result<ApiCall> apply_call(KubernetesApi& api, const Json& object, ApplyMode mode, const Applier& applier) {
  auto call = call_about(api, mode == ApplyMode::DryRun ? "compare" : "apply", object, applier.default_namespace);
  if (!call) return call;
  call->method = "PATCH";
  call->content_type = "application/apply-patch+yaml";
  call->of_existing = mode == ApplyMode::Status;
  if (mode == ApplyMode::Status) call->path += "/status";
  call->path += "?fieldManager=" + percent_encoded(applier.field_manager) + "&force=true&fieldValidation=Strict" +
                (mode == ApplyMode::DryRun ? "&dryRun=All" : "");
  call->body = without_managed_fields(object);
  if (mode != ApplyMode::Status) call->body = with_owner(std::move(call->body), applier.owner);
  return call;
}

Result<std::optional<Json>> read_object(KubernetesApi& api, const Json& manifest,
                                        const std::string& default_namespace) {
  auto resource = api.discover(text_at(manifest, {"apiVersion"}), text_at(manifest, {"kind"}));
  if (!resource) return resource.error();
  if (!*resource) return std::optional<Json>();
  auto call = call_about(api, "read", manifest, default_namespace);
  if (!call) return call.error();
  return api.find_object(*call);
}

}  // namespace reconciler
