#include "manifest/policy_file.h"

#include "base/format.h"
#include "manifest/field.h"

namespace reconciler {
namespace {

constexpr size_t kEntriesMax = 1000;

/// A pattern for `namespace/name`; one without a slash or a star could never fit.
std::string read_rollouts(const Field& field) {
  auto text = field.text();
  if (!field.present()) field.problem("is required: which rollouts, such as shop/*");
  if (text && text->find('*') == text->npos && text->find('/') == text->npos)
    field.problem("must be namespace/name, where * stands for anything, such as shop/*");
  return text.value_or("");
}

std::vector<std::string> read_names(const Field& field) {
  std::vector<std::string> out;
  if (field.present() && field.json().is_array() && field.json().empty())
    field.problem("must not be empty: leave it out when everybody is meant");
  for (const Field& item : field.items())
    if (auto text = item.text()) {
      if (text->empty()) item.problem("must not be empty");
      out.push_back(*text);
    }
  return out;
}

std::vector<Verb> read_actions(const Field& field) {
  std::vector<Verb> out;
  for (const std::string& name : read_names(field)) {
    auto verb = parse_verb(name);
    if (verb)
      out.push_back(*verb);
    else
      field.problem(format("has {}, which is none of promote, promote-full, abort, retry, pause and resume", name));
  }
  return out;
}

PolicyRule read_policy_rule(const Field& field, const std::string& path, const Places& places) {
  PolicyRule rule;
  if (!field.is_map()) return rule;
  field.refuse_unknown({"rollouts", "authors", "signers", "actions", "fourEyes", "trailers"});
  rule.rollouts = read_rollouts(field["rollouts"]);
  rule.authors = read_names(field["authors"]);
  for (const std::string& author : rule.authors)
    if (author.find('@') == author.npos)
      field["authors"].problem(format("has {}, which is no e-mail address; * stands for anything", author));
  rule.signers = read_names(field["signers"]);
  rule.actions = read_actions(field["actions"]);
  rule.four_eyes = field["fourEyes"].flag().value_or(false);
  rule.trailers = field["trailers"].flag().value_or(false);
  if (rule.four_eyes && rule.trailers)
    field["trailers"].problem("does not go with fourEyes: trailers are the author's own word on the change");
  rule.place = format("{}:{}", path, position_of(places, field.pointer()).line);
  return rule;
}

std::optional<FreezeWindow> read_freeze(const Field& field) {
  if (!field.is_map()) return std::nullopt;
  field.refuse_unknown({"rollouts", "start", "duration", "zone", "reason", "hard"});
  auto required = [&](std::string_view name) {
    if (!field[name].present()) field[name].problem("is required");
    return field[name].text();
  };
  const std::string rollouts = read_rollouts(field["rollouts"]);
  const auto start = required("start"), length = required("duration"), zone_name = required("zone");
  const auto cron = start ? parse_cron(*start) : Result<Cron>(invalid(""));
  if (start && !cron) field["start"].problem(cron.error().message);
  const Duration duration = parse_duration(length.value_or("")).value_or(0ms);
  const bool fits = duration >= 1min && duration <= kFreezeMax;
  if (length && !fits)
    field["duration"].problem(format("must be a duration from 1m to {}, such as 62h", format_duration(kFreezeMax)));
  const auto zone = zone_name ? TimeZone::named(*zone_name) : std::nullopt;
  if (zone_name && !zone)
    field["zone"].problem(format("{} is no time zone that this system knows (package tzdata)", *zone_name));
  const std::string reason = field["reason"].text().value_or("");
  const bool hard = field["hard"].flag().value_or(false);
  if (!cron || !fits || !zone) return std::nullopt;
  return FreezeWindow{rollouts, *cron, *zone, duration, reason, hard};
}

Policy read_policy_spec(const Field& spec, const std::string& path, const Places& places) {
  Policy policy;
  spec.refuse_unknown({"rules", "freezes"});
  if (spec["rules"].present() && spec["rules"].json().is_array() && spec["rules"].json().empty())
    spec["rules"].problem("must not be empty: leave it out when anybody may decide");
  for (const Field& rule : spec["rules"].items()) {
    if (policy.rules.size() == kEntriesMax) {
      rule.problem(format("is one too many: at most {}", kEntriesMax));
      break;
    }
    policy.rules.push_back(read_policy_rule(rule, path, places));
  }
  for (const Field& window : spec["freezes"].items()) {
    if (policy.freezes.size() == kEntriesMax) {
      window.problem(format("is one too many: at most {}", kEntriesMax));
      break;
    }
    if (auto freeze = read_freeze(window)) policy.freezes.push_back(*std::move(freeze));
  }
  return policy;
}

}  // namespace

std::string policy_path(std::string_view directory) { return format("{}/policy.yaml", directory); }

PolicyFile read_policy(const std::string& path, std::string_view text) {
  PolicyFile out;
  Documents read = read_documents(path, text);
  std::erase_if(read.documents, [](const Document& document) { return document.value.is_null(); });
  out.problems = std::move(read.problems);
  if (out.problems.empty() && read.documents.size() != 1)
    out.problems.push_back({path, 1, 1, format("must have exactly one document, has {}", read.documents.size())});
  if (!out.problems.empty()) return out;
  const Document& document = read.documents.front();
  Findings findings{path, document.places, {}, {}};
  const Field root(document.value, findings);
  if (root.is_map()) {
    root.refuse_unknown({"apiVersion", "kind", "spec"});
    if (root["apiVersion"].json() != "serin.dev/v1alpha1") root["apiVersion"].problem("must be serin.dev/v1alpha1");
    if (root["kind"].json() != "Policy") root["kind"].problem("must be Policy");
    if (!root["spec"].present()) root["spec"].problem("is required");
    if (root["spec"].is_map()) out.policy = read_policy_spec(root["spec"], path, document.places);
  }
  out.problems = findings.take_problems();
  return out;
}

}  // namespace reconciler
