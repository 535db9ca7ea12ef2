#include "cli/revision_files.h"

#include "manifest/document.h"

namespace reconciler {
namespace {

/// Files that cannot be read are reported by `read_manifests`; here only what is an object counts.
void add_object(const Json& value, const std::string& path, const std::string& default_namespace,
                RevisionManifests& out) {
  if (!value.is_object() || text_at(value, {"kind"}).empty()) return;
  if (const Json* items = find(value, {"items"}); items && text_at(value, {"kind"}).ends_with("List")) {
    for (const Json& item : *items) add_object(item, path, default_namespace, out);
    return;
  }
  // Plain objects come from `read_manifests`, which knows the namespaces; what Serin carries out itself is added here.
  ObjectKey key = key_of(value);
  if (key.group != "argoproj.io") return;
  if (key.ns.empty() && key.kind != "ClusterAnalysisTemplate") key.ns = default_namespace;
  out.objects[key] = {.object = value, .file = path};
}

}  // namespace

RevisionManifests read_revision(const std::vector<std::pair<std::string, std::string>>& files,
                                const std::string& default_namespace) {
  RevisionManifests out;
  for (const auto& [path, text] : files) {
    ManifestFile file = read_manifests(path, text, default_namespace);
    for (PlainObject& object : file.objects)
      out.objects[object.key] = {.object = std::move(object.object), .file = path};
    for (Rollout& rollout : file.rollouts) out.rollouts.emplace(rollout.key, rollout);
    out.refused.insert(out.refused.end(), file.refused.begin(), file.refused.end());
    out.problems.insert(out.problems.end(), file.problems.begin(), file.problems.end());
    out.warnings.insert(out.warnings.end(), file.warnings.begin(), file.warnings.end());
    for (const Document& document : read_documents(path, text).documents)
      add_object(document.value, path, default_namespace, out);
  }
  return out;
}

}  // namespace reconciler
