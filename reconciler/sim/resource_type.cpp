#include "sim/resource_type.h"

#include <algorithm>
#include <tuple>

namespace reconciler {
namespace {

enum Has : unsigned { kNothing = 0, kStatus = 1, kScale = 2, kGeneration = 4, kClusterScoped = 8, kInAll = 16 };

struct Row {
  std::string_view group;
  std::string_view version;
  std::string_view plural;
  std::string_view kind;
  std::string_view short_names;  ///< separated by commas
  unsigned has;
  std::string_view members;  ///< beside apiVersion, kind, metadata
};

constexpr Row kBuiltin[] = {
    {"", "v1", "namespaces", "Namespace", "ns", kStatus | kClusterScoped, "spec,status"},
    {"", "v1", "nodes", "Node", "no", kStatus | kClusterScoped, "spec,status"},
    {"", "v1", "configmaps", "ConfigMap", "cm", kNothing, "data,binaryData,immutable"},
    {"", "v1", "secrets", "Secret", "", kNothing, "data,stringData,type,immutable"},
    {"", "v1", "serviceaccounts", "ServiceAccount", "sa", kNothing,
     "secrets,imagePullSecrets,automountServiceAccountToken"},
    {"", "v1", "services", "Service", "svc", kStatus | kInAll, "spec,status"},
    {"", "v1", "endpoints", "Endpoints", "ep", kNothing, "subsets"},
    {"", "v1", "pods", "Pod", "po", kStatus | kGeneration | kInAll, "spec,status"},
    {"", "v1", "podtemplates", "PodTemplate", "", kGeneration, "template"},
    {"", "v1", "events", "Event", "ev", kNothing,
     "involvedObject,reason,message,source,firstTimestamp,lastTimestamp,count,type,eventTime,series,action,related,"
     "reportingComponent,reportingInstance"},
    {"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc", kStatus, "spec,status"},
    {"", "v1", "limitranges", "LimitRange", "limits", kNothing, "spec"},
    {"", "v1", "resourcequotas", "ResourceQuota", "quota", kStatus, "spec,status"},
    {"apps", "v1", "replicasets", "ReplicaSet", "rs", kStatus | kScale | kGeneration | kInAll, "spec,status"},
    {"apps", "v1", "deployments", "Deployment", "deploy", kStatus | kScale | kGeneration | kInAll, "spec,status"},
    {"apps", "v1", "statefulsets", "StatefulSet", "sts", kStatus | kScale | kGeneration | kInAll, "spec,status"},
    {"apps", "v1", "daemonsets", "DaemonSet", "ds", kStatus | kGeneration | kInAll, "spec,status"},
    {"batch", "v1", "jobs", "Job", "", kStatus | kGeneration | kInAll, "spec,status"},
    {"batch", "v1", "cronjobs", "CronJob", "cj", kStatus | kGeneration | kInAll, "spec,status"},
    {"autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", kStatus | kInAll,
     "spec,status"},
    {"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", kStatus | kGeneration, "spec,status"},
    {"networking.k8s.io", "v1", "ingresses", "Ingress", "ing", kStatus | kGeneration, "spec,status"},
    {"networking.k8s.io", "v1", "ingressclasses", "IngressClass", "", kGeneration | kClusterScoped, "spec"},
    {"networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "netpol", kGeneration, "spec"},
    {"rbac.authorization.k8s.io", "v1", "roles", "Role", "", kNothing, "rules"},
    {"rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", "", kNothing, "subjects,roleRef"},
    {"rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", "", kClusterScoped, "rules,aggregationRule"},
    {"rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", "", kClusterScoped,
     "subjects,roleRef"},
    {"coordination.k8s.io", "v1", "leases", "Lease", "", kNothing, "spec"},
    {"scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", "pc", kClusterScoped,
     "value,globalDefault,description,preemptionPolicy"},
    {"storage.k8s.io", "v1", "storageclasses", "StorageClass", "sc", kClusterScoped,
     "provisioner,parameters,reclaimPolicy,mountOptions,allowVolumeExpansion,volumeBindingMode,allowedTopologies"},
    {"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", "crd,crds",
     kStatus | kGeneration | kClusterScoped, "spec,status"},
};

std::vector<std::string> words(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    size_t comma = std::min(list.find(','), list.size());
    out.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  return out;
}

ResourceType builtin(const Row& row) {
  ResourceType type;
  type.group = row.group;
  type.versions = {std::string(row.version)};
  type.plural = row.plural;
  type.singular = lower(row.kind);
  type.kind = row.kind;
  type.namespaced = !(row.has & kClusterScoped);
  type.short_names = words(row.short_names);
  if (row.has & kInAll) type.categories = {"all"};
  if (row.group == "apiextensions.k8s.io") type.categories = {"api-extensions"};
  type.has_status = row.has & kStatus;
  type.has_scale = row.has & kScale;
  type.has_generation = row.has & kGeneration;
  type.shape = &builtin_shape(row.kind);
  type.members = words(row.members);
  return type;
}

ResourceType istio(std::string_view plural, std::string_view kind, std::string_view short_name) {
  ResourceType type;
  type.group = "networking.istio.io";
  type.versions = {"v1", "v1beta1", "v1alpha3"};
  type.plural = plural;
  type.singular = lower(kind);
  type.kind = kind;
  type.short_names = {std::string(short_name)};
  type.categories = {"istio-io", "networking-istio-io"};
  type.has_status = true;
  type.has_generation = true;
  type.custom = true;
  type.shape = &custom_shape();
  return type;
}

std::vector<std::string> texts(const Json* list) {
  std::vector<std::string> out;
  if (list && list->is_array())
    for (const Json& each : *list)
      if (each.is_string()) out.push_back(each.get<std::string>());
  return out;
}

/// `.spec.replicas` as its steps; nothing for paths with conditions and indices, which are not understood.
std::vector<std::string> steps_of(const std::string& path) {
  if (path.find_first_of("[]*?()") != path.npos) return {};
  std::vector<std::string> steps;
  for (size_t at = 0; at < path.size();) {
    const size_t dot = std::min(path.find('.', at), path.size());
    if (dot > at) steps.push_back(path.substr(at, dot - at));
    at = dot + 1;
  }
  return steps;
}

std::vector<PrinterColumn> columns_of(const Json& version) {
  std::vector<PrinterColumn> out;
  const Json* columns = find(version, {"additionalPrinterColumns"});
  if (!columns || !columns->is_array()) return out;
  for (const Json& column : *columns)
    out.push_back({.name = text_at(column, {"name"}),
                   .type = text_at(column, {"type"}),
                   .path = steps_of(text_at(column, {"jsonPath"})),
                   .priority = int(integer_at(column, {"priority"}).value_or(0))});
  return out;
}

}  // namespace

std::string ResourceType::api_version(std::string_view version) const {
  return group.empty() ? std::string(version) : group + "/" + std::string(version);
}

bool ResourceType::serves(std::string_view version) const {
  return std::find(versions.begin(), versions.end(), version) != versions.end();
}

bool ObjectRef::operator<(const ObjectRef& other) const {
  int mine = type ? type->order : -1, theirs = other.type ? other.type->order : -1;
  return std::tie(mine, ns, name) < std::tie(theirs, other.ns, other.name);
}

Catalogue::Catalogue() {
  for (const Row& row : kBuiltin) add(builtin(row));
  add(istio("virtualservices", "VirtualService", "vs"));
  add(istio("destinationrules", "DestinationRule", "dr"));
}

ResourceType& Catalogue::add(ResourceType type) {
  auto& place = by_plural_[{type.group, type.plural}];
  if (place)
    type.order = place->order;
  else
    type.order = registered_++;
  if (!place) place = std::make_unique<ResourceType>();
  *place = std::move(type);
  withdrawn_.erase(place.get());
  return *place;
}

const ResourceType* Catalogue::by_plural(std::string_view group, std::string_view version,
                                         std::string_view plural) const {
  auto found = by_plural_.find({std::string(group), std::string(plural)});
  if (found == by_plural_.end() || !found->second->serves(version) || is_withdrawn(*found->second)) return nullptr;
  return found->second.get();
}

const ResourceType* Catalogue::by_kind(std::string_view api_version, std::string_view kind) const {
  size_t slash = api_version.find('/');
  auto group = slash == api_version.npos ? std::string_view() : api_version.substr(0, slash);
  auto version = slash == api_version.npos ? api_version : api_version.substr(slash + 1);
  for (const auto& [key, type] : by_plural_)
    if (type->group == group && type->kind == kind && type->serves(version) && !is_withdrawn(*type)) return type.get();
  return nullptr;
}

std::vector<const ResourceType*> Catalogue::all() const {
  std::vector<const ResourceType*> types;
  for (const auto& [key, type] : by_plural_)
    if (!is_withdrawn(*type)) types.push_back(type.get());
  std::sort(types.begin(), types.end(), [](auto* a, auto* b) { return a->order < b->order; });
  return types;
}

const ResourceType* Catalogue::add_custom(const Json& definition) {
  ResourceType type;
  type.group = text_at(definition, {"spec", "group"});
  type.plural = text_at(definition, {"spec", "names", "plural"});
  type.kind = text_at(definition, {"spec", "names", "kind"});
  type.singular = text_at(definition, {"spec", "names", "singular"}, lower(type.kind));
  type.short_names = texts(find(definition, {"spec", "names", "shortNames"}));
  type.categories = texts(find(definition, {"spec", "names", "categories"}));
  type.namespaced = text_at(definition, {"spec", "scope"}) == "Namespaced";
  type.custom = true;
  type.has_generation = true;
  type.shape = &custom_shape();
  if (const Json* versions = find(definition, {"spec", "versions"}); versions && versions->is_array()) {
    for (const Json& version : *versions) {
      if (!flag_at(version, {"served"})) continue;
      std::string name = text_at(version, {"name"});
      type.versions.insert(flag_at(version, {"storage"}) ? type.versions.begin() : type.versions.end(), name);
      type.has_status = type.has_status || find(version, {"subresources", "status"});
      if (const Json* scale = find(version, {"subresources", "scale"})) {
        type.has_scale = true;
        type.scale = {.replicas = steps_of(text_at(*scale, {"specReplicasPath"}, ".spec.replicas")),
                      .status_replicas = steps_of(text_at(*scale, {"statusReplicasPath"})),
                      .selector = steps_of(text_at(*scale, {"labelSelectorPath"}, ".status.selector"))};
      }
      if (flag_at(version, {"storage"})) type.columns = columns_of(version);
    }
  }
  if (type.versions.empty()) return nullptr;
  return &add(std::move(type));
}

void Catalogue::withdraw(const ResourceType& type) { withdrawn_[&type] = true; }

bool Catalogue::is_withdrawn(const ResourceType& type) const { return withdrawn_.contains(&type); }

}  // namespace reconciler
