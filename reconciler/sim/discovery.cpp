#include "sim/discovery.h"

#include <algorithm>
#include <map>

#include "base/format.h"

namespace reconciler {
namespace {

using Versions = std::vector<std::string>;

/// Groups with their versions, preferred first; the core group is left out.
std::vector<std::pair<std::string, Versions>> groups_of(const Catalogue& catalogue) {
  std::vector<std::pair<std::string, Versions>> groups;
  for (const ResourceType* type : catalogue.all()) {
    if (type->group.empty()) continue;
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const auto& each) { return each.first == type->group; });
    if (group == groups.end()) group = groups.insert(groups.end(), {type->group, {}});
    for (const std::string& version : type->versions)
      if (std::find(group->second.begin(), group->second.end(), version) == group->second.end())
        group->second.push_back(version);
  }
  return groups;
}

Json group_document(const std::string& group, const Versions& versions) {
  Json list = Json::array();
  for (const std::string& version : versions)
    list.push_back({{"groupVersion", group + "/" + version}, {"version", version}});
  return {{"name", group}, {"versions", list}, {"preferredVersion", list[0]}};
}

Json resource_entry(const ResourceType& type, const std::string& subresource) {
  Json entry = {{"name", type.plural + (subresource.empty() ? "" : "/" + subresource)},
                {"singularName", subresource.empty() ? type.singular : ""},
                {"namespaced", type.namespaced},
                {"kind", subresource == "scale" ? "Scale" : type.kind}};
  if (!subresource.empty()) {
    if (subresource == "scale") {
      entry["group"] = "autoscaling";
      entry["version"] = "v1";
    }
    entry["verbs"] = {"get", "patch", "update"};
    return entry;
  }
  entry["verbs"] = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
  if (!type.short_names.empty()) entry["shortNames"] = type.short_names;
  if (!type.categories.empty()) entry["categories"] = type.categories;
  entry["storageVersionHash"] = "";
  entry.erase("storageVersionHash");
  return entry;
}

std::optional<Json> resource_list(const Catalogue& catalogue, const std::string& group, const std::string& version) {
  Json resources = Json::array();
  for (const ResourceType* type : catalogue.all()) {
    if (type->group != group || !type->serves(version)) continue;
    resources.push_back(resource_entry(*type, ""));
    if (type->has_scale) resources.push_back(resource_entry(*type, "scale"));
    if (type->has_status) resources.push_back(resource_entry(*type, "status"));
  }
  if (resources.empty()) return std::nullopt;
  return Json{{"kind", "APIResourceList"},
              {"apiVersion", "v1"},
              {"groupVersion", group.empty() ? version : group + "/" + version},
              {"resources", resources}};
}

Json parameter(std::string_view name) {
  return {{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}, {"uniqueItems", true}}}};
}

/// kubectl looks here whether a kind understands `dryRun` and `fieldValidation` before it applies.
std::optional<Json> openapi_group(const Catalogue& catalogue, const std::string& group, const std::string& version) {
  std::string root = group.empty() ? "/api/" + version : "/apis/" + group + "/" + version;
  Json paths = Json::object();
  for (const ResourceType* type : catalogue.all()) {
    if (type->group != group || !type->serves(version)) continue;
    std::string path = root + (type->namespaced ? "/namespaces/{namespace}/" : "/") + type->plural + "/{name}";
    Json operation = {
        {"operationId", "patch" + type->kind},
        {"x-kubernetes-action", "patch"},
        {"x-kubernetes-group-version-kind", {{"group", group}, {"version", version}, {"kind", type->kind}}},
        {"parameters", Json::array({parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation"),
                                    parameter("force")})},
        {"responses", {{"200", {{"description", "OK"}}}}}};
    paths[path] = {{"patch", operation}};
  }
  if (paths.empty()) return std::nullopt;
  return Json{{"openapi", "3.0.0"},
              {"info", {{"title", "Kubernetes"}, {"version", "v1.32.0"}}},
              {"paths", paths},
              {"components", {{"schemas", Json::object()}}}};
}

Json openapi_index(const Catalogue& catalogue) {
  Json paths = {{"api/v1", {{"serverRelativeURL", "/openapi/v3/api/v1"}}}};
  for (const auto& [group, versions] : groups_of(catalogue))
    for (const std::string& version : versions) {
      std::string path = "apis/" + group + "/" + version;
      paths[path] = {{"serverRelativeURL", "/openapi/v3/" + path}};
    }
  return {{"paths", paths}};
}

/// `a/b` as (`a`, `b`); the second part empty without a slash.
std::pair<std::string, std::string> split(const std::string& text) {
  size_t slash = text.find('/');
  if (slash == text.npos) return {text, ""};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

std::optional<Json> apis_document(const Catalogue& catalogue, const std::string& below) {
  auto [group, version] = split(below);
  if (!version.empty()) return resource_list(catalogue, group, version);
  for (const auto& [name, versions] : groups_of(catalogue)) {
    if (name != group) continue;
    Json document = group_document(name, versions);
    document["kind"] = "APIGroup";
    document["apiVersion"] = "v1";
    return document;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Json> discovery_document(const Catalogue& catalogue, const std::string& path, const std::string& host) {
  if (path == "/version")
    return Json{{"major", "1"},        {"minor", "32"},      {"gitVersion", "v1.32.0+serin"},
                {"gitCommit", ""},     {"gitTreeState", ""}, {"buildDate", "2024-12-11T00:00:00Z"},
                {"goVersion", "none"}, {"compiler", "gcc"},  {"platform", "linux/amd64"}};
  if (path == "/api")
    return Json{{"kind", "APIVersions"},
                {"versions", {"v1"}},
                {"serverAddressByClientCIDRs", Json::array({{{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", host}}})}};
  if (path == "/api/v1") return resource_list(catalogue, "", "v1");
  if (path == "/apis") {
    Json groups = Json::array();
    for (const auto& [group, versions] : groups_of(catalogue)) groups.push_back(group_document(group, versions));
    return Json{{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", groups}};
  }
  if (path == "/openapi/v3") return openapi_index(catalogue);
  if (path == "/openapi/v3/api/v1") return openapi_group(catalogue, "", "v1");
  constexpr std::string_view kOpenApi = "/openapi/v3/apis/";
  if (path.starts_with(kOpenApi)) {
    auto [group, version] = split(path.substr(kOpenApi.size()));
    return openapi_group(catalogue, group, version);
  }
  constexpr std::string_view kApis = "/apis/";
  if (path.starts_with(kApis) && std::count(path.begin(), path.end(), '/') <= 3)
    return apis_document(catalogue, path.substr(kApis.size()));
  return std::nullopt;
}

}  // namespace reconciler
