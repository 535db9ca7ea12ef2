// A place in a document, followed from the root: reads typed values and says what is wrong with them, with position.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/document.h"

namespace reconciler {

/// Collects what is wrong with one document.
struct Findings {
  const std::string& file;
  const Places& places;
  std::vector<Problem> problems;
  std::vector<Problem> warnings;

  /// `message` begins with the dotted path of the field.
  void problem(std::string_view pointer, std::string_view message);
  void warning(std::string_view pointer, std::string_view message);

  /// The problems, each once, in the order of the file.
  std::vector<Problem> take_problems();
};

/// One field, present or not. An absent (or null) field has no members; reading it gives nothing and no problem.
class Field {
 public:
  Field(const Json& document, Findings& findings)
      : value_(document.is_null() ? nullptr : &document), findings_(&findings) {}

  bool present() const { return value_ != nullptr; }
  const Json& json() const;  ///< null when absent
  const std::string& pointer() const { return pointer_; }
  Findings& findings() const { return *findings_; }

  Field operator[](std::string_view name) const;
  std::vector<Field> items() const;  ///< of a list; a problem when it is something else

  /// Each reads one type. Absent: nothing. Of another type or out of range: a problem, and nothing.
  std::optional<int> integer(int least, int most) const;
  std::optional<std::string> text() const;
  std::optional<bool> flag() const;
  bool is_map() const;  ///< a problem when it is present and none

  /// Reports members that are not in `known`, with the name that was probably meant.
  void refuse_unknown(const std::vector<std::string_view>& known) const;

  void problem(std::string_view message) const { findings_->problem(pointer_, message); }
  void warning(std::string_view message) const { findings_->warning(pointer_, message); }

 private:
  Field(const Json* value, Findings* findings, std::string pointer)
      : value_(value), findings_(findings), pointer_(std::move(pointer)) {}

  const Json* value_ = nullptr;
  Findings* findings_;
  std::string pointer_;
};

/// ` (did you mean "steps"?)` for a known name that is close; else nothing.
std::string suggestion(std::string_view name, const std::vector<std::string_view>& known);

/// `a string`, `a list`, ... for messages; never the value.
std::string_view type_of(const Json& value);

}  // namespace reconciler
