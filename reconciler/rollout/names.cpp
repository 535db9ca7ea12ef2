// The words that stand for enumerators in files and messages.
#include "base/check.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

std::string_view to_text(Verb verb) {
  switch (verb) {
    case Verb::Promote: return "promote";
    case Verb::PromoteFull: return "promote-full";
    case Verb::Abort: return "abort";
    case Verb::Retry: return "retry";
    case Verb::Pause: return "pause";
    case Verb::Resume: return "resume";
  }
  unreachable();
}

std::optional<Verb> parse_verb(std::string_view text) {
  for (Verb verb : {Verb::Promote, Verb::PromoteFull, Verb::Abort, Verb::Retry, Verb::Pause, Verb::Resume})
    if (to_text(verb) == text) return verb;
  return std::nullopt;
}

std::string_view to_text(Phase phase) {
  switch (phase) {
    case Phase::Healthy: return "Healthy";
    case Phase::Progressing: return "Progressing";
    case Phase::Paused: return "Paused";
    case Phase::Degraded: return "Degraded";
  }
  unreachable();
}

std::optional<Phase> parse_phase(std::string_view text) {
  for (Phase phase : {Phase::Healthy, Phase::Progressing, Phase::Paused, Phase::Degraded})
    if (to_text(phase) == text) return phase;
  return std::nullopt;
}

}  // namespace reconciler
