// What the embedded API server says when it refuses: the Kubernetes Status, worded as kube-apiserver words it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/json.h"

namespace reconciler {

struct ObjectRef;
struct ResourceType;

struct ApiError {
  int code = 500;
  std::string reason;
  std::string message;
  Json details = nullptr;  ///< left out when null
  bool operator==(const ApiError&) const = default;
};

/// The error as a `kind: Status` document.
Json status_document(const ApiError& error);

/// One field that is wrong: `spec.replicas: Invalid value: -1: must be greater than or equal to 0`.
struct FieldError {
  std::string field;
  std::string reason;  ///< FieldValueInvalid, FieldValueRequired, FieldValueForbidden, FieldValueNotSupported
  std::string detail;  ///< the text after `field: `
};

ApiError not_found(const ResourceType& type, const std::string& name);
ApiError path_not_found();
ApiError already_exists(const ResourceType& type, const std::string& name);
ApiError modified_meanwhile(const ResourceType& type, const std::string& name);
/// Of an update that names another uid.
ApiError uid_differs(const ResourceType& type, const ObjectRef& object, const std::string& asked,
                     const std::string& is);
/// Of a deletion: `what` is UID or ResourceVersion.
ApiError precondition_failed(const ResourceType& type, const std::string& name, std::string_view what,
                             const std::string& asked, const std::string& is);
ApiError forbidden(const ResourceType& type, const std::string& name, const std::string& why);
ApiError unprocessable(const ResourceType& type, const std::string& name, const std::vector<FieldError>& errors);
ApiError bad_request(std::string message);
ApiError unsupported_media_type(std::string_view accepted);
ApiError method_not_allowed();
ApiError too_old(uint64_t asked, uint64_t oldest);

/// A value, or what the API server says instead.
template <class T>
class [[nodiscard]] Answer {
 public:
  Answer(T value) : either_(std::in_place_index<0>, std::move(value)) {}         // NOLINT: implicit on purpose
  Answer(ApiError error) : either_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  explicit operator bool() const { return either_.index() == 0; }
  T& operator*() {
    CHECK(*this);
    return std::get<0>(either_);
  }
  const T& operator*() const {
    CHECK(*this);
    return std::get<0>(either_);
  }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }
  const ApiError& error() const {
    CHECK(!*this);
    return std::get<1>(either_);
  }

 private:
  std::variant<T, ApiError> either_;
};

}  // namespace reconciler
