#include "sim/api_error.h"

#include "base/format.h"
#include "sim/resource_type.h"

namespace reconciler {
namespace {

Json details_of(const ResourceType& type, const std::string& name) {
  Json details = {{"kind", type.plural}};
  if (!name.empty()) details["name"] = name;
  if (!type.group.empty()) details["group"] = type.group;
  return details;
}

}  // namespace

Json status_document(const ApiError& error) {
  Json status = {{"kind", "Status"},         {"apiVersion", "v1"},       {"metadata", Json::object()},
                 {"status", "Failure"},      {"message", error.message}, {"reason", error.reason},
                 {"details", error.details}, {"code", error.code}};
  if (error.details.is_null()) status.erase("details");
  if (error.reason.empty()) status.erase("reason");
  return status;
}

ApiError not_found(const ResourceType& type, const std::string& name) {
  return {404, "NotFound", format("{} \"{}\" not found", type.qualified(), name), details_of(type, name)};
}

ApiError path_not_found() { return {404, "NotFound", "the server could not find the requested resource"}; }

ApiError already_exists(const ResourceType& type, const std::string& name) {
  return {409, "AlreadyExists", format("{} \"{}\" already exists", type.qualified(), name), details_of(type, name)};
}

ApiError modified_meanwhile(const ResourceType& type, const std::string& name) {
  return {409, "Conflict",
          format("Operation cannot be fulfilled on {} \"{}\": the object has been modified; please apply your changes "
                 "to the latest version and try again",
                 type.qualified(), name),
          details_of(type, name)};
}

ApiError uid_differs(const ResourceType& type, const ObjectRef& object, const std::string& asked,
                     const std::string& is) {
  std::string key = format("/registry/{}/{}/{}", type.group.empty() ? type.plural : type.group + "/" + type.plural,
                           object.ns, object.name);
  return {409, "Conflict",
          format("Operation cannot be fulfilled on {} \"{}\": StorageError: invalid object, Code: 4, Key: {}, "
                 "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {}, UID in object "
                 "meta: {}",
                 type.qualified(), object.name, key, asked, is),
          details_of(type, object.name)};
}

ApiError precondition_failed(const ResourceType& type, const std::string& name, std::string_view what,
                             const std::string& asked, const std::string& is) {
  std::string kind = type.group.empty() ? type.kind : type.kind + "." + type.group;
  ApiError error{
      409, "Conflict",
      format("Operation cannot be fulfilled on {} \"{}\": the {} in the precondition ({}) does not match the "
             "{} in record ({}). The object might have been {}",
             kind, name, what, asked, what, is, what == "UID" ? "deleted and then recreated" : "modified"),
      details_of(type, name)};
  error.details["kind"] = type.kind;
  return error;
}

ApiError forbidden(const ResourceType& type, const std::string& name, const std::string& why) {
  return {403, "Forbidden", format("{} \"{}\" is forbidden: {}", type.qualified(), name, why), details_of(type, name)};
}

ApiError unprocessable(const ResourceType& type, const std::string& name, const std::vector<FieldError>& errors) {
  Json causes = Json::array();
  std::string list;
  for (const FieldError& e : errors) {
    causes.push_back({{"reason", e.reason}, {"message", e.detail}, {"field", e.field}});
    list += (list.empty() ? "" : ", ") + e.field + ": " + e.detail;
  }
  if (errors.size() > 1) list = "[" + list + "]";
  std::string kind = type.group.empty() ? type.kind : type.kind + "." + type.group;
  ApiError error{422, "Invalid", format("{} \"{}\" is invalid: {}", kind, name, list), details_of(type, name)};
  error.details["kind"] = type.kind;
  error.details["causes"] = causes;
  return error;
}

ApiError bad_request(std::string message) { return {400, "BadRequest", std::move(message)}; }

ApiError unsupported_media_type(std::string_view accepted) {
  return {415, "UnsupportedMediaType",
          format("the body of the request was in an unknown format - accepted media types include: {}", accepted)};
}

ApiError method_not_allowed() {
  return {405, "MethodNotAllowed", "the server does not allow this method on the requested resource", Json::object()};
}

ApiError too_old(uint64_t asked, uint64_t oldest) {
  return {410, "Expired", format("too old resource version: {} ({})", asked, oldest)};
}

}  // namespace reconciler
