// What Git asks for: one Rollout manifest, typed, and what people decided about it.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"

namespace reconciler {

/// Names one rollout within a cluster; its text is `namespace/name`.
struct RolloutKey {
  std::string ns;
  std::string name;
  auto operator<=>(const RolloutKey&) const = default;
  std::string text() const { return ns + "/" + name; }
};

/// Shift this share of traffic to the canary, pods first. Done when the pods are available and the weight is recorded.
struct SetWeight {
  int percent = 0;
  bool operator==(const SetWeight&) const = default;
};

/// Stay where we are for a time, or until somebody resumes when there is no `duration`.
struct Pause {
  std::optional<Duration> duration;
  bool operator==(const Pause&) const = default;
};

using Step = std::variant<SetWeight, Pause>;

/// trafficRouting.istio.virtualService: whose weights to rewrite. `routes` empty: the only route, else the first
/// unnamed.
struct IstioRouting {
  std::string ns;
  std::string virtual_service;
  std::vector<std::string> routes;
  bool operator==(const IstioRouting&) const = default;
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
  std::string author;  ///< who committed the file: `Name <email>`
  std::string commit;  ///< the commit that brought it; a decision is carried out once
  bool operator==(const RolloutDecision&) const = default;
};

struct ContainerImage {
  std::string container;
  std::string image;
  bool operator==(const ContainerImage&) const = default;
};

/// One Rollout as Git asks for it. Defaults are those of Argo Rollouts (spec 1.1, 1.2).
struct Rollout {
  RolloutKey key;
  int replicas = 1;
  std::string selector;                ///< spec.selector as compact JSON
  std::string pod_template;            ///< spec.template as compact JSON, as written in Git
  std::string hash;                    ///< pod-template hash without collisions (spec 2.1)
  std::string older_hash;              ///< the same as older controllers made it; empty when that is not known
  std::vector<ContainerImage> images;  ///< containers of the template, in order
  int min_ready_seconds = 0;
  int revision_history_limit = 10;
  int rollback_window = 3;  ///< absent means 3 (deviation 17); 0 is off
  Duration progress_deadline = 600s;
  bool progress_deadline_abort = false;
  bool paused = false;
  std::string stable_service;
  std::string canary_service;
  IstioRouting istio;
  std::vector<Step> steps;
  std::string steps_hash;  ///< spec 2.1, currentStepHash; a change starts the steps over
  Duration scale_down_delay = 30s;
  Duration abort_scale_down_delay = 30s;  ///< 0: the canary is kept
  /// The newest first-parent commit that touched its file; empty while not looked up.
  std::string commit;
  std::optional<RolloutDecision> decision;
  bool operator==(const Rollout&) const = default;
};

}  // namespace reconciler
