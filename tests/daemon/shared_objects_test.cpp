#include "daemon/shared_objects.h"

#include "rollout/route_builders.h"
//
#include "catch.h"

using namespace reconciler;

namespace {

Json service(const std::string& http) {
  return Json::parse(R"({"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"till",
    "namespace":"shop"},"spec":{"http":)" +
                     http + "}}");
}

const std::string kTesters = R"({"name":"testers","match":[{"headers":{"a":{"exact":"b"}}}],
  "route":[{"destination":{"host":"till-canary"},"weight":100}]})";

/// A route with both sides.
std::string shared(const std::string& name, int stable, int canary) {
  return R"({"name":")" + name + R"(","route":[{"destination":{"host":"till-stable"},"weight":)" +
         std::to_string(stable) + R"(},{"destination":{"host":"till-canary"},"weight":)" + std::to_string(canary) +
         "}]}";
}

}  // namespace

TEST_CASE("while a Rollout cannot be read, its weights and extra routes stay in an applied VirtualService",
          "[shared]") {
  const Json live = service("[" + kTesters + "," + shared("primary", 80, 20) + R"(,{"name":"gone","redirect":{}}])");
  const Json manifest = service("[" + shared("primary", 100, 0) + "]");
  CHECK(keeping_traffic(manifest, live, {"till-stable", "till-canary"}) ==
        service("[" + kTesters + "," + shared("primary", 80, 20) + "]"));
  CHECK(keeping_traffic(manifest, live, {}) == manifest);
  CHECK(keeping_traffic(service("[" + shared("other", 100, 0) + "]"), live, {"till-stable"})["spec"]["http"].back() ==
        Json::parse(shared("other", 100, 0)));
}

TEST_CASE("while a Rollout cannot be read, subsets keep the revisions they name", "[shared]") {
  const Json manifest = Json::parse(R"({"kind":"DestinationRule","spec":{"subsets":[{"name":"a"},{"name":"b"}]}})");
  Json live = manifest;
  live["spec"]["subsets"][0]["labels"][std::string(kHashLabel)] = "hashv1";
  CHECK(keeping_traffic(manifest, live, {}) == manifest);
  live["metadata"]["annotations"][std::string(kManagedByAnnotation)] = "till";
  CHECK(keeping_traffic(manifest, live, {})["spec"] == live["spec"]);
}

TEST_CASE("a DestinationRule from Git is filled in with the revisions that the subsets name", "[shared]") {
  Rollout r =
      routed_by(IstioRouting{{{.ns = "shop", .name = "till"}}, IstioDestinationRule{"till", "canary", "stable"}});
  const Json manifest = Json::parse(R"({"apiVersion":"networking.istio.io/v1","kind":"DestinationRule",
    "metadata":{"name":"till","namespace":"shop"},"spec":{"host":"till","subsets":[{"name":"stable"},{"name":"canary"}]}})");
  Observed live;
  Status status{.stable = Revision{"hashv1", "", {}}};
  auto hashes = [&](const Json& rule) {
    return std::pair(text_at(rule["spec"]["subsets"][0], {"labels", kHashLabel}),
                     text_at(rule["spec"]["subsets"][1], {"labels", kHashLabel}));
  };
  CHECK(hashes(filled_in(manifest, r, live, status)) == std::pair<std::string, std::string>("hashv1", "hashv1"));
  live.routes[key_of(manifest)] = filled_in(manifest, r, live, status);
  live.routes[key_of(manifest)]["spec"]["subsets"][1]["labels"][std::string(kHashLabel)] = "hashv2";
  CHECK(hashes(filled_in(manifest, r, live, status)) == std::pair<std::string, std::string>("hashv1", "hashv2"));
}

TEST_CASE("with pingPong each Service gets the revision of its role when it is made anew", "[shared]") {
  Rollout r = rollout("v1");
  r.ping_pong = true;
  const Json pong = {{"kind", "Service"}, {"metadata", {{"name", "till-canary"}, {"namespace", "shop"}}}};
  Status status{.stable = Revision{"hashv1", "", {}}, .canary = Revision{"hashv2", "", {}}, .weight = 20};
  status.pong_is_stable = true;
  CHECK(filled_in(pong, r, {}, status)["spec"]["selector"][std::string(kHashLabel)] == "hashv1");
}
