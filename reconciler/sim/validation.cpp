#include "sim/validation.h"

#include <algorithm>

#include "base/format.h"
#include "sim/selector.h"

namespace reconciler {
namespace {

constexpr std::string_view kLabelRule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kSubdomainRule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view kServiceRule =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kLabelValueRule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_letter_or_digit(char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }

bool is_label_value(std::string_view value) {
  if (value.empty()) return true;
  if (value.size() > 63 || !is_letter_or_digit(value.front()) || !is_letter_or_digit(value.back())) return false;
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; });
}

class Errors {
 public:
  void wrong(const std::string& field, const Json& value, std::string_view why) {
    list.push_back({field, "FieldValueInvalid", format("Invalid value: {}: {}", dump(value), why)});
  }
  void missing(const std::string& field, std::string_view what = "") {
    list.push_back({field, "FieldValueRequired", what.empty() ? "Required value" : format("Required value: {}", what)});
  }
  void forbidden(const std::string& field, std::string_view why) {
    list.push_back({field, "FieldValueForbidden", format("Forbidden: {}", why)});
  }
  void not_supported(const std::string& field, const Json& value, std::string_view supported) {
    list.push_back({field, "FieldValueNotSupported",
                    format("Unsupported value: {}: supported values: {}", dump(value), supported)});
  }
  std::vector<FieldError> list;
};

void check_name(Errors& errors, const ResourceType& type, const std::string& name) {
  if (name.empty()) return errors.missing("metadata.name", "name or generateName is required");
  if (type.group == "rbac.authorization.k8s.io") {
    if (name.find_first_of("/%") != name.npos) errors.wrong("metadata.name", name, "may not contain '/'");
  } else if (type.kind == "Namespace") {
    if (!is_dns_label(name)) errors.wrong("metadata.name", name, kLabelRule);
  } else if (type.kind == "Service" && type.group.empty()) {
    if (!is_dns_label(name) || (name[0] >= '0' && name[0] <= '9')) errors.wrong("metadata.name", name, kServiceRule);
  } else if (!is_dns_subdomain(name)) {
    errors.wrong("metadata.name", name, kSubdomainRule);
  }
}

void check_labels(Errors& errors, const std::string& field, const Json* labels) {
  if (!labels || !labels->is_object()) return;
  for (const auto& [key, value] : labels->items()) {
    if (!value.is_string()) continue;
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() > 63)
      errors.wrong(field, value, "must be no more than 63 bytes");
    else if (!is_label_value(text))
      errors.wrong(field, value, kLabelValueRule);
  }
}

void check_owners(Errors& errors, const Json* owners) {
  if (!owners || !owners->is_array()) return;
  for (const Json& owner : *owners) {
    if (text_at(owner, {"apiVersion"}).empty())
      errors.wrong("metadata.ownerReferences.apiVersion", "", "version must not be empty");
    for (auto name : {"kind", "name", "uid"})
      if (text_at(owner, {name}).empty())
        errors.wrong(format("metadata.ownerReferences.{}", name), "", "must not be empty");
  }
}

void check_containers(Errors& errors, const std::string& path, const Json* spec) {
  const Json* containers = spec ? find(*spec, {"containers"}) : nullptr;
  if (!containers || !containers->is_array() || containers->empty()) return errors.missing(path + ".containers");
  std::vector<std::string> seen;
  for (size_t i = 0; i < containers->size(); ++i) {
    std::string at = format("{}.containers[{}]", path, i);
    std::string name = text_at((*containers)[i], {"name"});
    if (name.empty())
      errors.missing(at + ".name");
    else if (!is_dns_label(name))
      errors.wrong(at + ".name", name, kLabelRule);
    else if (std::find(seen.begin(), seen.end(), name) != seen.end())
      errors.list.push_back({at + ".name", "FieldValueDuplicate", format("Duplicate value: {}", dump(Json(name)))});
    seen.push_back(name);
    if (text_at((*containers)[i], {"image"}).empty()) errors.missing(at + ".image");
  }
}

void check_workload(Errors& errors, const Json& object, const Json* before) {
  if (auto replicas = integer_at(object, {"spec", "replicas"}); replicas && *replicas < 0)
    errors.wrong("spec.replicas", *replicas, "must be greater than or equal to 0");
  const Json* selector = find(object, {"spec", "selector"});
  const Json* labels = find(object, {"spec", "template", "metadata", "labels"});
  if (!selector || selector->empty()) {
    errors.missing("spec.selector");
  } else if (!matches(label_selector_of(*selector), labels)) {
    errors.wrong("spec.template.metadata.labels", labels ? *labels : Json::object(),
                 "`selector` does not match template `labels`");
  }
  check_labels(errors, "spec.template.labels", labels);
  check_containers(errors, "spec.template.spec", find(object, {"spec", "template", "spec"}));
  if (before && selector) {
    const Json* old_selector = find(*before, {"spec", "selector"});
    if (old_selector && *old_selector != *selector) errors.wrong("spec.selector", *selector, "field is immutable");
  }
}

/// The identity and the storage of its pods are as they are.
void check_stateful_set(Errors& errors, const Json& object, const Json* before) {
  if (before == nullptr) return;
  Json old = before->value("spec", Json::object()), now = object.value("spec", Json::object());
  for (const char* free : {"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                           "persistentVolumeClaimRetentionPolicy", "minReadySeconds"}) {
    old.erase(free);
    now.erase(free);
  }
  if (old != now)
    errors.forbidden("spec",
                     "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                     "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                     "'minReadySeconds' are forbidden");
}

void check_service(Errors& errors, const Json& object, const Json* before) {
  std::string service_type = text_at(object, {"spec", "type"});
  const Json* ports = find(object, {"spec", "ports"});
  bool none = text_at(object, {"spec", "clusterIP"}) == "None";
  if (service_type != "ExternalName" && !none && (!ports || !ports->is_array() || ports->empty()))
    errors.missing("spec.ports");
  if (ports && ports->is_array()) {
    for (size_t i = 0; i < ports->size(); ++i) {
      std::string at = format("spec.ports[{}]", i);
      auto port = integer_at((*ports)[i], {"port"});
      if (!port || *port < 1 || *port > 65535)
        errors.wrong(at + ".port", port.value_or(0), "must be between 1 and 65535, inclusive");
      if (ports->size() > 1 && text_at((*ports)[i], {"name"}).empty()) errors.missing(at + ".name");
    }
  }
  for (auto known : {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"})
    if (service_type == known) service_type.clear();
  if (!service_type.empty())
    errors.not_supported("spec.type", service_type, R"("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")");
  check_labels(errors, "spec.selector", find(object, {"spec", "selector"}));
  std::string old_ip = before ? text_at(*before, {"spec", "clusterIP"}) : "";
  std::string new_ip = text_at(object, {"spec", "clusterIP"});
  if (!old_ip.empty() && old_ip != new_ip && text_at(object, {"spec", "type"}) != "ExternalName")
    errors.wrong("spec.clusterIPs[0]", Json::array({new_ip}), "may not change once set");
}

void check_pod(Errors& errors, const Json& object, const Json* before) {
  check_containers(errors, "spec", find(object, {"spec"}));
  if (!before) return;
  auto fixed_part = [](const Json& pod) {
    Json spec = pod.value("spec", Json::object());
    for (auto list : {"containers", "initContainers"})
      if (spec.contains(list) && spec[list].is_array())
        for (Json& container : spec[list]) container.erase("image");
    for (auto name : {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"}) spec.erase(name);
    return spec;
  };
  if (fixed_part(object) != fixed_part(*before))
    errors.forbidden(
        "spec",
        "pod updates may not change fields other than `spec.containers[*].image`,"
        "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
        "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
        "previously negative)");
}

void check_definition(Errors& errors, const Json& object) {
  std::string plural = text_at(object, {"spec", "names", "plural"}), group = text_at(object, {"spec", "group"});
  if (group.empty()) errors.missing("spec.group");
  if (plural.empty()) errors.missing("spec.names.plural");
  if (text_at(object, {"spec", "names", "kind"}).empty()) errors.missing("spec.names.kind");
  std::string name = text_at(object, {"metadata", "name"});
  if (!group.empty() && !plural.empty() && name != plural + "." + group)
    errors.wrong("metadata.name", name, "must be spec.names.plural+\".\"+spec.group");
  std::string scope = text_at(object, {"spec", "scope"});
  if (scope.empty())
    errors.missing("spec.scope");
  else if (scope != "Namespaced" && scope != "Cluster")
    errors.not_supported("spec.scope", scope, R"("Cluster", "Namespaced")");
  const Json* versions = find(object, {"spec", "versions"});
  size_t stored = 0;
  if (versions && versions->is_array())
    for (const Json& version : *versions) stored += flag_at(version, {"storage"});
  if (stored != 1)
    errors.wrong("spec.versions", versions ? *versions : Json::array(),
                 "must have exactly one version marked as storage version");
}

void check_text_map(const ResourceType& type, const Json* map, std::string_view path, std::optional<ApiError>& error) {
  if (!map || map->is_null() || error) return;
  auto refuse = [&](std::string_view what, std::string_view wanted) {
    std::string version = type.versions.front();
    error = bad_request(format(
        "{} in version \"{}\" cannot be handled as a {}: json: cannot unmarshal {} into Go struct field {} of type {}",
        type.kind, version, type.kind, what, path, wanted));
  };
  if (!map->is_object()) return refuse(map->is_array() ? "array" : map->type_name(), "map[string]string");
  for (const auto& [key, value] : map->items())
    if (!value.is_string() && !value.is_null()) {
      std::string_view what = value.is_boolean() ? "bool" : value.is_array() ? "array" : value.type_name();
      return refuse(what, "string");
    }
}

}  // namespace

bool is_dns_label(std::string_view name) {
  if (name.empty() || name.size() > 63 || !is_lower_or_digit(name.front()) || !is_lower_or_digit(name.back()))
    return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_dns_subdomain(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  for (size_t from = 0; from <= name.size();) {
    size_t to = std::min(name.find('.', from), name.size());
    auto part = name.substr(from, to - from);
    if (part.empty() || !is_lower_or_digit(part.front()) || !is_lower_or_digit(part.back())) return false;
    if (!std::all_of(part.begin(), part.end(), [](char c) { return is_lower_or_digit(c) || c == '-'; })) return false;
    from = to + 1;
  }
  return true;
}

std::optional<ApiError> check_form(const ResourceType& type, const Json& object) {
  std::optional<ApiError> error;
  check_text_map(type, find(object, {"metadata", "labels"}), "ObjectMeta.metadata.labels", error);
  check_text_map(type, find(object, {"metadata", "annotations"}), "ObjectMeta.metadata.annotations", error);
  if (type.kind == "ConfigMap" || type.kind == "Secret")
    check_text_map(type, find(object, {"data"}), type.kind + ".data", error);
  if (type.kind == "Service")
    check_text_map(type, find(object, {"spec", "selector"}), "ServiceSpec.spec.selector", error);
  const Json* replicas = type.group == "apps" ? find(object, {"spec", "replicas"}) : nullptr;
  if (replicas && !replicas->is_null() && !replicas->is_number_integer())
    error =
        bad_request(format("{} in version \"v1\" cannot be handled as a {}: json: cannot unmarshal {} into Go struct "
                           "field {}Spec.spec.replicas of type int32",
                           type.kind, type.kind, replicas->type_name(), type.kind));
  const Json* spec = find(object, {"spec"});
  if (!type.custom && spec && !spec->is_object() && !spec->is_null())
    error =
        bad_request(format("{} in version \"{}\" cannot be handled as a {}: json: cannot unmarshal {} into Go struct "
                           "field {}.spec of type {}Spec",
                           type.kind, type.versions.front(), type.kind, spec->type_name(), type.kind, type.kind));
  return error;
}

std::vector<std::string> unknown_members(const ResourceType& type, const Json& object) {
  std::vector<std::string> unknown;
  if (type.members.empty()) return unknown;
  for (const auto& [name, value] : object.items())
    if (name != "apiVersion" && name != "kind" && name != "metadata" &&
        std::find(type.members.begin(), type.members.end(), name) == type.members.end())
      unknown.push_back(name);
  return unknown;
}

std::vector<FieldError> validate(const ResourceType& type, const Json& object, const Json* before) {
  Errors errors;
  if (!before) check_name(errors, type, text_at(object, {"metadata", "name"}));
  check_labels(errors, "metadata.labels", find(object, {"metadata", "labels"}));
  check_owners(errors, find(object, {"metadata", "ownerReferences"}));
  if (type.group == "apps" && (type.kind == "Deployment" || type.kind == "ReplicaSet"))
    check_workload(errors, object, before);
  if (type.group == "apps" && type.kind == "StatefulSet") check_stateful_set(errors, object, before);
  if (type.group.empty() && type.kind == "Service") check_service(errors, object, before);
  if (type.group.empty() && type.kind == "Pod") check_pod(errors, object, before);
  if (type.kind == "CustomResourceDefinition") check_definition(errors, object);
  if (before && flag_at(*before, {"immutable"}) && (type.kind == "ConfigMap" || type.kind == "Secret"))
    if (before->value("data", Json()) != object.value("data", Json()))
      errors.forbidden("data", "field is immutable when `immutable` is set");
  return errors.list;
}

}  // namespace reconciler
