#include "sim/api_call.h"

#include <algorithm>

#include "base/format.h"

namespace reconciler {
namespace {

std::vector<std::string> segments_of(const std::string& path) {
  std::vector<std::string> segments;
  for (size_t from = 1; from <= path.size();) {
    size_t to = std::min(path.find('/', from), path.size());
    if (to > from) segments.push_back(path.substr(from, to - from));
    from = to + 1;
  }
  return segments;
}

Json metadata_only(const Json& object) {
  return {{"kind", "PartialObjectMetadata"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", object.value("metadata", Json::object())}};
}

bool is_selectable(const ResourceType& type, std::string_view field) {
  if (field == "metadata.name" || (field == "metadata.namespace" && type.namespaced)) return true;
  if (!type.group.empty()) return type.kind == "ReplicaSet" && field == "status.replicas";
  if (type.kind == "Pod")
    return field == "spec.nodeName" || field == "spec.restartPolicy" || field == "spec.schedulerName" ||
           field == "spec.serviceAccountName" || field == "status.phase" || field == "status.podIP";
  if (type.kind == "Event")
    return field.starts_with("involvedObject.") || field == "reason" || field == "type" || field == "source" ||
           field == "reportingComponent";
  if (type.kind == "Namespace") return field == "status.phase";
  return type.kind == "Secret" && field == "type";
}

Propagation propagation_of(const std::string& policy) {
  if (policy == "Foreground") return Propagation::Foreground;
  return policy == "Orphan" ? Propagation::Orphan : Propagation::Background;
}

}  // namespace

std::optional<ResourcePath> parse_resource_path(const Catalogue& catalogue, const std::string& path) {
  std::vector<std::string> parts = segments_of(path);
  bool core = !parts.empty() && parts[0] == "api";
  size_t head = core ? 2 : 3;
  if (parts.size() <= head || (!core && parts[0] != "apis")) return std::nullopt;
  std::string group = core ? "" : parts[1], version = parts[head - 1];
  parts.erase(parts.begin(), parts.begin() + long(head));
  ResourcePath found{.version = version};
  // `namespaces/shop/pods` is pods in shop, `namespaces/shop/status` a part of the namespace.
  if (parts[0] == "namespaces" && parts.size() >= 3 && catalogue.by_plural(group, version, parts[2])) {
    found.ns = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  found.type = catalogue.by_plural(group, version, parts[0]);
  if (!found.type || parts.size() > 3) return std::nullopt;
  if (found.type->namespaced == false && !found.ns.empty()) return std::nullopt;
  if (parts.size() > 1) found.name = parts[1];
  if (parts.size() > 2) found.subresource = parts[2];
  bool known = found.subresource.empty() || (found.subresource == "status" && found.type->has_status) ||
               (found.subresource == "scale" && found.type->has_scale) ||
               (found.subresource == "eviction" && found.type->kind == "Pod") ||
               (found.subresource == "finalize" && found.type->kind == "Namespace");
  if (!known) return std::nullopt;
  if (found.type->namespaced && !found.name.empty() && found.ns.empty()) return std::nullopt;
  return found;
}

Presentation presentation_of(const ServerRequest& request) {
  Presentation how;
  std::string accept = request.header("accept");
  size_t table = accept.find("as=Table");
  if (table != accept.npos) {
    how.shown = Shown::Table;
    auto first = std::string_view(accept).substr(table, std::min(accept.find(',', table), accept.size()) - table);
    if (first.find("v=v1beta1") != first.npos) how.table_version = "meta.k8s.io/v1beta1";
    std::string include = request.parameter("includeObject");
    if (include == "Object") how.row_object = RowObject::Whole;
    if (include == "None") how.row_object = RowObject::None;
  } else if (accept.find("as=PartialObjectMetadata") != accept.npos) {
    how.shown = Shown::Metadata;
  }
  return how;
}

WriteOptions write_options_of(const ServerRequest& request) {
  WriteOptions options;
  std::string agent = request.header("user-agent");
  options.manager = request.parameter("fieldManager");
  if (options.manager.empty()) options.manager = agent.substr(0, agent.find('/'));
  if (options.manager.empty()) options.manager = "unknown";
  options.dry_run = request.parameter("dryRun") == "All";
  options.force = request.parameter("force") == "true" || request.parameter("force") == "1";
  options.strict = request.parameter("fieldValidation") == "Strict";
  return options;
}

Answer<RemoveOptions> remove_options_of(const ServerRequest& request) {
  Json body = Json::object();
  if (!request.body.empty()) {
    if (request.header("content-type").find("protobuf") != std::string::npos)
      return unsupported_media_type("application/json, application/yaml");
    auto parsed = parse_json(request.body);
    if (!parsed) return bad_request(parsed.error().message);
    body = std::move(*parsed);
  }
  RemoveOptions options;
  std::string policy = text_at(body, {"propagationPolicy"}, request.parameter("propagationPolicy"));
  if (flag_at(body, {"orphanDependents"}) || request.parameter("orphanDependents") == "true") policy = "Orphan";
  options.propagation = propagation_of(policy);
  options.uid = text_at(body, {"preconditions", "uid"});
  options.resource_version = text_at(body, {"preconditions", "resourceVersion"});
  const Json* dry_run = find(body, {"dryRun"});
  options.dry_run = request.parameter("dryRun") == "All" ||
                    (dry_run && dry_run->is_array() && !dry_run->empty() && dry_run->front() == "All");
  return options;
}

Answer<Selectors> selectors_of(const ServerRequest& request, const ResourceType& type) {
  auto labels = parse_label_selector(request.parameter("labelSelector"));
  if (!labels) return bad_request(labels.error().message);
  auto fields = parse_field_selector(request.parameter("fieldSelector"));
  if (!fields) return bad_request(fields.error().message);
  for (const FieldRequirement& each : *fields)
    if (!is_selectable(type, each.path))
      return bad_request(
          format("\"{}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"", each.path));
  return Selectors{std::move(*labels), std::move(*fields)};
}

ServerResponse json_response(int status, const Json& document) {
  return {.status = status, .content_type = "application/json", .body = dump(document) + "\n"};
}

ServerResponse error_response(const ApiError& error) { return json_response(error.code, status_document(error)); }

Json shown_object(const ResourcePath& path, const Object& object, const Presentation& how, TimePoint now) {
  switch (how.shown) {
    case Shown::Whole: return *in_version(object, *path.type, path.version);
    case Shown::Metadata: return metadata_only(*object);
    case Shown::Table: {
      Json table =
          table_of(*path.type, {in_version(object, *path.type, path.version)}, how.row_object, how.table_version, now);
      table["metadata"]["resourceVersion"] = text_at(*object, {"metadata", "resourceVersion"});
      return table;
    }
  }
  unreachable();
}

ServerResponse object_response(int status, const ResourcePath& path, const Object& object, const Presentation& how,
                               TimePoint now) {
  if (path.subresource == "scale") return json_response(status, *object);
  return json_response(status, shown_object(path, object, how, now));
}

ServerResponse list_response(const ResourcePath& path, const ListPage& page, const Presentation& how, TimePoint now) {
  Json metadata = {{"resourceVersion", std::to_string(page.version)}};
  if (!page.next.empty()) {
    metadata["continue"] = page.next;
    metadata["remainingItemCount"] = page.remaining;
  }
  if (how.shown == Shown::Table) {
    std::vector<Object> rows;
    for (const Object& object : page.objects) rows.push_back(in_version(object, *path.type, path.version));
    Json table = table_of(*path.type, rows, how.row_object, how.table_version, now);
    table["metadata"] = metadata;
    return json_response(200, table);
  }
  // The text is put together object by object: a document of all would cost many times their memory.
  bool whole = how.shown == Shown::Whole;
  std::string body = format(R"({"kind":"{}","apiVersion":"{}","metadata":{},"items":[)",
                            whole ? path.type->kind + "List" : "PartialObjectMetadataList",
                            whole ? path.type->api_version(path.version) : "meta.k8s.io/v1", dump(metadata));
  bool first = true;
  for (const Object& object : page.objects) {
    if (!std::exchange(first, false)) body += ',';
    body += whole && path.version == path.type->versions.front() ? dump(*object)
                                                                 : dump(shown_object(path, object, how, now));
  }
  body += "]}\n";
  return {.status = 200, .content_type = "application/json", .body = std::move(body)};
}

}  // namespace reconciler
