// What the API server refuses: names, selectors that do not fit, fields that must not change. Deep schemas of pods and
// custom kinds are not checked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "sim/api_error.h"
#include "sim/resource_type.h"

namespace reconciler {

/// Why the body cannot be read as the kind at all (a number where text belongs); nothing when it can.
std::optional<ApiError> check_form(const ResourceType& type, const Json& object);

/// Top-level members that the kind does not have, for `fieldValidation=Strict`.
std::vector<std::string> unknown_members(const ResourceType& type, const Json& object);

/// What is wrong with an object; `before` is null when it is new.
std::vector<FieldError> validate(const ResourceType& type, const Json& object, const Json* before);

/// Whether `name` is an RFC 1123 subdomain.
bool is_dns_subdomain(std::string_view name);
bool is_dns_label(std::string_view name);

}  // namespace reconciler
