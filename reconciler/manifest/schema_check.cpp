#include "manifest/schema_check.h"

#include <algorithm>
#include <memory>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "base/check.h"
#include "base/format.h"
#include "manifest/field.h"
#include "manifest/schemas.h"
#include "rollout/typed_encoding.h"

namespace reconciler {
namespace {

using Complaint = valijson::ValidationResults::Error;

/// Patterns and formats go through std::regex in the library, which overflows the stack on long text.
void drop_text_rules(Json& schema) {
  if (schema.is_object())
    for (const char* rule : {"pattern", "format"})
      if (auto found = schema.find(rule); found != schema.end() && found->is_string()) schema.erase(found);
  if (schema.is_structured())
    for (Json& part : schema) drop_text_rules(part);
}

Json without_nulls(const Json& document) {
  if (!document.is_structured()) return document;
  Json out = document.is_array() ? Json::array() : Json::object();
  for (auto part = document.begin(); part != document.end(); ++part) {
    if (document.is_array())
      out.push_back(without_nulls(*part));
    else if (!part->is_null())
      out[part.key()] = without_nulls(*part);
  }
  return out;
}

std::unique_ptr<const valijson::Schema> parse(std::string_view text) {
  auto schema = std::make_unique<valijson::Schema>();
  Json document = Json::parse(text);
  drop_text_rules(document);
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(document), *schema);
  return schema;
}

const valijson::Schema& schema_of(SchemaKind kind) {
  static const auto rollout = parse(rollout_schema());
  static const auto experiment = parse(experiment_schema());
  static const auto status = parse(rolloutstatus_schema());
  static const auto decision = parse(rolloutdecision_schema());
  static const auto policy = parse(policy_schema());
  switch (kind) {
    case SchemaKind::Rollout: return *rollout;
    case SchemaKind::Experiment: return *experiment;
    case SchemaKind::Status: return *status;
    case SchemaKind::Decision: return *decision;
    case SchemaKind::Policy: return *policy;
  }
  unreachable();
}

/// `/spec/steps/0` of the library's `<root>`, `[spec]`, `[steps]`, `[0]`.
std::string pointer_of(const std::vector<std::string>& context) {
  std::string pointer;
  for (std::string_view token : context) {
    if (token.size() < 2 || token.front() != '[') continue;
    pointer = member_pointer(pointer, token.substr(1, token.size() - 2));
  }
  return pointer;
}

/// What stands in quotes in one of the library's messages.
std::string quoted_word(const std::string& message) {
  size_t begin = message.find(": '"), end = message.rfind('\'');
  begin = begin == message.npos ? message.find('\'') + 1 : begin + 3;
  return begin < end && end != message.npos ? message.substr(begin, end - begin) : "";
}

const Json* at(const Json& document, const std::string& pointer) {
  auto place = Json::json_pointer(pointer);
  return document.contains(place) ? &document.at(place) : nullptr;
}

/// The library's messages name neither values nor places; these do.
SchemaFinding describe(const Complaint& error, const Json& document) {
  const std::string& text = error.description;
  std::string pointer = pointer_of(error.context);
  if (text.starts_with("Object contains a property"))
    return {member_pointer(pointer, quoted_word(text)), "is not a field of this kind of object"};
  if (text.starts_with("Missing required property"))
    return {member_pointer(pointer, text.substr(text.find('\'') + 1, text.rfind('\'') - text.find('\'') - 1)),
            "is required"};
  if (text.starts_with("Value type not permitted")) {
    const Json* value = at(document, pointer);
    return {pointer, format("must be of another type, is {}", value ? type_of(*value) : "absent")};
  }
  if (text.starts_with("Failed to match against any enum")) return {pointer, "is none of the allowed values"};
  if (text.starts_with("Failed to match expected value")) return {pointer, "is not the expected value"};
  std::string message = text;
  message.front() = char(std::tolower(static_cast<unsigned char>(message.front())));
  if (message.back() == '.') message.pop_back();
  if (message.ends_with(".000000")) message.resize(message.size() - 7);
  return {pointer, message};
}

bool is_prefix(const std::vector<std::string>& shorter, const std::vector<std::string>& longer) {
  return shorter.size() <= longer.size() && std::equal(shorter.begin(), shorter.end(), longer.begin());
}

/// For each error the library adds one for every level above it, which says nothing more.
bool only_repeats(const Complaint& error, const std::vector<Complaint>& earlier) {
  if (!error.description.starts_with("Failed to validate")) return false;
  return std::any_of(earlier.begin(), earlier.end(),
                     [&](const Complaint& before) { return is_prefix(error.context, before.context); });
}

}  // namespace

std::vector<SchemaFinding> check_schema(SchemaKind kind, const Json& document) {
  Json present = without_nulls(document);
  std::vector<SchemaFinding> findings;
  try {
    valijson::Validator validator;
    valijson::ValidationResults results;
    valijson::adapters::NlohmannJsonAdapter adapter(present);
    if (validator.validate(schema_of(kind), adapter, &results)) return findings;
    std::vector<Complaint> errors;
    for (Complaint error; results.popError(error);) {
      if (!only_repeats(error, errors)) findings.push_back(describe(error, present));
      errors.push_back(std::move(error));
    }
  } catch (const std::exception& e) {
    findings.push_back({"", format("could not be checked against its schema: {}", e.what())});
  }
  return findings;
}

}  // namespace reconciler
