#include "sim/sim_policy.h"

#include "base/format.h"
#include "base/text.h"

namespace reconciler {
namespace {

std::string address_in(const std::string& author) {
  return author.substr(author.find('<') + 1, author.find('>') - author.find('<') - 1);
}

std::string list_of(const std::set<std::string>& names) { return "[" + joined(names, ", ") + "]"; }

}  // namespace

SimPolicy SimPolicy::draw(Random& random) {
  SimPolicy out;
  if (random.chance(0.7)) {
    if (random.chance(0.8)) out.authors.insert("ada@example.com");
    if (out.authors.empty() || random.chance(0.6)) out.authors.insert("grace@example.com");
    out.signed_only = random.chance(0.4);
    out.four_eyes = random.chance(0.3);
    out.trailers = !out.four_eyes && random.chance(0.6);
    out.anybody_aborts = random.chance(0.4);
  }
  for (int count = random.below(4); count > 0; --count)
    out.windows.push_back({random.below(60), random.between(5, 30), random.chance(0.4)});
  return out;
}

std::string SimPolicy::text() const {
  std::string out = "apiVersion: serin.dev/v1alpha1\nkind: Policy\nspec:\n";
  if (!authors.empty()) {
    out += format("  rules:\n    - {rollouts: \"*\", authors: {}", list_of(authors));
    if (signed_only) out += ", signers: " + list_of(authors);
    if (four_eyes) out += ", fourEyes: true";
    if (trailers) out += ", trailers: true";
    out += "}\n";
    if (anybody_aborts) out += "    - {rollouts: \"*\", actions: [abort]}\n";
  }
  out += windows.empty() ? "  freezes: []\n" : "  freezes:\n";
  for (const Window& window : windows)
    out += format("    - {rollouts: \"*\", start: {} * * * *, duration: {}m, zone: UTC, hard: {}}\n", window.minute,
                  window.length, window.hard);
  return out;
}

/// Is it by one of the authors, and signed where that is asked?
bool SimPolicy::knows(const SimRemote& remote, const SimCommit& commit) const {
  if (!authors.contains(address_in(commit.author))) return false;
  auto signer = remote.signers.find(commit.id);
  return !signed_only || (signer != remote.signers.end() && authors.contains(signer->second));
}

bool SimPolicy::may_decide(const SimRemote& remote, const SimCommit& commit, Verb verb, const SimCommit* change) const {
  if (!readable) return false;
  if (authors.empty() || (anybody_aborts && verb == Verb::Abort)) return true;
  return knows(remote, commit) && !(four_eyes && change && change->author == commit.author);
}

bool SimPolicy::may_use_trailers(const SimRemote& remote, const SimCommit& commit) const {
  return readable && trailers && knows(remote, commit);
}

std::optional<SimPolicy::Open> SimPolicy::open_at(TimePoint time) const {
  std::optional<Open> out;
  const TimePoint hour = std::chrono::floor<std::chrono::hours>(time);
  for (const Window& window : windows)
    for (const TimePoint begin : {hour, hour - 60min}) {
      const TimePoint since = begin + std::chrono::minutes(window.minute);
      if (since > time || time >= since + std::chrono::minutes(window.length)) continue;
      if (!out || window.hard > out->hard) out = Open{since, window.hard};
    }
  return out;
}

}  // namespace reconciler
