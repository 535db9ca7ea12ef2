#include "manifest/manifest.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "base/format.h"
#include "manifest/field.h"
#include "manifest/names.h"
#include "manifest/rollout_reader.h"
#include "manifest/standalone_experiment_reader.h"

namespace reconciler {
namespace {

constexpr std::string_view kArgoGroup = "argoproj.io";
constexpr std::string_view kRolloutVersion = "argoproj.io/v1alpha1";

/// Reads the objects of one file into `file`.
class FileReader {
 public:
  FileReader(const std::string& path, const std::string& default_namespace)
      : path_(path), default_namespace_(default_namespace) {}

  ManifestFile read(std::string_view text) {
    Documents documents = read_documents(path_, text);
    for (Document& document : documents.documents) read_object(document.value, document.places);
    append(file_.problems, std::move(documents.problems));
    return std::move(file_);
  }

 private:
  static void append(std::vector<Problem>& to, std::vector<Problem> from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  }

  void read_object(Json& document, const Places& places) {
    Findings findings{path_, places, {}, {}};
    read_object(document, findings);
    append(file_.problems, findings.take_problems());
    append(file_.warnings, std::move(findings.warnings));
  }

  void read_object(Json& document, Findings& findings) {
    Field root(document, findings);
    if (!document.is_object()) {
      if (!document.is_null()) root.warning("this document is no map, so it is no manifest");
      return;
    }
    bool has_version = root["apiVersion"].present(), has_kind = root["kind"].present();
    if (!has_version && !has_kind) return;
    if (!has_version) return root.problem("kind without apiVersion");
    if (!has_kind) return root.problem("apiVersion without kind");
    auto version = root["apiVersion"].text(), kind = root["kind"].text();
    if (!version || !kind) return;
    if (version->empty() || std::count(version->begin(), version->end(), '/') > 1)
      return root["apiVersion"].problem("must be version or group/version");
    if (kind->empty()) return root["kind"].problem("must not be empty");
    if (*version == "v1" && *kind == "List") return read_list(document, findings);
    if (group_of(*version) == "serin.dev")
      return root.problem(format("a {} belongs under status/ or decisions/, not among the manifests", *kind));
    read_named(document, root, {group_of(*version), *kind, "", ""});
  }

  void read_list(Json& list, Findings& findings) {
    Field items = Field(list, findings)["items"];
    if (!items.present()) return;
    if (!items.json().is_array()) return items.problem("must be a list");
    const Places& places = findings.places.members.at("items");
    for (size_t i = 0; i < items.json().size(); ++i) {
      Json& item = list["items"][i];
      bool manifest = item.is_object() && (item.contains("apiVersion") || item.contains("kind"));
      if (manifest)
        read_object(item, places.items[i]);
      else
        items.items()[i].problem("an item of a List must have apiVersion and kind");
    }
  }

  /// An object that has apiVersion and kind.
  void read_named(Json& document, const Field& root, ObjectKey key) {
    Field metadata = root["metadata"], name = metadata["name"], ns = metadata["namespace"];
    if (!metadata.present()) return root.problem("metadata.name is required");
    if (!metadata.is_map()) return;
    if (!name.present()) return metadata.problem("name is required");
    auto text = name.text();
    if (!text) return;
    key.name = *text;
    if (auto trouble = name_trouble(key.group, key.name)) return name.problem(*trouble);
    if (!resolve_namespace(document, ns, key)) return;
    ObjectKey name_of_its_own = key;
    if (key.group == kArgoGroup && key.kind == "Experiment") name_of_its_own.kind = "Rollout";
    if (auto first = first_line_.emplace(name_of_its_own, root.findings().places.value.line); !first.second)
      return root.problem(format("{} stands twice in this file, also at line {}", key.text(), first.first->second));
    if (key.group == kArgoGroup && (key.kind == "Rollout" || key.kind == "Experiment"))
      return read_rollout_object(root, key);
    if (key.group == kArgoGroup && is_carried_out_by_us(key.kind)) return;
    if (still_encrypted(document, key))
      return root.problem(format("{} is still encrypted; decrypt it, or use a controller that does", key.text()));
    file_.objects.push_back({std::move(key), std::move(document), root.findings().places.value.line});
  }

  /// Fills in the default namespace; false when the namespace is refused.
  bool resolve_namespace(Json& document, const Field& ns, ObjectKey& key) {
    if (is_cluster_scoped(key.group, key.kind)) {
      if (ns.present()) {
        ns.warning(format("{} lives outside namespaces; this is ignored", key.kind));
        document["metadata"].erase("namespace");
      }
      return true;
    }
    key.ns = default_namespace_;
    if (ns.present()) {
      auto text = ns.text();
      if (!text) return false;
      if (auto trouble = label_trouble(*text)) {
        ns.problem(*trouble);
        return false;
      }
      key.ns = *text;
    }
    document["metadata"]["namespace"] = key.ns;
    return true;
  }

  void read_rollout_object(const Field& root, const ObjectKey& key) {
    Findings findings{path_, root.findings().places, {}, {}};
    Field manifest(root.json(), findings);
    if (text_at(root.json(), {"apiVersion"}) != kRolloutVersion)
      manifest["apiVersion"].problem(format("must be {}", kRolloutVersion));
    Rollout rollout = key.kind == "Experiment" ? read_standalone_experiment(manifest, {key.ns, key.name})
                                               : read_rollout(manifest, {key.ns, key.name});
    append(file_.warnings, std::move(findings.warnings));
    const int line = root.findings().places.value.line;
    file_.rollout_lines.push_back({rollout.key, line, prune_mark(root.json()), key.kind});
    if (findings.problems.empty()) {
      if (!rollout.standalone) file_.published.push_back({key, root.json(), line});
      file_.rollouts.push_back(std::move(rollout));
    } else {
      file_.refused.push_back({rollout.key, findings.take_problems()});
    }
  }

  /// Kinds that are part of rollouts and mean nothing to the cluster.
  static bool is_carried_out_by_us(std::string_view kind) {
    return kind == "AnalysisTemplate" || kind == "ClusterAnalysisTemplate" || kind == "AnalysisRun";
  }

  static bool still_encrypted(const Json& document, const ObjectKey& key) {
    if (const Json* sops = find(document, {"sops"}); sops && sops->is_object()) return true;
    if (!key.group.empty() || key.kind != "Secret") return false;
    for (std::string_view part : {"data", "stringData"}) {
      const Json* values = find(document, {part});
      if (!values || !values->is_object()) continue;
      for (const Json& value : *values)
        if (value.is_string() && value.get_ref<const std::string&>().starts_with("ENC[")) return true;
    }
    return false;
  }

  const std::string& path_;
  const std::string& default_namespace_;
  ManifestFile file_;
  std::map<ObjectKey, int> first_line_;
};

}  // namespace

std::string Problem::text() const {
  std::string out = file;
  if (line) out += format(":{}", line);
  if (line && column) out += format(":{}", column);
  return out.empty() ? message : out + ": " + message;
}

bool is_manifest_path(std::string_view path) {
  for (size_t at = 0; at < path.size();) {
    if (path[at] == '.') return false;
    size_t slash = path.find('/', at);
    if (slash == path.npos) break;
    at = slash + 1;
  }
  std::string_view name = path.substr(path.rfind('/') + 1);
  for (std::string_view ending : {".yaml", ".yml", ".json"})
    if (name.size() > ending.size() && name.ends_with(ending)) return true;
  return false;
}

ManifestFile read_manifests(const std::string& path, std::string_view text, const std::string& default_namespace) {
  return FileReader(path, default_namespace).read(text);
}

}  // namespace reconciler
