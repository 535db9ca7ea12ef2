#include "cluster/rollout_object.h"

#include "catch.h"
#include "cluster/convert.h"

using namespace reconciler;

namespace {

Json entry(const std::string& manager, const std::string& time, Json fields, const std::string& subresource = "") {
  Json out = {{"manager", manager}, {"time", time}, {"fieldsV1", std::move(fields)}};
  if (!subresource.empty()) out["subresource"] = subresource;
  return out;
}

Json status_entry(const std::string& manager, const std::string& time) {
  return entry(manager, time, {{"f:status", {{"f:observedGeneration", Json::object()}}}}, "status");
}

Json object(Json managed_fields) {
  return {
      {"metadata",
       {{"name", "till"}, {"namespace", "shop"}, {"uid", "u1"}, {"generation", 7}, {"managedFields", managed_fields}}},
      {"spec", {{"replicas", 5}}},
      {"status", {{"observedGeneration", "7"}}}};
}

RolloutObject summary(const Json& object) { return summarize_rollout(object, "serin", "serin"); }

Json with_take_over(Json object, const std::string& time) {
  object["metadata"]["annotations"]["serin.dev/take-over"] = "true";
  object["metadata"]["managedFields"].push_back(entry(
      "kubectl-annotate", time, {{"f:metadata", {{"f:annotations", {{"f:serin.dev/take-over", Json::object()}}}}}}));
  return object;
}

}  // namespace

TEST_CASE("whoever keeps the status of a Rollout drives it", "[rollout_object]") {
  CHECK(summary(object(Json::array())).driver.empty());
  CHECK(summary(object(Json::array({status_entry("rollouts-controller", "2026-11-22T10:00:00Z")}))).driver ==
        "rollouts-controller");
  CHECK(summary(object(Json::array({status_entry("serin", "2026-11-22T10:00:00Z")}))).driver.empty());
}

TEST_CASE("the last writer counts, within one second Serin", "[rollout_object]") {
  const Json theirs = status_entry("rollouts-controller", "2026-11-22T10:00:05Z");
  CHECK(summary(object(Json::array({theirs, status_entry("serin", "2026-11-22T10:00:04Z")}))).driver ==
        "rollouts-controller");
  CHECK(summary(object(Json::array({theirs, status_entry("serin", "2026-11-22T10:00:05Z")}))).driver.empty());
  CHECK(summary(object(Json::array({theirs, status_entry("serin", "2026-11-22T10:00:06Z")}))).driver.empty());
}

TEST_CASE("a person who patches some field of the status drives nothing", "[rollout_object]") {
  Json patched =
      entry("kubectl-patch", "2026-11-22T10:00:00Z", {{"f:status", {{"f:phase", Json::object()}}}}, "status");
  CHECK(summary(object(Json::array({patched}))).driver.empty());
}

TEST_CASE("a person may say that the controller is stopped, and it may prove the contrary", "[rollout_object]") {
  const Json stopped = object(Json::array({status_entry("rollouts-controller", "2026-11-22T10:00:00Z")}));
  CHECK(summary(with_take_over(stopped, "2026-11-22T10:01:00Z")).driver.empty());
  CHECK(summary(with_take_over(stopped, "2026-11-22T09:59:00Z")).driver == "rollouts-controller");
  Json refused = with_take_over(stopped, "2026-11-22T10:01:00Z");
  refused["metadata"]["annotations"]["serin.dev/take-over"] = "false";
  CHECK(summary(refused).driver == "rollouts-controller");
}

TEST_CASE("what we took over after that is not driven by who left it", "[rollout_object]") {
  auto taken = [](const std::string& manager, const std::string& time) {
    const Json label = {{"f:metadata", {{"f:labels", {{"f:serin.dev/owner", Json::object()}}}}}};
    return summary(object(
        Json::array({status_entry("rollouts-controller", "2026-11-22T10:00:00Z"), entry(manager, time, label)})));
  };
  CHECK(taken("serin", "2026-11-22T10:01:00Z").driver.empty());
  CHECK(taken("serin", "2026-11-22T09:59:00Z").driver == "rollouts-controller");
  CHECK(taken("kubectl-label", "2026-11-22T10:01:00Z").driver == "rollouts-controller");
}

TEST_CASE("only the scale subresource asks for another count", "[rollout_object]") {
  const Json replicas = {{"f:spec", {{"f:replicas", Json::object()}}}};
  CHECK_FALSE(summary(object(Json::array({entry("kubectl-patch", "2026-11-22T10:00:00Z", replicas)}))).scaled);
  auto scaled =
      summary(object(Json::array({entry("kube-controller-manager", "2026-11-22T10:00:00Z", replicas, "scale")})));
  CHECK(scaled.scaled == 5);
  CHECK(scaled.uid == "u1");
  CHECK(scaled.generation == 7);
  CHECK_FALSE(scaled.ours);
  CHECK(scaled.status == R"({"observedGeneration":"7"})");
}

TEST_CASE("ReplicaSets that a Rollout object of the same name controls may be adopted", "[rollout_object]") {
  auto controlled_by = [](const std::string& api_version, const std::string& kind, const std::string& name) {
    return summarize_replica_set(
        {{"metadata",
          {{"name", "till-abc"},
           {"namespace", "shop"},
           {"uid", "r1"},
           {"labels", {{"rollouts-pod-template-hash", "abc"}}},
           {"ownerReferences", Json::array({{{"apiVersion", api_version},
                                             {"kind", kind},
                                             {"name", name},
                                             {"uid", "u1"},
                                             {"controller", true}}})}}},
         {"spec", {{"selector", {{"matchLabels", {{"app", "till"}, {"rollouts-pod-template-hash", "abc"}}}}}}}});
  };
  Rollout till{.key = {"shop", "till"}, .selector = R"({"matchLabels":{"app":"till"}})"};
  CHECK(may_adopt(controlled_by("argoproj.io/v1alpha1", "Rollout", "till"), till));
  CHECK(controlled_by("argoproj.io/v1alpha1", "Rollout", "till").workload.rollout_uid == "u1");
  CHECK_FALSE(may_adopt(controlled_by("argoproj.io/v1alpha1", "Rollout", "other"), till));
  CHECK_FALSE(may_adopt(controlled_by("apps/v1", "Deployment", "till"), till));
}
