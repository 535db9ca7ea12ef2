#include "cli/history_text.h"

#include "base/format.h"
#include "base/text.h"

namespace reconciler {
namespace {

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::optional<CarriedOut> decision_of(const Recorded& transition) {
  return transition.status ? transition.status->decision : std::nullopt;
}

/// `asked for by Ann <ann@example.com>, merged by Bo <bo@example.com> in 3f1c0d2e: Deploy v2`. Whoever made a merge
/// commit merged it; a server that squashes or rebases commits for the author.
std::string request_line(const History& history, const std::string& commit) {
  auto found = history.requests.find(commit);
  if (found == history.requests.end()) return format("asked for in {}", commit.substr(0, 8));
  const Request& request = found->second;
  std::string who = request.author;
  if (!request.authors.empty()) {
    who = format("{}, merged by {}", joined(request.authors, ", "), request.author);
  } else if (!request.committer.empty()) {
    who += ", committed by " + request.committer;
  }
  return format("asked for by {} in {}: {}", who, commit.substr(0, 8), request.subject);
}

std::string decision_line(const CarriedOut& decision) {
  std::string line = format("{} decided by {}", to_text(decision.verb), decision.by);
  if (!decision.commit.empty()) line += " in " + decision.commit.substr(0, 8);
  return decision.reason.empty() ? line : line + ": " + decision.reason;
}

std::optional<Ignored> ignored_of(const Recorded& transition) {
  return transition.status ? transition.status->ignored : std::nullopt;
}

/// From this decision to the next one, in whole seconds.
std::string lasted(TimePoint from, TimePoint to) {
  return format_duration(std::max<Duration>(0s, std::chrono::floor<std::chrono::seconds>(to - from)));
}

}  // namespace

std::string history_text(const History& history, TimePoint now) {
  std::string out;
  const std::vector<Recorded>& all = history.transitions;
  for (size_t i = 0; i < all.size(); ++i) {
    const Recorded& t = all[i];
    bool last = i + 1 == all.size();
    std::string duration = lasted(t.commit.time, last ? now : all[i + 1].commit.time);
    out += format("{}  {} {} {} {}\n", format_time(t.commit.time), padded(t.phase, 11),
                  padded(t.weight + (t.weight.find('/') == t.weight.npos ? "%" : ""), 4),
                  padded((last ? "since " : "for ") + duration, 14), t.subject);
    if (!t.why.empty() && !t.subject.ends_with(t.why)) out += format("    {}\n", t.why);
    if (!t.requested.empty() && (i == 0 || all[i - 1].requested != t.requested))
      out += format("    {}\n", request_line(history, t.requested));
    if (auto decision = decision_of(t); decision && (i == 0 || decision_of(all[i - 1]) != decision))
      out += format("    {}\n", decision_line(*decision));
    if (auto ignored = ignored_of(t); ignored && (i == 0 || ignored_of(all[i - 1]) != ignored))
      out +=
          format("    {} by {} in {} was ignored\n", to_text(ignored->verb), ignored->by, ignored->commit.substr(0, 8));
  }
  return out;
}

Json history_json(const History& history) {
  Json transitions = Json::array();
  for (size_t i = 0; i < history.transitions.size(); ++i) {
    const Recorded& t = history.transitions[i];
    Json entry = {{"commit", t.commit.id},
                  {"time", format_time(t.commit.time)},
                  {"phase", t.phase},
                  {"subject", t.subject},
                  {"why", t.why},
                  {"revision", t.revision},
                  {"image", t.image},
                  {"weight", std::atoi(t.weight.c_str())},
                  {"rollout", t.rollout.text()},
                  {"cluster", t.cluster}};
    if (const size_t of = t.weight.find('/'); of != t.weight.npos)
      entry["weightOf"] = std::atoi(t.weight.c_str() + of + 1);
    if (!t.step.empty()) entry["step"] = t.step;
    if (i + 1 < history.transitions.size()) entry["until"] = format_time(history.transitions[i + 1].commit.time);
    if (!t.requested.empty()) entry["requested"] = {{"commit", t.requested}};
    if (auto request = history.requests.find(t.requested); request != history.requests.end()) {
      entry["requested"]["author"] = request->second.author;
      entry["requested"]["subject"] = request->second.subject;
      if (!request->second.committer.empty()) entry["requested"]["committer"] = request->second.committer;
      if (!request->second.authors.empty()) entry["requested"]["authors"] = request->second.authors;
    }
    if (auto decision = decision_of(t))
      entry["decision"] = {{"action", to_text(decision->verb)},
                           {"by", decision->by},
                           {"commit", decision->commit},
                           {"at", format_time(decision->at)},
                           {"reason", decision->reason}};
    if (auto ignored = ignored_of(t))
      entry["ignored"] = {
          {"action", to_text(ignored->verb)}, {"by", ignored->by}, {"commit", ignored->commit}, {"why", ignored->why}};
    transitions.push_back(std::move(entry));
  }
  return {{"transitions", std::move(transitions)}};
}

}  // namespace reconciler
