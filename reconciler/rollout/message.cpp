// The words of a status commit, and of an action in the log.
#include "base/format.h"
#include "rollout/plan.h"
#include "rollout/transition.h"

namespace reconciler {
namespace {

/// One line: what came from outside may hold line breaks, which would end a subject or forge a trailer.
std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return text;
}

std::string trailers(const RolloutKey& key, const Status& status, std::string_view cluster) {
  std::string out =
      format("Rollout: {}\nRollout-Cluster: {}\nRollout-Phase: {}\n", key.text(), cluster, to_text(status.phase));
  if (status.step) out += format("Rollout-Step: {}/{}\n", status.step->index, status.step->count);
  out += format("Rollout-Weight: {}\n", weight_text(status.weight, status.whole));
  const auto& revision = status.canary ? status.canary : status.stable;
  if (revision && !status.run)
    out += format("Rollout-Revision: {}\nRollout-Image: {}\n", revision->hash, one_line(revision->image));
  if (status.run) out += format("Rollout-Revision: {}\n", status.run->hash);
  if (!status.commit.empty()) out += format("Rollout-Commit: {}\n", status.commit);
  return out;
}

}  // namespace

std::string commit_message(const Rollout& desired, const Decision& decision, std::string_view cluster,
                           const std::vector<std::string>& requested) {
  std::string out = format("{}: {}\n\n{}\n\n", desired.key.text(), one_line(decision.subject), one_line(decision.why));
  if (!requested.empty()) {
    for (const std::string& line : requested) out += format("- {}\n", one_line(line));
    out += "\n";
  }
  return out + trailers(desired.key, decision.status, cluster);
}

std::string refusal_message(const RolloutKey& key, const Status& status, std::string_view cluster) {
  return format("{}: refused: {}\n\n{}\n\n", key.text(), one_line(status.refused), one_line(status.refused)) +
         trailers(key, status, cluster);
}

std::string removal_message(const RolloutKey& key, const std::string& commit, std::string_view cluster,
                            const std::vector<std::string>& requested) {
  std::string out = format("{}: removed\n\nits manifest is gone from Git\n\n", key.text());
  for (const std::string& line : requested) out += format("- {}\n", one_line(line));
  if (!requested.empty()) out += "\n";
  out += format("Rollout: {}\nRollout-Cluster: {}\nRollout-Phase: Removed\nRollout-Weight: 0\n", key.text(), cluster);
  if (!commit.empty()) out += format("Rollout-Commit: {}\n", commit);
  return out;
}

std::string describe(const Action& action) {
  struct {
    std::string operator()(const CreateReplicaSet& a) const {
      return format("create {} with {} replicas", a.name, integer_at(a.object, {"spec", "replicas"}).value_or(0));
    }
    std::string operator()(const CreateExperimentPods& a) const {
      return format("create {} with {} replicas{}", a.pods.name, a.pods.replicas,
                    a.from.empty() ? "" : " of " + a.from);
    }
    std::string operator()(const CreateExperimentService& a) const {
      return format("create Service {} to {}", a.name, a.replica_set);
    }
    std::string operator()(const ScaleReplicaSet& a) const { return format("scale {} to {}", a.name, a.replicas); }
    std::string operator()(const AdoptReplicaSet& a) const { return format("adopt {}", a.name); }
    std::string operator()(const SetScaleDownDeadline& a) const {
      return a.deadline ? format("keep pods of {} until {}", a.name, format_time(*a.deadline))
                        : format("keep pods of {}", a.name);
    }
    std::string operator()(const MarkReplicaSet& a) const {
      return format(a.hash.empty() ? "{} is no longer rejected" : "mark {} as rejected", a.name);
    }
    std::string operator()(const SetTemplateMetadata& a) const {
      return format("give {} the metadata {}", a.name, a.after.empty() ? "of no role" : a.after);
    }
    std::string operator()(const RestoreAffinity& a) const { return format("let pods of {} run anywhere", a.name); }
    std::string operator()(const SetPodMetadata& a) const {
      return format("give pod {} the metadata {}", a.name, a.after.empty() ? "of no role" : a.after);
    }
    std::string operator()(const EvictPods& a) const {
      return format("restart {} pods, first {}", a.pods.size(), a.pods.front().name);
    }
    std::string operator()(const ScaleWorkload& a) const {
      return format("scale {} {} to {}", a.kind, a.name, a.replicas);
    }
    std::string operator()(const DeleteReplicaSet& a) const { return format("delete {}", a.name); }
    std::string operator()(const SelectRevision& a) const {
      return format("let Service {} select {}", a.service, a.hash);
    }
    std::string operator()(const ReleaseService& a) const {
      return format("let Service {} select every pod again", a.service);
    }
    std::string operator()(const RewriteRoutes& a) const {
      if (a.before.is_null()) return format("create {} {}", a.object.kind, a.object.name);
      if (a.after.is_null()) return format("delete {} {}", a.object.kind, a.object.name);
      if (a.object.kind == "DestinationRule") return "point the subsets of " + a.object.name;
      return "shift weights of " + a.object.name;
    }
  } words;
  return std::visit(words, action);
}

}  // namespace reconciler
