#include <algorithm>

#include "base/format.h"
#include "manifest/canonical_status.h"
#include "manifest/field.h"
#include "manifest/names.h"
#include "manifest/status_file.h"

namespace reconciler {
namespace {

constexpr std::string_view kApiVersion = "serin.dev/v1alpha1";

void require(const Field& field) {
  if (!field.present()) field.problem("is required");
}

std::string read_text(const Field& field) { return field.text().value_or(""); }

/// A hash may consist of digits only, and people write it without quotes.
std::string read_revision_hash(const Field& field) {
  require(field);
  if (!field.present()) return "";
  std::string hash = field.json().is_number_integer() ? dump(field.json()) : read_text(field);
  if (field.json().is_string() || field.json().is_number_integer())
    if (auto trouble = label_trouble(hash)) field.problem(*trouble);
  return hash;
}

TimePoint read_time(const Field& field) {
  require(field);
  auto text = field.text();
  auto time = text ? parse_time(*text) : std::nullopt;
  if (text && !time) field.problem("must be a time such as 2026-11-20T09:14:03Z");
  return time.value_or(TimePoint());
}

/// A commit id that happens to be all digits is read as a number.
std::string read_commit(const Field& field) {
  return field.json().is_number_unsigned() ? dump(field.json()) : read_text(field);
}

Verb read_verb(const Field& field) {
  require(field);
  auto text = field.text();
  auto verb = text ? parse_verb(*text) : std::nullopt;
  if (text && !verb) field.problem("must be promote, promote-full, abort, retry, pause or resume");
  return verb.value_or(Verb::Pause);
}

std::optional<Revision> read_revision(const Field& field) {
  if (!field.is_map()) return std::nullopt;
  field.refuse_unknown({"revision", "image", "since"});
  return Revision{read_revision_hash(field["revision"]), read_text(field["image"]), read_time(field["since"])};
}

std::optional<Rejected> read_rejected(const Field& field) {
  if (!field.is_map()) return std::nullopt;
  field.refuse_unknown({"revision", "image", "at", "why", "lapsed"});
  return Rejected{read_revision_hash(field["revision"]), read_text(field["image"]), read_time(field["at"]),
                  read_text(field["why"]), field["lapsed"].flag().value_or(false)};
}

std::optional<StepPosition> read_step(const Field& field) {
  if (!field.is_map()) return std::nullopt;
  field.refuse_unknown({"index", "count", "since", "hash"});
  require(field["index"]);
  require(field["count"]);
  StepPosition step;
  step.count = field["count"].integer(0, 10'000).value_or(0);
  step.index = field["index"].integer(0, 10'000).value_or(0);
  if (step.index > step.count) field["index"].problem(format("must be at most count ({})", step.count));
  step.since = read_time(field["since"]);
  step.hash = field["hash"].present() ? read_revision_hash(field["hash"]) : "";
  return step;
}

std::optional<Preview> read_preview(const Field& field) {
  if (!field.is_map()) return std::nullopt;
  field.refuse_unknown({"since", "accepted"});
  return Preview{read_time(field["since"]), field["accepted"].flag().value_or(false)};
}

std::optional<ExperimentRun> read_run(const Field& field) {
  if (!field.is_map()) return std::nullopt;
  field.refuse_unknown({"revision", "since", "ended", "failed"});
  return ExperimentRun{read_revision_hash(field["revision"]), read_time(field["since"]), read_text(field["ended"]),
                       field["failed"].flag().value_or(false)};
}

std::optional<TimePoint> read_experiment_start(const Field& field) {
  if (!field.is_map()) return std::nullopt;
  field.refuse_unknown({"since"});
  return read_time(field["since"]);
}

std::optional<CarriedOut> read_carried_out(const Field& field) {
  if (!field.is_map()) return std::nullopt;
  field.refuse_unknown({"action", "revision", "step", "by", "commit", "at", "reason"});
  CarriedOut out;
  out.verb = read_verb(field["action"]);
  out.revision = read_revision_hash(field["revision"]);
  out.step = field["step"].integer(0, 10'000);
  out.by = read_text(field["by"]);
  out.commit = read_commit(field["commit"]);
  out.at = read_time(field["at"]);
  out.reason = read_text(field["reason"]);
  return out;
}

std::optional<Ignored> read_ignored(const Field& field) {
  if (!field.is_map()) return std::nullopt;
  field.refuse_unknown({"commit", "action", "by", "why"});
  require(field["commit"]);
  return Ignored{read_commit(field["commit"]), read_verb(field["action"]), read_text(field["by"]),
                 read_text(field["why"])};
}

std::optional<DeployTrailers> read_trailers(const Field& field) {
  if (!field.is_map()) return std::nullopt;
  field.refuse_unknown({"skipSteps", "pauseAt", "by", "ignored"});
  return DeployTrailers{field["skipSteps"].flag().value_or(false), field["pauseAt"].integer(0, 100),
                        read_text(field["by"]), read_text(field["ignored"])};
}

Status read_status_fields(const Field& field) {
  Status status;
  field.refuse_unknown({"phase", "commit", "stable", "canary", "step", "preview", "run", "experiment", "returning",
                        "weight", "weightOf", "stablePingPong", "previous", "rejected", "collisions", "decision",
                        "ignored", "trailers", "refused"});
  require(field["phase"]);
  auto phase = field["phase"].text();
  if (phase && !parse_phase(*phase)) field["phase"].problem("must be Healthy, Progressing, Paused or Degraded");
  status.phase = parse_phase(phase.value_or("")).value_or(Phase::Degraded);
  status.commit = read_commit(field["commit"]);
  status.stable = read_revision(field["stable"]);
  status.canary = read_revision(field["canary"]);
  status.step = read_step(field["step"]);
  status.preview = read_preview(field["preview"]);
  status.run = read_run(field["run"]);
  status.experiment = read_experiment_start(field["experiment"]);
  status.returning = read_text(field["returning"]);
  status.whole = field["weightOf"].integer(1, INT32_MAX).value_or(kWholeWeight);
  status.weight = field["weight"].integer(0, status.whole).value_or(0);
  status.pong_is_stable = read_text(field["stablePingPong"]) == "pong";
  for (const Field& entry : field["previous"].items())
    if (auto revision = read_revision(entry)) status.previous.push_back(*revision);
  for (const Field& entry : field["rejected"].items())
    if (auto rejected = read_rejected(entry)) status.rejected.push_back(*rejected);
  status.collisions = field["collisions"].integer(0, INT32_MAX);
  status.decision = read_carried_out(field["decision"]);
  status.ignored = read_ignored(field["ignored"]);
  status.trailers = read_trailers(field["trailers"]);
  status.refused = read_text(field["refused"]);
  return status;
}

RolloutDecision read_decision_fields(const Field& field) {
  field.refuse_unknown({"action", "revision", "step", "reason"});
  RolloutDecision decision;
  decision.verb = read_verb(field["action"]);
  decision.revision = read_revision_hash(field["revision"]);
  decision.step = field["step"].integer(0, 10'000);
  decision.reason = read_text(field["reason"]);
  return decision;
}

/// `<directory>/<cluster>/<namespace>/<name>.yaml` and what the file says of itself must agree.
void check_place(const std::string& path, const Field& metadata) {
  std::string wanted = format("/{}/{}.yaml", read_text(metadata["namespace"]), read_text(metadata["name"]));
  bool placed = std::count(path.begin(), path.end(), '/') >= 3;
  if (placed && !("/" + path).ends_with(wanted))
    metadata.problem(format("names another rollout than the path of the file, which should end with {}", wanted));
}

/// Reads the one document of the file and hands its `body` to `read`.
template <class T>
T read_record(const std::string& path, std::string_view text, std::string_view kind, std::string_view body,
              T (*read)(const Field&), std::vector<Problem>& problems) {
  Documents documents = read_documents(path, text);
  std::erase_if(documents.documents, [](const Document& document) { return document.value.is_null(); });
  problems = std::move(documents.problems);
  if (problems.empty() && documents.documents.size() != 1)
    problems.push_back({path, 1, 1, format("must have exactly one document, has {}", documents.documents.size())});
  if (!problems.empty()) return T();
  const Document& document = documents.documents.front();
  Findings findings{path, document.places, {}, {}};
  Field root(document.value, findings);
  T out{};
  if (root.is_map()) {
    root.refuse_unknown({"apiVersion", "kind", "metadata", body});
    if (root["apiVersion"].json() != kApiVersion) root["apiVersion"].problem(format("must be {}", kApiVersion));
    if (root["kind"].json() != kind) root["kind"].problem(format("must be {}", kind));
    Field metadata = root["metadata"];
    require(metadata);
    if (metadata.is_map()) {
      require(metadata["name"]);
      require(metadata["namespace"]);
      check_place(path, metadata);
    }
    require(root[body]);
    if (root[body].is_map()) out = read(root[body]);
  }
  problems = findings.take_problems();
  return out;
}

Status read_status_record(const std::string& path, std::string_view text, std::vector<Problem>& problems) {
  return read_record(path, text, "RolloutStatus", "status", read_status_fields, problems);
}

RolloutDecision read_decision_record(const std::string& path, std::string_view text, std::vector<Problem>& problems) {
  return read_record(path, text, "RolloutDecision", "spec", read_decision_fields, problems);
}

Error first_of(const std::vector<Problem>& problems) {
  std::string rest = problems.size() > 1 ? format(" (and {} more)", problems.size() - 1) : "";
  return invalid(problems.front().text() + rest);
}

}  // namespace

std::string record_path(std::string_view directory, std::string_view cluster, const RolloutKey& key) {
  return format("{}/{}/{}/{}.yaml", directory, cluster, key.ns, key.name);
}

std::optional<RolloutKey> key_of_record_path(std::string_view directory, std::string_view cluster,
                                             std::string_view path) {
  std::string front = format("{}/{}/", directory, cluster);
  constexpr std::string_view kEnding = ".yaml";
  if (!path.starts_with(front) || !path.ends_with(kEnding) || path.size() < front.size() + kEnding.size())
    return std::nullopt;
  path.remove_prefix(front.size());
  path.remove_suffix(kEnding.size());
  size_t slash = path.find('/');
  if (slash == path.npos) return std::nullopt;
  std::string_view ns = path.substr(0, slash), name = path.substr(slash + 1);
  if (label_trouble(ns) || name_trouble("", name)) return std::nullopt;
  return RolloutKey{std::string(ns), std::string(name)};
}

Result<Status> read_status(const std::string& path, std::string_view text) {
  if (auto status = read_canonical_status(path, text)) return std::move(*status);
  std::vector<Problem> problems;
  Status status = read_status_record(path, text, problems);
  if (!problems.empty()) return first_of(problems);
  return status;
}

Result<RolloutDecision> read_decision(const std::string& path, std::string_view text) {
  std::vector<Problem> problems;
  RolloutDecision decision = read_decision_record(path, text, problems);
  if (!problems.empty()) return first_of(problems);
  return decision;
}

std::vector<Problem> check_status(const std::string& path, std::string_view text) {
  std::vector<Problem> problems;
  read_status_record(path, text, problems);
  return problems;
}

std::vector<Problem> check_decision(const std::string& path, std::string_view text) {
  std::vector<Problem> problems;
  read_decision_record(path, text, problems);
  return problems;
}

}  // namespace reconciler
