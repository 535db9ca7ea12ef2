#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace reconciler {

/// What to do about an error.
enum class ErrorKind {
  Transient,  ///< outside trouble that may pass: a later pass tries again, with back-off
  Conflict,   ///< what we knew is out of date: observe again
  Invalid,    ///< refused: only a new commit or a changed object can help
};

/// One line, lower case: what, where, what to do next. Never a secret.
struct Error {
  ErrorKind kind = ErrorKind::Invalid;
  std::string message;
  bool operator==(const Error&) const = default;
};

inline Error transient(std::string message) { return {ErrorKind::Transient, std::move(message)}; }
inline Error conflict(std::string message) { return {ErrorKind::Conflict, std::move(message)}; }
inline Error invalid(std::string message) { return {ErrorKind::Invalid, std::move(message)}; }

/// A value, or the error that stands in its place.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : either_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : either_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  explicit operator bool() const { return either_.index() == 0; }
  T& operator*() & {
    CHECK(*this);
    return std::get<0>(either_);
  }
  const T& operator*() const& {
    CHECK(*this);
    return std::get<0>(either_);
  }
  T&& operator*() && {
    CHECK(*this);
    return std::get<0>(std::move(either_));
  }
  T* operator->() {
    CHECK(*this);
    return &std::get<0>(either_);
  }
  const T* operator->() const {
    CHECK(*this);
    return &std::get<0>(either_);
  }
  const Error& error() const {
    CHECK(!*this);
    return std::get<1>(either_);
  }

 private:
  std::variant<T, Error> either_;
};

/// Success without a value, or an error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : either_(std::move(error)) {}  // NOLINT: implicit on purpose

  explicit operator bool() const { return either_.index() == 0; }
  const Error& error() const {
    CHECK(!*this);
    return std::get<1>(either_);
  }

 private:
  std::variant<std::monostate, Error> either_;
};

}  // namespace reconciler
