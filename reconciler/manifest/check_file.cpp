#include "manifest/check_file.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "manifest/document.h"
#include "manifest/field.h"
#include "manifest/policy_file.h"
#include "manifest/schema_check.h"
#include "manifest/status_file.h"

namespace reconciler {
namespace {

using Place = std::pair<int, int>;

/// Adds what the schema finds where the readers found nothing: their messages say more.
void add_schema_findings(const std::string& path, SchemaKind kind, const Json& document, const Places& places,
                         std::vector<Problem>& problems) {
  std::set<Place> reported;
  for (const Problem& problem : problems) reported.insert({problem.line, problem.column});
  Findings findings{path, places, {}, {}};
  for (const SchemaFinding& finding : check_schema(kind, document)) {
    Position at = position_of(places, finding.pointer);
    if (!reported.contains({at.line, at.column})) findings.problem(finding.pointer, finding.message);
  }
  for (Problem& problem : findings.take_problems()) problems.push_back(std::move(problem));
}

void check_rollouts(const std::string& path, const Json& document, const Places& places,
                    std::vector<Problem>& problems) {
  std::string version = text_at(document, {"apiVersion"}), kind = text_at(document, {"kind"});
  const bool is_ours = group_of(version) == "argoproj.io";
  if (is_ours && kind == "Rollout") return add_schema_findings(path, SchemaKind::Rollout, document, places, problems);
  if (is_ours && kind == "Experiment")
    return add_schema_findings(path, SchemaKind::Experiment, document, places, problems);
  const Json* items = kind == "List" ? find(document, {"items"}) : nullptr;
  if (!items || !items->is_array()) return;
  const Places& item_places = places.members.at("items");
  for (size_t i = 0; i < items->size(); ++i) check_rollouts(path, (*items)[i], item_places.items[i], problems);
}

void sort_by_place(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return Place(a.line, a.column) < Place(b.line, b.column);
  });
}

FileCheck check_manifests(const std::string& path, std::string_view text, const std::string& default_namespace) {
  FileCheck check;
  ManifestFile file = read_manifests(path, text, default_namespace);
  check.problems = std::move(file.problems);
  check.warnings = std::move(file.warnings);
  for (const PlainObject& object : file.objects) check.objects.emplace_back(object.key, object.line);
  for (const RolloutAt& rollout : file.rollout_lines)
    check.objects.emplace_back(ObjectKey{"argoproj.io", rollout.kind, rollout.key.ns, rollout.key.name}, rollout.line);
  for (RefusedRollout& refused : file.refused)
    for (Problem& problem : refused.problems) check.problems.push_back(std::move(problem));
  for (const Document& document : read_documents(path, text).documents)
    check_rollouts(path, document.value, document.places, check.problems);
  return check;
}

SchemaKind schema_kind(FileRole role) {
  switch (role) {
    case FileRole::Manifests: return SchemaKind::Rollout;
    case FileRole::Status: return SchemaKind::Status;
    case FileRole::Decision: return SchemaKind::Decision;
    case FileRole::Policy: return SchemaKind::Policy;
  }
  unreachable();
}

std::vector<Problem> problems_in(const std::string& path, std::string_view text, FileRole role) {
  if (role == FileRole::Policy) return read_policy(path, text).problems;
  return role == FileRole::Status ? check_status(path, text) : check_decision(path, text);
}

FileCheck check_record(const std::string& path, std::string_view text, FileRole role) {
  FileCheck check;
  check.problems = problems_in(path, text, role);
  for (const Document& document : read_documents(path, text).documents)
    if (!document.value.is_null())
      add_schema_findings(path, schema_kind(role), document.value, document.places, check.problems);
  return check;
}

}  // namespace

FileCheck check_file(const std::string& path, std::string_view text, FileRole role,
                     const std::string& default_namespace) {
  FileCheck check =
      role == FileRole::Manifests ? check_manifests(path, text, default_namespace) : check_record(path, text, role);
  sort_by_place(check.problems);
  return check;
}

}  // namespace reconciler
