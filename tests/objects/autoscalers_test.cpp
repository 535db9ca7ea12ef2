#include "objects/autoscalers.h"

#include "catch.h"

using namespace reconciler;

namespace {

const ObjectKey kWeb{"apps", "Deployment", "shop", "web"};

Json autoscaler(std::string_view api_version, std::string_view kind, Json target) {
  return {{"apiVersion", api_version},
          {"kind", kind},
          {"metadata", {{"name", "web"}, {"namespace", "shop"}}},
          {"spec", {{"scaleTargetRef", std::move(target)}}}};
}

}  // namespace

TEST_CASE("an autoscaler names the workload it scales", "[autoscalers]") {
  CHECK(scale_target(autoscaler("autoscaling/v2", "HorizontalPodAutoscaler",
                                {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", "web"}})) == kWeb);
  CHECK(scale_target(autoscaler("keda.sh/v1alpha1", "ScaledObject", {{"name", "web"}})) == kWeb);
  CHECK_FALSE(scale_target(autoscaler("example.com/v1", "Scaler", {{"name", "web"}})));
  CHECK_FALSE(scale_target(autoscaler("autoscaling/v2", "HorizontalPodAutoscaler", Json::object())));
}

TEST_CASE("a workload is scaled while anybody says so", "[autoscalers]") {
  Autoscalers autoscalers;
  const ObjectKey hpa{"autoscaling", "HorizontalPodAutoscaler", "shop", "web"};
  CHECK(autoscalers.set(Autoscalers::Source::Git, hpa, kWeb) == std::set{kWeb});
  CHECK(autoscalers.set(Autoscalers::Source::Git, hpa, kWeb).empty());
  CHECK(autoscalers.set(Autoscalers::Source::Cluster, hpa, kWeb).empty());
  CHECK(autoscalers.set(Autoscalers::Source::Git, hpa, std::nullopt).empty());
  CHECK(autoscalers.scales(kWeb));
  ObjectKey api = kWeb;
  api.name = "api";
  CHECK(autoscalers.set(Autoscalers::Source::Cluster, hpa, api) == std::set{kWeb, api});
  CHECK_FALSE(autoscalers.scales(kWeb));
  CHECK(autoscalers.set(Autoscalers::Source::Cluster, hpa, std::nullopt) == std::set{api});
}
