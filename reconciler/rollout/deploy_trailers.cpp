#include "rollout/deploy_trailers.h"

#include <charconv>

#include "base/format.h"
#include "base/text.h"

namespace reconciler {
namespace {

DeployTrailers ignored_for(DeployTrailers trailers, std::string why) {
  return {.by = std::move(trailers.by), .ignored = std::move(why)};
}

std::optional<int> percent_in(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size() && !text.empty();
  return whole && number >= 0 && number <= 100 ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<DeployTrailers> deploy_trailers(std::string_view message) {
  DeployTrailers out;
  bool any = false;
  for (const auto& [key, value] : trailers_of(message)) {
    if (key == "rollout-skip-steps") {
      any = true;
      out.skip_steps = lower_case(value) == "yes";
      if (!out.skip_steps) out.ignored = "Rollout-Skip-Steps must be yes";
    } else if (key == "rollout-pause-at") {
      any = true;
      out.pause_at = percent_in(value);
      if (!out.pause_at) out.ignored = "Rollout-Pause-At must be 0 to 100";
    }
  }
  if (out.skip_steps && out.pause_at) out.ignored = "Rollout-Skip-Steps and Rollout-Pause-At exclude each other";
  return any ? std::optional(std::move(out)) : std::nullopt;
}

DeployTrailers judged(DeployTrailers trailers, const Rollout& desired, const std::string& refusal) {
  if (!refusal.empty()) return ignored_for(std::move(trailers), refusal);
  if (!trailers.ignored.empty()) {
    std::string why = trailers.ignored;
    return ignored_for(std::move(trailers), std::move(why));
  }
  if (trailers.pause_at && desired.blue_green)
    return ignored_for(std::move(trailers), "a blue-green rollout has no share to pause at");
  return trailers;
}

}  // namespace reconciler
