// What Git asks for: one Rollout manifest, typed, and what people decided about it.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "rollout/traffic_routing.h"
#include "rollout/weight.h"

namespace reconciler {

/// Names one rollout within a cluster; its text is `namespace/name`.
struct RolloutKey {
  std::string ns;
  std::string name;
  auto operator<=>(const RolloutKey&) const = default;
  std::string text() const { return ns + "/" + name; }
};

/// Shift this share of traffic to the canary, pods first. Done when the pods are available and the weight is recorded.
/// This and all other weights are parts of `Rollout::whole`.
struct SetWeight {
  int weight = 0;
  bool operator==(const SetWeight&) const = default;
};

/// Stay where we are for a time, or until somebody resumes when there is no `duration`.
struct Pause {
  std::optional<Duration> duration;
  bool operator==(const Pause&) const = default;
};

/// As many canary pods as this says, whatever the weight, until the next one. Neither `replicas` nor `weight`: the pods
/// follow the weight again (matchTrafficWeight). Only with traffic routing.
struct SetCanaryScale {
  std::optional<int> replicas;
  std::optional<int> weight;
  bool operator==(const SetCanaryScale&) const = default;
};

/// Labels and annotations that pods have by their role, for as long as they have it.
struct PodMetadata {
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  bool operator==(const PodMetadata&) const = default;
};

/// Further pods of the two versions beside them for a time, some with a Service and a share of the traffic of their
/// own.
struct Experiment {
  enum class SpecRef { Stable, Canary };
  struct Template {
    std::string name;
    SpecRef spec = SpecRef::Stable;
    int replicas = 1;
    PodMetadata metadata;  ///< beside what the version's own pods have
    std::string selector;  ///< as compact JSON; empty: that of the version
    int weight = 0;        ///< its share of traffic, which it gets from stable; 0: none
    bool has_service = false;
    std::string service;  ///< its name; empty: that of the ReplicaSet
    bool operator==(const Template&) const = default;
  };
  std::vector<Template> templates;
  std::optional<Duration> duration;  ///< from when all its pods are available; absent: until a person ends it
  Duration scale_down_delay = 30s;   ///< how long its pods are kept after it
  bool operator==(const Experiment&) const = default;
};

using Step = std::variant<SetWeight, Pause, SetCanaryScale, SetHeaderRoute, SetMirrorRoute, Experiment>;

/// Keeps the pods of a new version off the nodes of the stable ones.
struct AntiAffinity {
  std::optional<int> weight;  ///< a preference of this weight; absent: required
  bool operator==(const AntiAffinity&) const = default;
};

/// strategy.blueGreen: the new version comes up beside the old one, and the active Service is switched from one to the
/// other as a whole.
struct BlueGreen {
  std::optional<int> preview_replicas;  ///< pods of the new version until its preview is accepted; absent: all
  bool auto_promotion = true;           ///< else a person accepts the preview
  Duration auto_promotion_after{0};     ///< time to look at the preview, after which it is accepted; 0: no such time
  bool operator==(const BlueGreen&) const = default;

  /// Is the preview held until somebody, or time, accepts it?
  bool pauses() const { return !auto_promotion || auto_promotion_after > 0ms; }
};

/// An Experiment that is a manifest of its own (spec 1.8): ReplicaSets beside each other for a time, each with a
/// template of its own, and no traffic but what reaches them through Services.
struct StandaloneExperiment {
  struct Template {
    std::string name;
    int replicas = 1;
    int min_ready_seconds = 0;
    std::string selector;      ///< as compact JSON
    std::string pod_template;  ///< as compact JSON, as written in Git
    bool has_service = false;
    std::string service;  ///< its name; empty: that of the ReplicaSet
    bool operator==(const Template&) const = default;
  };
  std::vector<Template> templates;
  std::optional<Duration> duration;  ///< from when all its pods are available; absent: until a person ends it
  Duration scale_down_delay = 30s;   ///< how long its pods are kept after it
  bool terminate = false;            ///< it is over, however far it came
  bool operator==(const StandaloneExperiment&) const = default;
};

/// The object that template and selector are taken from, in the rollout's namespace: a Deployment, a ReplicaSet or a
/// PodTemplate.
struct WorkloadRef {
  /// What becomes of its own pods, as long as there is only one revision of the rollout.
  enum class ScaleDown { Never, OnSuccess, Progressively };
  std::string api_version;
  std::string kind;
  std::string name;
  ScaleDown scale_down = ScaleDown::Never;
  bool operator==(const WorkloadRef&) const = default;
};

/// A number of pods, or a share of them in percent.
struct PodCount {
  enum class Unit { Pods, Percent };
  int number = 0;
  Unit unit = Unit::Pods;
  bool operator==(const PodCount&) const = default;
};

enum class Verb { Promote, PromoteFull, Abort, Retry, Pause, Resume };

/// `promote`, `promote-full`, ... as a decision file spells it.
std::string_view to_text(Verb verb);
std::optional<Verb> parse_verb(std::string_view text);

/// One `RolloutDecision` file: what a person asked for, bound to a revision and, when given, a step.
struct RolloutDecision {
  Verb verb = Verb::Promote;
  std::string revision;
  std::optional<int> step;
  std::string reason;
  std::string author;        ///< who committed the file: `Name <email>`
  std::string commit;        ///< the commit that brought it; a decision is carried out once
  std::string signer = {};   ///< principal of that commit's good signature; empty without one
  std::string refusal = {};  ///< why the one who made it may not (rollout/policy.h); empty when they may
  bool operator==(const RolloutDecision&) const = default;
};

/// A freeze window that is open now (rollout/freeze.h).
struct Freeze {
  TimePoint since, until;
  std::string reason;
  bool hard = false;  ///< what runs already is stopped too
  bool operator==(const Freeze&) const = default;
};

/// What a deploy commit asks for its own deploy, by trailers.
struct DeployTrailers {
  bool skip_steps = false;      ///< `Rollout-Skip-Steps: yes`
  std::optional<int> pause_at;  ///< `Rollout-Pause-At: 20`: not beyond this share before somebody says so
  std::string by;               ///< who made that commit
  std::string ignored;          ///< why they are not honoured; empty when they are
  bool operator==(const DeployTrailers&) const = default;
};

struct ContainerImage {
  std::string container;
  std::string image;
  bool operator==(const ContainerImage&) const = default;
};

/// One Rollout as Git asks for it. Defaults are those of Argo Rollouts (spec 1.1, 1.2).
struct Rollout {
  RolloutKey key;
  /// The manifest is an Experiment. Then there is nothing else but key, images, `hash` (of its spec but for
  /// `terminate`) and the progress deadline, and no pods of the rollout itself.
  std::optional<StandaloneExperiment> standalone;
  int replicas = 1;
  std::optional<WorkloadRef> workload_ref;  ///< until it is followed there is neither template nor hash
  std::string selector;                     ///< spec.selector as compact JSON
  std::string pod_template;                 ///< spec.template as compact JSON, as written in Git
  std::string hash;                         ///< pod-template hash without collisions (spec 2.1)
  std::string older_hash;                   ///< the same as older controllers made it; empty when that is not known
  std::vector<ContainerImage> images;       ///< containers of the template, in order
  std::map<std::string, std::string> pod_labels;  ///< labels of the template
  PodMetadata canary_metadata, stable_metadata;
  std::optional<AntiAffinity> anti_affinity;
  std::optional<TimePoint> restart_at;  ///< pods created before are to be replaced
  int min_ready_seconds = 0;
  int revision_history_limit = 10;
  int rollback_window = 3;  ///< absent means 3 (deviation 17); 0 is off
  Duration progress_deadline = 600s;
  bool progress_deadline_abort = false;
  bool paused = false;
  std::optional<BlueGreen> blue_green;  ///< absent: canary
  /// Empty: none, which only a rollout without traffic routing may have. With blue-green the active Service, which
  /// there always is.
  std::string stable_service;
  std::string canary_service;  ///< with blue-green the preview Service
  /// pingPong: `stable_service` is the ping Service and `canary_service` the pong Service, and each promotion makes the
  /// other one the stable side.
  bool ping_pong = false;
  TrafficRouting routing;
  PodCount max_surge{25, PodCount::Unit::Percent};  ///< sizes ReplicaSets only without traffic routing
  PodCount max_unavailable{25, PodCount::Unit::Percent};
  std::vector<Step> steps;
  std::string steps_hash;  ///< spec 2.1, currentStepHash; a change starts the steps over
  Duration scale_down_delay = 30s;
  std::optional<int> scale_down_delay_revision_limit;  ///< how many old revisions may wait in that delay at once
  Duration abort_scale_down_delay = 30s;               ///< 0: the canary is kept
  bool dynamic_stable_scale = false;                   ///< stable shrinks as weight leaves it
  std::optional<int> min_pods_per_replica_set;         ///< of every ReplicaSet with any
  std::optional<PodCount> replica_progress_threshold;  ///< how many pods are enough to go on; absent: all
  /// The newest first-parent commit that touched its file; empty while not looked up.
  std::string commit;
  std::optional<RolloutDecision> decision;
  std::optional<Freeze> freeze;
  std::optional<DeployTrailers> trailers;  ///< of `commit`
  bool operator==(const Rollout&) const = default;

  /// Is traffic shifted by a router? Otherwise the numbers of pods make its share.
  bool is_routed() const { return !routing.routers.empty(); }

  /// What its weights are parts of.
  int whole() const { return routing.max_weight.value_or(kWholeWeight); }
};

}  // namespace reconciler
