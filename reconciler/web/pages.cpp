#include "web/pages.h"

#include "base/format.h"

namespace reconciler {
namespace {

/// A loop that has not turned for so long hangs: even an idle one turns more often.
constexpr Duration kLongestSilence = 60s;

Page unavailable(std::string why) { return {.status = 503, .body = std::move(why) + "\n"}; }

Page live_page(const Published& published) {
  if (published.since_beat < kLongestSilence) return {.body = "ok\n"};
  return unavailable(format("the loop has not turned for {}", format_duration(published.since_beat)));
}

Page ready_page(const Published& published) {
  if (Page live = live_page(published); live.status != 200) return live;
  if (!published.report || published.report->head.empty()) return unavailable("nothing has been read from git yet");
  if (!published.report->cluster_trouble.empty()) return unavailable("cluster: " + published.report->cluster_trouble);
  const ReachabilityFacts& health = published.health;
  if (!health.api_trouble.empty()) return unavailable("cluster: " + health.api_trouble);
  if (!published.since_good_poll) return unavailable("git: no poll has succeeded yet");
  if (*published.since_good_poll > published.polls_due)
    return unavailable(format("git: the last good poll is {} old", format_duration(*published.since_good_poll)));
  if (!health.record_trouble.empty()) return unavailable("status cannot be recorded: " + health.record_trouble);
  const Leadership::Standing& leadership = published.report->leadership;
  if (!leadership.is_known())
    return unavailable("it is not known who leads" + (leadership.trouble.empty() ? "" : ": " + leadership.trouble));
  return {.body = "ok\n"};
}

Json revision_json(const Revision& revision) { return {{"revision", revision.hash}, {"image", revision.image}}; }

Json rollout_json(const RolloutReport& rollout) {
  Json json = {{"rollout", rollout.key.text()}, {"settled", rollout.settled}, {"why", rollout.why}};
  if (!rollout.trouble.empty()) json["trouble"] = rollout.trouble;
  if (!rollout.status) return json;
  const Status& status = *rollout.status;
  json["phase"] = to_text(rollout.live.phase);
  if (!rollout.live.message.empty()) json["message"] = rollout.live.message;
  json["recordedPhase"] = to_text(status.phase);
  json["weight"] = status.weight;
  if (status.whole != kWholeWeight) json["weightOf"] = status.whole;
  if (status.stable) json["stable"] = revision_json(*status.stable);
  if (status.canary) json["canary"] = revision_json(*status.canary);
  if (status.preview) json["preview"] = {{"accepted", status.preview->accepted}};
  if (status.run)
    json["run"] = {{"revision", status.run->hash}, {"ended", status.run->ended}, {"failed", status.run->failed}};
  if (status.step) json["step"] = {{"index", status.step->index}, {"count", status.step->count}};
  return json;
}

/// How many there are, and each that is not as it should be.
Json objects_json(const ObjectReport& report) {
  size_t total = 0;
  for (const auto& [kind, count] : report.total) total += count;
  Json json = {{"total", total}, {"notCurrent", Json::array()}, {"drift", Json::array()}};
  for (const auto& [key, health] : report.unsettled)
    json["notCurrent"].push_back({{"object", key.text()}, {"health", to_text(health.status)}, {"why", health.why}});
  for (const auto& [key, drift] : report.drifted)
    json["drift"].push_back({{"object", key.text()},
                             {"fields", drift.drift.fields},
                             {"by", drift.drift.by},
                             {"fight", drift.is_fight},
                             {"why", drift.text()}});
  return json;
}

Json reasons_json(const std::map<ObjectKey, std::string>& objects) {
  Json json = Json::array();
  for (const auto& [key, why] : objects) json.push_back({{"object", key.text()}, {"why", why}});
  return json;
}

Json prune_json(const PruneReport& prune) {
  Json json = {{"held", reasons_json(prune.held)}, {"failed", reasons_json(prune.failed)}};
  if (!prune.waiting.empty()) json["waiting"] = prune.waiting;
  return json;
}

}  // namespace

bool shows_report(std::string_view path) { return path == "/metrics" || path == "/readyz" || path == "/status.json"; }

std::optional<Page> page_at(std::string_view path, const Published& published) {
  if (path == "/healthz" || path == "/livez") return live_page(published);
  if (path == "/readyz") return ready_page(published);
  if (path == "/metrics")
    return Page{.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_text(published)};
  if (path != "/status.json") return std::nullopt;
  if (!published.report) return unavailable("{}");
  return Page{.content_type = "application/json", .body = dump(report_json(*published.report)) + "\n"};
}

Json report_json(const Report& report) {
  Json json = {{"head", report.head},       {"inSync", report.in_sync()},     {"unpushed", report.unpushed},
               {"rollouts", Json::array()}, {"failedObjects", Json::array()}, {"problems", Json::array()}};
  json["leads"] = report.leadership.leads;
  if (!report.leadership.leader.empty()) json["leader"] = report.leadership.leader;
  if (!report.leadership.trouble.empty()) json["leaseTrouble"] = report.leadership.trouble;
  if (!report.git_trouble.empty()) json["gitTrouble"] = report.git_trouble;
  if (!report.cluster_trouble.empty()) json["clusterTrouble"] = report.cluster_trouble;
  for (const RolloutReport& rollout : report.rollouts) json["rollouts"].push_back(rollout_json(rollout));
  for (const auto& [key, why] : report.objects.failed)
    json["failedObjects"].push_back({{"object", key.text()}, {"why", why}});
  json["objects"] = objects_json(report.objects);
  for (const Problem& problem : report.problems) json["problems"].push_back(problem.text());
  json["prune"] = prune_json(report.prune);
  return json;
}

}  // namespace reconciler
