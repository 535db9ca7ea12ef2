#include "sim/world.h"

#include <algorithm>

#include "base/base64.h"
#include "base/format.h"
#include "sim/controllers.h"
#include "sim/defaults.h"
#include "sim/managed_fields.h"
#include "sim/patch.h"
#include "sim/request_traffic.h"
#include "sim/scale.h"
#include "sim/validation.h"

namespace reconciler {
namespace {

ObjectRef ref_of(const ResourcePath& target) { return {target.type, target.ns, target.name}; }

std::string version_of(const ResourcePath& target) {
  return target.type->api_version(target.version.empty() ? target.type->versions.front() : target.version);
}

/// The body must be of the kind and version of the path.
std::optional<ApiError> check_kind(const ResourcePath& target, const Json& object) {
  if (!object.is_object())
    return bad_request("the object provided is unrecognized (must be of type " + target.type->kind + ")");
  std::string kind = text_at(object, {"kind"}), version = text_at(object, {"apiVersion"});
  const ResourceType& type = *target.type;
  auto unreadable = [&](const std::string& why) {
    return bad_request(format("{} in version \"{}\" cannot be handled as a {}: {}", kind.empty() ? type.kind : kind,
                              version, type.kind, why));
  };
  if (!version.empty() && version != version_of(target)) {
    if (type.custom)
      return bad_request(format("the API version in the data ({}) does not match the expected API version ({})",
                                version, version_of(target)));
    return unreadable(format("no kind \"{}\" is registered for version \"{}\" in scheme \"pkg/runtime/scheme.go:110\"",
                             kind, version));
  }
  if (!kind.empty() && kind != type.kind)
    return unreadable(format("converting ({}.{}) to ({}.{}): unknown conversion", version.substr(version.find('/') + 1),
                             kind, type.group.empty() ? "core" : type.group.substr(0, type.group.find('.')),
                             type.kind));
  std::string name = text_at(object, {"metadata", "name"}), ns = text_at(object, {"metadata", "namespace"});
  if (target.type->namespaced && !ns.empty() && ns != target.ns)
    return bad_request("the namespace of the provided object does not match the namespace sent on the request");
  if (!target.name.empty() && !name.empty() && name != target.name)
    return bad_request(
        format("the name of the object ({}) does not match the name on the URL ({})", name, target.name));
  return std::nullopt;
}

std::optional<ApiError> check_body(const ResourcePath& target, const Json& object, const WriteOptions& options) {
  if (auto error = check_kind(target, object)) return error;
  if (auto error = check_form(*target.type, object)) return error;
  auto unknown = options.strict ? unknown_members(*target.type, object) : std::vector<std::string>();
  if (unknown.empty()) return std::nullopt;
  std::string list;
  for (const std::string& name : unknown) list += (list.empty() ? "" : ", ") + format("unknown field \"{}\"", name);
  return bad_request(format("{} in version \"{}\" cannot be handled as a {}: strict decoding error: {}",
                            target.type->kind, target.type->versions.front(), target.type->kind, list));
}

void as_stored(const ResourceType& type, Json& object) {
  object["apiVersion"] = type.stored_api_version();
  object["kind"] = type.kind;
  if (type.kind == "Secret" && object.contains("stringData")) object.erase("stringData");
}

}  // namespace

World::World(WorldOptions options) : options_(options), records_(options.history_per_type, options.seed, options.now) {
  traffic_ = std::make_unique<RequestTraffic>(records_, options.requests_per_second);
  controllers_ = std::make_unique<Controllers>(records_, options.ready_after, [this] { traffic_->settle(); });
  records_.store().subscribe([this](const StoreEvent& event) { after_write(event); });
  for (auto name : {"default", "kube-system", "kube-public", "kube-node-lease"})
    CHECK(create({.type = catalogue().by_kind("v1", "Namespace"), .name = name}, {{"metadata", {{"name", name}}}},
                 {.manager = "kube-apiserver"}));
}

World::~World() = default;

void World::after_write(const StoreEvent& event) {
  if (event.type->kind == "CustomResourceDefinition") {
    if (event.kind == StoreEvent::Kind::Deleted) {
      const ResourceType* type = nullptr;
      for (const ResourceType* each : catalogue().all())
        if (each->custom && each->group == text_at(*event.object, {"spec", "group"}) &&
            each->plural == text_at(*event.object, {"spec", "names", "plural"}))
          type = each;
      if (type) records_.catalogue().withdraw(*type);
    } else {
      records_.catalogue().add_custom(*event.object);
    }
  }
  controllers_->on_event(event);
  traffic_->on_event(event);
}

Answer<Object> World::get(const ResourcePath& target) const {
  Object object = store().get(ref_of(target));
  if (!object) return not_found(*target.type, target.name);
  if (target.subresource == "scale") return std::make_shared<const Json>(scale_of(*object, *target.type));
  return object;
}

std::vector<Object> World::list(const ResourcePath& target, const LabelSelector& labels,
                                const FieldSelector& fields) const {
  std::vector<Object> objects;
  for (const Object& object : store().list(*target.type, target.ns))
    if (matches_object(labels, *object) && matches_fields(fields, *object)) objects.push_back(object);
  return objects;
}

std::optional<ApiError> World::check_namespace(const ResourcePath& target) const {
  if (!target.type->namespaced) return std::nullopt;
  const ResourceType* namespaces = catalogue().by_kind("v1", "Namespace");
  Object space = store().get({namespaces, "", target.ns});
  if (!space) return not_found(*namespaces, target.ns);
  if (find(*space, {"metadata", "deletionTimestamp"})) {
    ApiError error =
        forbidden(*target.type, target.name,
                  format("unable to create new content in namespace {} because it is being terminated", target.ns));
    error.details["causes"] = Json::array({{{"reason", "NamespaceTerminating"},
                                            {"message", format("namespace {} is being terminated", target.ns)},
                                            {"field", "metadata.namespace"}}});
    return error;
  }
  return std::nullopt;
}

void World::allocate(const ResourceType& type, Json& object) {
  if (type.custom || !type.group.empty()) {
    if (type.kind == "CustomResourceDefinition") {
      std::string now = format_time(records_.now());
      object["status"] = {{"acceptedNames", object["spec"]["names"]},
                          {"storedVersions", Json::array()},
                          {"conditions",
                           {{{"type", "NamesAccepted"},
                             {"status", "True"},
                             {"lastTransitionTime", now},
                             {"reason", "NoConflicts"},
                             {"message", "no conflicts found"}},
                            {{"type", "Established"},
                             {"status", "True"},
                             {"lastTransitionTime", now},
                             {"reason", "InitialNamesAccepted"},
                             {"message", "the initial names have been accepted"}}}}};
      for (const Json& version : object["spec"]["versions"])
        if (flag_at(version, {"storage"})) object["status"]["storedVersions"].push_back(version["name"]);
    }
    return;
  }
  if (type.kind == "Namespace") {
    object["spec"] = {{"finalizers", {"kubernetes"}}};
    object["status"] = {{"phase", "Active"}};
    object["metadata"]["labels"]["kubernetes.io/metadata.name"] = object["metadata"]["name"];
  }
  if (type.kind == "Pod") object["status"] = {{"phase", "Pending"}, {"qosClass", "BestEffort"}};
  if (type.kind != "Service") return;
  Json& spec = object["spec"];
  object["status"] = {{"loadBalancer", Json::object()}};
  if (text_at(spec, {"type"}) == "ExternalName") return;
  if (text_at(spec, {"clusterIP"}).empty()) {
    uint32_t number = ++next_address_;
    spec["clusterIP"] = format("10.96.{}.{}", number / 254 % 256, number % 254 + 1);
  }
  spec["clusterIPs"] = Json::array({spec["clusterIP"]});
}

Answer<Json> World::prepare_new(const ResourcePath& target, Json object, const WriteOptions& options) {
  if (auto error = check_namespace(target)) return *error;
  if (target.type->kind == "Secret" && find(object, {"stringData"}))
    for (const auto& [name, value] : object["stringData"].items())
      if (value.is_string()) object["data"][name] = to_base64(value.get<std::string>());
  as_stored(*target.type, object);
  if (target.type->has_status) object.erase("status");
  fill_in_defaults(*target.type, object);
  auto errors = validate(*target.type, object, nullptr);
  if (!errors.empty()) return unprocessable(*target.type, target.name, errors);
  if (store().get(ref_of(target))) return already_exists(*target.type, target.name);
  object = records_.as_created(ref_of(target), std::move(object));
  Json bare = object;
  allocate(*target.type, object);
  if (target.type->group == "apps") object["status"] = Json::object();
  if (target.type->kind == "ReplicaSet") object["status"] = {{"replicas", 0}};
  if (options.dry_run && target.type->kind == "Service" && !find(bare, {"spec", "clusterIP"})) --next_address_;
  return object;
}

Answer<Object> World::create(const ResourcePath& asked, Json object, const WriteOptions& options) {
  if (auto error = check_body(asked, object, options)) return *error;
  ResourcePath target = asked;
  if (!object.contains("metadata") || !object["metadata"].is_object()) object["metadata"] = Json::object();
  target.name = text_at(object, {"metadata", "name"}, asked.name);
  std::string prefix = text_at(object, {"metadata", "generateName"});
  if (target.name.empty() && !prefix.empty()) target.name = prefix.substr(0, 58) + records_.new_suffix();
  object["metadata"]["name"] = target.name;
  if (!text_at(object, {"metadata", "resourceVersion"}).empty())
    return ApiError{500, "", "resourceVersion should not be set on objects to be created"};
  object["metadata"].erase("managedFields");
  auto made = prepare_new(target, std::move(object), options);
  if (!made) return made.error();
  record_update(Json::object(), *made, {options.manager, version_of(target), ""}, *target.type->shape, now());
  if (options.dry_run) return std::make_shared<const Json>(std::move(*made));
  return records_.store().put(ref_of(target), std::move(*made));
}

Answer<Object> World::update(const ResourcePath& target, Json object, const WriteOptions& options) {
  if (target.subresource != "scale")
    if (auto error = check_body(target, object, options)) return *error;
  Object live = store().get(ref_of(target));
  if (!live) return not_found(*target.type, target.name);
  std::string version = text_at(object, {"metadata", "resourceVersion"});
  std::string uid = text_at(object, {"metadata", "uid"});
  std::string live_uid = text_at(*live, {"metadata", "uid"});
  if (!uid.empty() && uid != live_uid) return uid_differs(*target.type, ref_of(target), uid, live_uid);
  if (!version.empty() && version != text_at(*live, {"metadata", "resourceVersion"}))
    return modified_meanwhile(*target.type, target.name);
  if (target.subresource == "scale") return scale(target, live, object, options);
  return store_change(target, live, std::move(object), options, true);
}

Answer<Object> World::store_change(const ResourcePath& target, const Object& live, Json next,
                                   const WriteOptions& options, bool record) {
  const ResourceType& type = *target.type;
  if (!next.contains("metadata") || !next["metadata"].is_object()) next["metadata"] = Json::object();
  if (target.subresource == "status") {
    Json changed = *live;
    changed["status"] = next.value("status", Json::object());
    if (!record) changed["metadata"]["managedFields"] = next["metadata"].value("managedFields", Json::array());
    next = std::move(changed);
  } else if (type.has_status) {
    next.erase("status");
    if (const Json* status = find(*live, {"status"})) next["status"] = *status;
  }
  if (type.kind == "Secret" && find(next, {"stringData"}))
    for (const auto& [name, value] : next["stringData"].items())
      if (value.is_string()) next["data"][name] = to_base64(value.get<std::string>());
  as_stored(type, next);
  if (type.kind == "Service" && type.group.empty() && next.contains("spec") && next["spec"].is_object())
    for (auto name : {"clusterIP", "clusterIPs"})
      if (const Json* kept = find(*live, {"spec", name}); kept && !next["spec"].contains(name))
        next["spec"][name] = *kept;
  if (type.kind == "Namespace" && type.group.empty()) next["spec"] = live->value("spec", Json::object());
  fill_in_defaults(type, next);
  next = records_.as_replaced(type, *live, std::move(next));
  auto errors = validate(type, next, live.get());
  if (!errors.empty()) return unprocessable(type, target.name, errors);
  if (record) record_update(*live, next, {options.manager, version_of(target), target.subresource}, *type.shape, now());
  if (same_but_for_times(next, *live)) return live;
  if (options.dry_run) return std::make_shared<const Json>(std::move(next));
  return records_.replace(ref_of(target), std::move(next));
}

Answer<Object> World::scale(const ResourcePath& target, const Object& live, const Json& scale,
                            const WriteOptions& options) {
  auto replicas = integer_at(scale, {"spec", "replicas"}).value_or(0);
  if (replicas < 0)
    return unprocessable(*target.type, target.name,
                         {{"spec.replicas", "FieldValueInvalid",
                           format("Invalid value: {}: must be greater than or equal to 0", replicas)}});
  Json next = with_scale(*live, replicas, *target.type);
  ResourcePath whole = target;
  whole.subresource.clear();
  record_update(*live, next, {options.manager, version_of(target), "scale"}, *target.type->shape, now());
  auto stored = store_change(whole, live, std::move(next), options, false);
  if (!stored) return stored;
  return std::make_shared<const Json>(scale_of(**stored, *target.type));
}

Answer<Written> World::apply(const ResourcePath& target, const Object& live, const Json& config,
                             const WriteOptions& options) {
  if (auto error = check_kind(target, config)) return *error;
  if (auto error = check_form(*target.type, config)) return *error;
  if (auto unknown = unknown_members(*target.type, config); !unknown.empty())
    return ApiError{
        500, "",
        format("failed to create typed patch object ({}/{}; {}, Kind={}): .{}: field not declared in schema", target.ns,
               target.name, version_of(target), target.type->kind, unknown.front())};
  const Json* given = find(config, {"metadata", "managedFields"});
  if (given && given->is_array() && !given->empty()) return bad_request("metadata.managedFields must be nil");
  if (text_at(config, {"apiVersion"}).empty() || text_at(config, {"kind"}).empty())
    return bad_request("couldn't get object kind and version");
  std::string uid = text_at(config, {"metadata", "uid"});
  std::string version = text_at(config, {"metadata", "resourceVersion"});
  FieldManager manager{options.manager, version_of(target), target.subresource};
  OnConflict on_conflict = options.force ? OnConflict::Force : OnConflict::Refuse;
  Json asked = config;
  asked["metadata"]["name"] = target.name;
  asked["apiVersion"] = target.type->stored_api_version();

  if (!live) {
    if (!target.subresource.empty()) return not_found(*target.type, target.name);
    if (!uid.empty())
      return ApiError{409, "Conflict",
                      format("Operation cannot be fulfilled on {} \"{}\": uid mismatch: the provided object specified "
                             "uid {}, and no existing object was found",
                             target.type->qualified(), target.name, uid)};
    auto applied = apply_server_side(Json(), asked, manager, on_conflict, *target.type->shape, now());
    if (!applied) return applied.error();
    Json managed = (*applied)["metadata"].value("managedFields", Json::array());
    auto made = prepare_new(target, std::move(*applied), options);
    if (!made) return made.error();
    if (!managed.empty()) (*made)["metadata"]["managedFields"] = managed;
    if (options.dry_run) return Written{std::make_shared<const Json>(std::move(*made)), true};
    return Written{records_.store().put(ref_of(target), std::move(*made)), true};
  }
  if (!version.empty() && version != text_at(*live, {"metadata", "resourceVersion"}))
    return modified_meanwhile(*target.type, target.name);
  if (!uid.empty() && uid != text_at(*live, {"metadata", "uid"}))
    return uid_differs(*target.type, ref_of(target), uid, text_at(*live, {"metadata", "uid"}));
  auto applied = apply_server_side(*live, asked, manager, on_conflict, *target.type->shape, now());
  if (!applied) return applied.error();
  auto stored = store_change(target, live, std::move(*applied), options, false);
  if (!stored) return stored.error();
  return Written{*stored, false};
}

Answer<Written> World::patch(const ResourcePath& target, PatchKind kind, const Json& patch,
                             const WriteOptions& options) {
  const ResourceType& type = *target.type;
  Object live = store().get(ref_of(target));
  if (kind == PatchKind::Apply && target.subresource != "scale") return apply(target, live, patch, options);
  if (!live) return not_found(type, target.name);
  if (kind == PatchKind::Strategic && type.custom)
    return unsupported_media_type(
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
  Json before = target.subresource == "scale" ? scale_of(*live, type) : *live;
  if (!target.version.empty() && target.subresource != "scale") before["apiVersion"] = version_of(target);
  Result<Json> next = kind == PatchKind::Json    ? apply_json_patch(before, patch)
                      : kind == PatchKind::Merge ? Result<Json>(apply_merge_patch(before, patch))
                                                 : apply_strategic_patch(before, patch, *type.shape);
  if (!next) {
    if (next.error().kind == ErrorKind::Conflict || kind == PatchKind::Json)
      return ApiError{422, "Invalid", "the server rejected our request due to an error in our request", Json::object()};
    return bad_request(next.error().message);
  }
  auto written = update(target, std::move(*next), options);
  if (!written) return written.error();
  return Written{*written, false};
}

Answer<Removed> World::remove(const ResourcePath& target, const RemoveOptions& options) {
  Object live = store().get(ref_of(target));
  if (!live) return not_found(*target.type, target.name);
  std::string uid = text_at(*live, {"metadata", "uid"}), version = text_at(*live, {"metadata", "resourceVersion"});
  if (!options.uid.empty() && options.uid != uid)
    return precondition_failed(*target.type, target.name, "UID", options.uid, uid);
  if (!options.resource_version.empty() && options.resource_version != version)
    return precondition_failed(*target.type, target.name, "ResourceVersion", options.resource_version, version);
  for (auto kept : {"default", "kube-system", "kube-public"})
    if (target.type->kind == "Namespace" && target.type->group.empty() && target.name == kept)
      return forbidden(*target.type, target.name, "this namespace may not be deleted");
  if (options.dry_run) return Removed{live, true};
  Object left = records_.remove(ref_of(target), options.propagation);
  return Removed{left ? left : live, !left};
}

void World::advance_to(TimePoint now) { controllers_->run_until(now); }

std::optional<TimePoint> World::next_due() const { return controllers_->next_due(); }

Object in_version(const Object& object, const ResourceType& type, std::string_view version) {
  if (version.empty() || version == type.versions.front()) return object;
  Json shown = *object;
  shown["apiVersion"] = type.api_version(version);
  return std::make_shared<const Json>(std::move(shown));
}

}  // namespace reconciler
