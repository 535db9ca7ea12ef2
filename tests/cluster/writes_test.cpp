#include "cluster/writes.h"

#include "catch.h"

using namespace reconciler;

namespace {

const RolloutKey kCheckout{.ns = "shop", .name = "checkout"};

Json json(std::string_view text) { return *parse_json(text); }

Json service(const std::string& hash) {
  Json object = json(R"({"apiVersion": "v1", "kind": "Service",
    "metadata": {"name": "checkout", "namespace": "shop", "resourceVersion": "7"},
    "spec": {"selector": {"app": "checkout"}}})");
  if (!hash.empty()) object["spec"]["selector"]["rollouts-pod-template-hash"] = hash;
  return object;
}

Json virtual_service(int stable, int canary) {
  Json object = json(R"({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
    "metadata": {"name": "checkout", "namespace": "shop", "resourceVersion": "9"},
    "spec": {"http": [{"name": "primary", "route": [
      {"destination": {"host": "checkout"}, "weight": 0}, {"destination": {"host": "checkout-canary"}, "weight": 0}]}]}})");
  object["spec"]["http"][0]["route"][0]["weight"] = stable;
  object["spec"]["http"][0]["route"][1]["weight"] = canary;
  return object;
}

KubernetesWrite write(const Action& action, const Json& live = Json()) {
  auto result = write_for(kCheckout, action, "serin", live);
  REQUIRE(result);
  return *result;
}

}  // namespace

TEST_CASE("a created ReplicaSet carries owner and rollout", "[writes]") {
  KubernetesWrite create = write(CreateReplicaSet{
      .name = "checkout-abc", .object = json(R"({"metadata": {"name": "checkout-abc", "labels": {"app": "a"}}})")});

  CHECK(create.verb == WriteVerb::Create);
  CHECK(create.kind == "ReplicaSet");
  CHECK(create.api_version == "apps/v1");
  CHECK(create.ns == "shop");
  CHECK(create.body["metadata"]["labels"] ==
        json(R"({"app": "a", "serin.dev/owner": "serin", "serin.dev/rollout": "checkout"})"));
}

TEST_CASE("scaling sets replicas and what is desired, and forgets the deadline", "[writes]") {
  KubernetesWrite scale = write(ScaleReplicaSet{.name = "checkout-abc", .replicas = 3, .desired = 5});
  Json live =
      json(R"({"metadata": {"annotations": {"scale-down-deadline": "x", "kept": "y"}}, "spec": {"replicas": 1}})");

  auto after = patched(live, scale);

  REQUIRE(after);
  CHECK(*after == json(R"({"metadata": {"annotations": {"kept": "y", "rollout.argoproj.io/desired-replicas": "5"}},
                           "spec": {"replicas": 3}})"));
}

TEST_CASE("a deadline is an annotation, and none removes it", "[writes]") {
  Json live = json(R"({"metadata": {"name": "checkout-abc"}})");
  auto with = patched(
      live, write(SetScaleDownDeadline{.name = "checkout-abc", .deadline = *parse_time("2026-11-22T10:05:00Z")}));
  REQUIRE(with);
  CHECK(text_at(*with, {"metadata", "annotations", "scale-down-deadline"}) == "2026-11-22T10:05:00Z");

  auto without = patched(*with, write(SetScaleDownDeadline{.name = "checkout-abc", .deadline = std::nullopt}));
  REQUIRE(without);
  CHECK(find(*without, {"metadata", "annotations", "scale-down-deadline"}) == nullptr);
}

TEST_CASE("adopting only labels, and takes a former owner away", "[writes]") {
  CHECK(write(AdoptReplicaSet{.name = "checkout-abc"}).body ==
        json(R"({"metadata": {"labels": {"serin.dev/owner": "serin", "serin.dev/rollout": "checkout"},
                              "ownerReferences": null}})"));
}

TEST_CASE("adopting for a Rollout object names it as the owner", "[writes]") {
  const Json owner = json(R"({"kind": "Rollout", "name": "checkout", "uid": "u1"})");
  CHECK(write(AdoptReplicaSet{.name = "checkout-abc", .owner = owner}).body["metadata"]["ownerReferences"] ==
        Json::array({owner}));
}

TEST_CASE("deleting names the uid it means", "[writes]") {
  KubernetesWrite gone = write(DeleteReplicaSet{.name = "checkout-abc", .uid = "u1"});
  CHECK(gone.verb == WriteVerb::Delete);
  CHECK(text_at(gone.body, {"preconditions", "uid"}) == "u1");
  CHECK(text_at(gone.body, {"propagationPolicy"}) == "Background");
}

TEST_CASE("selecting a revision tests the one selected before", "[writes]") {
  KubernetesWrite select = write(SelectRevision{.service = "checkout", .from = "old", .hash = "new"}, service("old"));

  auto after = patched(service("old"), select);
  REQUIRE(after);
  CHECK(text_at(*after, {"spec", "selector", kHashLabel}) == "new");
  CHECK(text_at(*after, {"spec", "selector", "app"}) == "checkout");
  CHECK(text_at(*after, {"metadata", "annotations", kManagedByAnnotation}) == "checkout");
  CHECK(patched(service("other"), select).error().kind == ErrorKind::Conflict);
}

TEST_CASE("selecting the first revision tests that there was none", "[writes]") {
  KubernetesWrite select = write(SelectRevision{.service = "checkout", .from = "", .hash = "new"}, service(""));

  auto after = patched(service(""), select);
  REQUIRE(after);
  CHECK(text_at(*after, {"spec", "selector", kHashLabel}) == "new");

  Json changed = service("");
  changed["metadata"]["resourceVersion"] = "8";
  CHECK(patched(changed, select).error().kind == ErrorKind::Conflict);
}

TEST_CASE("annotations of a Service that it already has are kept", "[writes]") {
  Json live = service("old");
  live["metadata"]["annotations"] = json(R"({"team/on~call": "x"})");
  auto after = patched(live, write(SelectRevision{.service = "checkout", .from = "old", .hash = "new"}, live));
  REQUIRE(after);
  CHECK(text_at(*after, {"metadata", "annotations", "team/on~call"}) == "x");
  CHECK(text_at(*after, {"metadata", "annotations", kManagedByAnnotation}) == "checkout");
}

TEST_CASE("deviation 7: a Service is released also when the annotation is gone", "[writes]") {
  KubernetesWrite release = write(ReleaseService{.service = "checkout", .from = "abc"}, service("abc"));

  auto after = patched(service("abc"), release);

  REQUIRE(after);
  CHECK(*after == service(""));
}

TEST_CASE("a plan made on another selector is a conflict before anything is sent", "[writes]") {
  Action select = SelectRevision{.service = "checkout", .from = "old", .hash = "new"};
  CHECK(write_for(kCheckout, select, "serin", service("newer")).error().kind == ErrorKind::Conflict);
  CHECK(write_for(kCheckout, select, "serin", Json()).error().kind == ErrorKind::Conflict);
}

TEST_CASE("rewriting routes touches the weights alone and tests them", "[writes]") {
  Json before = virtual_service(100, 0);
  KubernetesWrite rewrite = write(RewriteRoutes{.object = {"networking.istio.io", "VirtualService", "shop", "checkout"},
                                                .before = before,
                                                .after = virtual_service(80, 20)},
                                  before);

  CHECK(rewrite.api_version == "networking.istio.io/v1");
  CHECK(rewrite.body == json(R"([
    {"op": "test", "path": "/metadata/resourceVersion", "value": "9"},
    {"op": "test", "path": "/spec/http/0/route/0/weight", "value": 100},
    {"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 80},
    {"op": "test", "path": "/spec/http/0/route/1/weight", "value": 0},
    {"op": "replace", "path": "/spec/http/0/route/1/weight", "value": 20}])"));
  auto after = patched(before, rewrite);
  REQUIRE(after);
  CHECK(*after == virtual_service(80, 20));
}

TEST_CASE("a rewrite planned on routes that changed is a conflict", "[writes]") {
  Json before = virtual_service(100, 0);
  KubernetesWrite rewrite = write(RewriteRoutes{.object = {"networking.istio.io", "VirtualService", "shop", "checkout"},
                                                .before = before,
                                                .after = virtual_service(80, 20)},
                                  before);
  CHECK(patched(virtual_service(90, 10), rewrite).error().kind == ErrorKind::Conflict);
}

TEST_CASE("a route object that is not there is created, with the owner label", "[writes]") {
  Json after = virtual_service(80, 20);
  KubernetesWrite create =
      write(RewriteRoutes{.object = {"networking.istio.io", "VirtualService", "shop", "checkout"}, .after = after});
  CHECK(create.verb == WriteVerb::Create);
  CHECK(create.body["metadata"]["labels"]["serin.dev/owner"] == "serin");
  CHECK(create.body["spec"] == after["spec"]);
}

TEST_CASE("what another controller made for the rollout gets our label when it is taken over", "[writes]") {
  const Json before = json(R"({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "a"}})");
  Json after = before;
  after["metadata"]["labels"]["serin.dev/rollout"] = "checkout";
  const auto rewrite =
      write(RewriteRoutes{.object = {"networking.k8s.io", "Ingress", "shop", "a"}, .before = before, .after = after});
  CHECK((*patched(before, rewrite))["metadata"]["labels"] ==
        Json{{"serin.dev/rollout", "checkout"}, {"serin.dev/owner", "serin"}});
}

TEST_CASE("the pods of an experiment, and their Service, are made from a ReplicaSet", "[writes]") {
  const Json source = json(R"({"metadata": {"name": "checkout-abc", "uid": "u1"}, "spec": {
    "selector": {"matchLabels": {"app": "checkout"}}, "template": {"metadata": {"labels": {"app": "checkout"}}}}})");
  const ExperimentPods pods{.name = "checkout-abc-1-base", .label = "base", .hash = "own", .replicas = 1};
  const auto set = write(CreateExperimentPods{.pods = pods, .from = "checkout-abc"}, source);
  CHECK(set.verb == WriteVerb::Create);
  CHECK(set.kind == "ReplicaSet");
  CHECK(set.body["metadata"]["labels"]["serin.dev/owner"] == "serin");
  const auto service = write(CreateExperimentService{"checkout-base", "checkout-abc-1-base"}, set.body);
  CHECK(service.kind == "Service");
  CHECK(service.body["spec"]["selector"] == Json{{"app", "checkout"}, {"rollouts-pod-template-hash", "own"}});
  CHECK(service.body["metadata"]["labels"]["serin.dev/owner"] == "serin");
}

TEST_CASE("a difference of documents leads from one to the other", "[writes]") {
  Json before = json(R"({"a": [1, 2, 3], "b": {"c": 1}, "d": "x", "x/y~z": 1})");
  Json after = json(R"({"a": [1, 4], "b": {"c": 1, "e": null}, "x/y~z": 2})");
  Json patch = tested_difference(before, after);
  CHECK(before.patch(patch) == after);
  CHECK(tested_difference(after, after).empty());
}
