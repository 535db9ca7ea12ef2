#include "cli/history_text.h"

#include "catch.h"

using namespace reconciler;

namespace {

TimePoint at(std::string_view text) { return parse_time(text).value(); }

CommitInfo status_commit(std::string_view time, std::string subject, std::string why, std::string trailers) {
  return {.id = "c0ffee00" + std::string(time.substr(11, 8)),
          .author = "Serin <serin@localhost>",
          .time = at(time),
          .message = "shop/checkout: " + subject + "\n\n" + why +
                     "\n\nRollout: shop/checkout\nRollout-Cluster: default\n" + trailers +
                     "Rollout-Revision: 6d4c9f7b8d\nRollout-Image: r.example.com/checkout:v2\n"
                     "Rollout-Commit: 3f1c0d2e44\n"};
}

Recorded recorded(const CommitInfo& commit) {
  std::optional<Recorded> transition = read_recorded(commit);
  REQUIRE(transition);
  return *transition;
}

History two_transitions() {
  return {.transitions = {recorded(status_commit("2026-11-22T10:00:02Z", "deploying v2 (step 0/8)",
                                                 "image changed: v1 -> v2",
                                                 "Rollout-Phase: Progressing\nRollout-Step: 0/8\nRollout-Weight: 0\n")),
                          recorded(status_commit("2026-11-22T10:00:20Z", "canary 20% (step 1/8)",
                                                 "1 of 1 canary pods available; pausing for 5m",
                                                 "Rollout-Phase: Paused\nRollout-Step: 1/8\nRollout-Weight: 20\n"))},
          .requests = {{"3f1c0d2e44", {.author = "Ann <ann@example.com>", .subject = "Deploy checkout v2"}}}};
}

}  // namespace

TEST_CASE("a status commit is read back from its message", "[history]") {
  Recorded t = two_transitions().transitions[1];
  CHECK(t.rollout == RolloutKey{.ns = "shop", .name = "checkout"});
  CHECK(t.cluster == "default");
  CHECK(t.subject == "canary 20% (step 1/8)");
  CHECK(t.why == "1 of 1 canary pods available; pausing for 5m");
  CHECK(t.phase == "Paused");
  CHECK(t.step == "1/8");
  CHECK(t.weight == "20");
  CHECK(t.image == "r.example.com/checkout:v2");
  CHECK(t.requested == "3f1c0d2e44");
}

TEST_CASE("other commits are no transitions", "[history]") {
  for (const char* message :
       {"", "Deploy v2", "Deploy v2\n\nRollout: shop/checkout in the body only\n\nSigned-off-by: x",
        "x\n\nRollout: nonsense\nRollout-Phase: Healthy"})
    CHECK_FALSE(read_recorded({.id = "1", .author = "a", .time = {}, .message = message}));
}

TEST_CASE("history tells when, how long, what, why and who asked, once", "[history]") {
  CHECK(history_text(two_transitions(), at("2026-11-22T10:05:00Z")) ==
        "2026-11-22T10:00:02Z  Progressing 0%   for 18s        deploying v2 (step 0/8)\n"
        "    image changed: v1 -> v2\n"
        "    asked for by Ann <ann@example.com> in 3f1c0d2e: Deploy checkout v2\n"
        "2026-11-22T10:00:20Z  Paused      20%  since 4m40s    canary 20% (step 1/8)\n"
        "    1 of 1 canary pods available; pausing for 5m\n");
}

TEST_CASE("history names who decided", "[history]") {
  History history = two_transitions();
  history.transitions[1].status = Status{};
  history.transitions[1].status->decision = CarriedOut{.verb = Verb::Promote,
                                                       .revision = "6d4c9f7b8d",
                                                       .step = 1,
                                                       .by = "Bob <bob@example.com>",
                                                       .commit = "abcdef0123",
                                                       .at = at("2026-11-22T10:00:20Z"),
                                                       .reason = "looks good"};
  CHECK_THAT(history_text(history, at("2026-11-22T10:05:00Z")),
             ContainsSubstring("    promote decided by Bob <bob@example.com> in abcdef01: looks good\n"));
  CHECK(history_json(history)["transitions"][1]["decision"]["by"] == "Bob <bob@example.com>");
}

TEST_CASE("history as JSON has the same facts", "[history]") {
  Json json = history_json(two_transitions())["transitions"];
  REQUIRE(json.size() == 2);
  CHECK(json[0]["until"] == "2026-11-22T10:00:20Z");
  CHECK(json[0]["weight"] == 0);
  CHECK(json[0]["requested"]["author"] == "Ann <ann@example.com>");
  CHECK_FALSE(json[1].contains("until"));
}

TEST_CASE("a reason that the headline gives already is not repeated", "[history]") {
  History history{
      .transitions = {recorded(status_commit("2026-11-22T10:00:02Z", "returning to v1: Git asks for v1 again",
                                             "Git asks for v1 again", "Rollout-Phase: Progressing\n"))}};
  std::string text = history_text(history, at("2026-11-22T10:00:03Z"));
  CHECK(text.find("    Git asks for v1 again") == text.npos);
}

TEST_CASE("history tells who wrote what was merged, and who merged it", "[history]") {
  History history = two_transitions();
  Request& request = history.requests["3f1c0d2e44"];
  request.committer = "GitHub <noreply@github.com>";
  CHECK_THAT(
      history_text(history, at("2026-11-22T10:05:00Z")),
      ContainsSubstring("asked for by Ann <ann@example.com>, committed by GitHub <noreply@github.com> in 3f1c0d2e"));
  request.authors = {"Bo <bo@example.com>", "Cy <cy@example.com>"};
  CHECK_THAT(
      history_text(history, at("2026-11-22T10:05:00Z")),
      ContainsSubstring("asked for by Bo <bo@example.com>, Cy <cy@example.com>, merged by Ann <ann@example.com> in"));
  CHECK(history_json(history)["transitions"][0]["requested"]["authors"].size() == 2);
}
