#include "cluster/rollout_object.h"
#include "manifest/document.h"
#include "sim/objects.h"
#include "sim/scale.h"
#include "sim/table.h"

#include "catch.h"

#include <fstream>
#include <iterator>

using namespace reconciler;

namespace {

/// The definition that we ship.
Json rollout_definition() {
  std::ifstream file(std::string(SERIN_SOURCE_DIR) + "/manifests-schema/kubernetes/rollouts-crd.yaml");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  Documents documents = read_documents("rollouts-crd.yaml", text);
  REQUIRE(documents.problems.empty());
  REQUIRE(documents.documents.size() == 1);
  return documents.documents[0].value;
}

/// A world that knows Rollouts, with one of two pods applied by `serin`.
struct RolloutWorld {
  World world{{.now = *parse_time("2026-11-22T10:00:00Z")}};
  ResourcePath till;

  RolloutWorld() {
    REQUIRE(world.create(at(world, "apiextensions.k8s.io/v1", "CustomResourceDefinition"), rollout_definition()));
    till = at(world, "argoproj.io/v1alpha1", "Rollout", "default", "till");
    REQUIRE(till.type != nullptr);
    apply({{"spec", {{"replicas", 2}, {"selector", {{"matchLabels", {{"app", "till"}}}}}}}});
  }

  Json apply(Json part, const std::string& subresource = "") {
    part["apiVersion"] = "argoproj.io/v1alpha1";
    part["kind"] = "Rollout";
    part["metadata"]["name"] = "till";
    ResourcePath path = till;
    path.subresource = subresource;
    auto written = world.patch(path, PatchKind::Apply, part, {.manager = "serin", .force = true, .strict = true});
    INFO((written ? "" : written.error().message));
    REQUIRE(written);
    return *written->object;
  }

  void scale_to(int replicas) {
    ResourcePath path = till;
    path.subresource = "scale";
    REQUIRE(world.patch(path, PatchKind::Merge, {{"spec", {{"replicas", replicas}}}}, {.manager = "kubectl"}));
  }

  Json live() { return **world.get(till); }
};

}  // namespace

TEST_CASE("the status of a Rollout is written apart from its spec", "[custom]") {
  RolloutWorld scene;
  const int64_t generation = *integer_at(scene.live(), {"metadata", "generation"});
  scene.apply({{"status", {{"phase", "Healthy"}, {"observedGeneration", "1"}, {"message", "gone soon"}}}}, "status");
  CHECK(scene.live()["status"]["phase"] == "Healthy");
  CHECK(scene.live()["spec"]["replicas"] == 2);
  CHECK(integer_at(scene.live(), {"metadata", "generation"}) == generation);
  scene.apply({{"spec", {{"replicas", 3}, {"selector", {{"matchLabels", {{"app", "till"}}}}}}}});
  CHECK(scene.live()["status"]["phase"] == "Healthy");
  // What is not said any more goes.
  scene.apply({{"status", {{"phase", "Healthy"}, {"observedGeneration", "1"}}}}, "status");
  CHECK_FALSE(scene.live()["status"].contains("message"));
  CHECK(summarize_rollout(scene.live(), "serin", "serin").driver.empty());
}

TEST_CASE("the scale subresource reads and writes where the definition says", "[custom]") {
  RolloutWorld scene;
  scene.apply({{"status", {{"HPAReplicas", 4}, {"selector", "app=till"}}}}, "status");
  const Json scale = scale_of(scene.live(), *scene.till.type);
  CHECK(scale["spec"]["replicas"] == 2);
  CHECK(scale["status"] == Json({{"replicas", 4}, {"selector", "app=till"}}));
  CHECK_FALSE(summarize_rollout(scene.live(), "serin", "serin").scaled);
  scene.scale_to(5);
  CHECK(scene.live()["spec"]["replicas"] == 5);
  CHECK(summarize_rollout(scene.live(), "serin", "serin").scaled == 5);
  // Applying without the count leaves it to the one who scaled.
  scene.apply({{"spec", {{"selector", {{"matchLabels", {{"app", "till"}}}}}}}});
  CHECK(scene.live()["spec"]["replicas"] == 5);
  CHECK(summarize_rollout(scene.live(), "serin", "serin").scaled == 5);
}

TEST_CASE("kubectl get shows the columns of the definition", "[custom]") {
  RolloutWorld scene;
  scene.apply({{"status", {{"phase", "Paused"}, {"canary", {{"weights", {{"canary", {{"weight", 20}}}}}}}}}}, "status");
  const Json table = table_of(*scene.till.type, {std::make_shared<const Json>(scene.live())}, RowObject::None,
                              "meta.k8s.io/v1", scene.world.now() + 90s);
  CHECK(table["columnDefinitions"][5]["name"] == "Phase");
  CHECK(table["rows"][0]["cells"] ==
        Json({"till", 2, nullptr, nullptr, nullptr, "Paused", 20, nullptr, nullptr, "90s"}));
}
