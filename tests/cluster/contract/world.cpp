#include "cluster/contract/world.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "cluster/kubeconfig.h"
#include "rollout/action.h"

#include "catch.h"

namespace reconciler {

namespace {

ClusterAccess access() {
  const char* file = std::getenv("SERIN_TEST_KUBECONFIG");
  REQUIRE(file != nullptr);
  auto found = find_cluster({.kubeconfig = file, .context = ""});
  INFO((found ? "" : found.error().message));
  REQUIRE(found);
  return *found;
}

Json answer_of(const Result<HttpResponse>& response) {
  INFO((response ? response->body : response.error().message));
  REQUIRE(response);
  if (response->status == 404) return Json();
  REQUIRE(response->status < 300);
  return json(response->body);
}

std::unique_ptr<KubernetesCluster> opened(const KubernetesClusterSettings& settings) {
  auto cluster = KubernetesCluster::open(settings);
  REQUIRE(cluster);
  REQUIRE(eventually([&] { return bool((*cluster)->ready()); }));
  return *std::move(cluster);
}

}  // namespace

KubernetesClusterSettings test_settings() {
  KubernetesClusterSettings settings;
  settings.http = access().http;
  return settings;
}

std::string base_url_at(int port) {
  std::string url = access().http.base_url;
  return url.substr(0, url.rfind(':') + 1) + std::to_string(port);
}

int server_port() {
  std::string url = access().http.base_url;
  return std::atoi(url.c_str() + url.rfind(':') + 1);
}

std::unique_ptr<KubernetesCluster> open_cluster_at(int port, Duration stream_idle) {
  KubernetesClusterSettings settings = test_settings();
  settings.http.base_url = base_url_at(port);
  settings.http.stream_idle = stream_idle;
  return opened(settings);
}

std::unique_ptr<KubernetesCluster> open_cluster() { return opened(test_settings()); }

Backdoor::Backdoor() {
  auto http = HttpClient::open(access().http);
  REQUIRE(http);
  http_ = *std::move(http);
}

Json Backdoor::get(const std::string& path) {
  HttpRequest request;
  request.path = path;
  return answer_of(http_->request(request));
}

Json Backdoor::post(const std::string& path, const Json& object) {
  HttpRequest request;
  request.method = "POST";
  request.path = path;
  request.body = dump(object);
  return answer_of(http_->request(request));
}

Json Backdoor::merge(const std::string& path, const Json& patch) {
  HttpRequest request;
  request.method = "PATCH";
  request.headers["Content-Type"] = "application/merge-patch+json";
  request.path = path;
  request.body = dump(patch);
  return answer_of(http_->request(request));
}

void Backdoor::remove(const std::string& path) {
  HttpRequest request;
  request.method = "DELETE";
  request.path = path;
  answer_of(http_->request(request));
}

std::string new_namespace(Cluster& cluster) {
  static std::atomic<int> made = 0;
  std::string name = "contract-" + std::to_string(getpid()) + "-" + std::to_string(made++);
  auto ensured = cluster.ensure_namespace(name);
  INFO((ensured ? "" : ensured.error().message));
  REQUIRE(ensured);
  return name;
}

bool eventually(const std::function<bool()>& condition) {
  for (auto end = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < end;) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return condition();
}

Json json(std::string_view text) {
  auto parsed = parse_json(text);
  REQUIRE(parsed);
  return *parsed;
}

Rollout checkout(const std::string& ns) {
  Rollout rollout;
  rollout.key = {.ns = ns, .name = "checkout"};
  rollout.selector = R"({"matchLabels":{"app":"checkout"}})";
  rollout.stable_service = "checkout";
  rollout.canary_service = "checkout-canary";
  rollout.routing.routers = {IstioRouting{{{.ns = ns, .name = "checkout"}}, std::nullopt}};
  return rollout;
}

Json replica_set(const std::string& ns, const std::string& hash, const std::string& image, int replicas) {
  Json labels{{"app", "checkout"}, {std::string(kHashLabel), hash}};
  Json pod{{"metadata", {{"labels", labels}}},
           {"spec", {{"containers", Json::array({{{"name", "app"}, {"image", image}}})}}}};
  return {{"apiVersion", "apps/v1"},
          {"kind", "ReplicaSet"},
          {"metadata", {{"name", "checkout-" + hash}, {"namespace", ns}, {"labels", labels}}},
          {"spec", {{"replicas", replicas}, {"selector", {{"matchLabels", labels}}}, {"template", pod}}}};
}

Json service(const std::string& ns, const std::string& name) {
  Json object = json(R"({"apiVersion": "v1", "kind": "Service", "metadata": {},
    "spec": {"selector": {"app": "checkout"}, "ports": [{"port": 80, "protocol": "TCP"}]}})");
  object["metadata"] = {{"name", name}, {"namespace", ns}};
  return object;
}

Json virtual_service(const std::string& ns, int stable, int canary) {
  Json object = json(R"({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {},
    "spec": {"hosts": ["checkout"], "http": [{"name": "primary", "timeout": "3s", "route": [
      {"destination": {"host": "checkout"}}, {"destination": {"host": "checkout-canary"}}]}]}})");
  object["metadata"] = {{"name", "checkout"}, {"namespace", ns}};
  object["spec"]["http"][0]["route"][0]["weight"] = stable;
  object["spec"]["http"][0]["route"][1]["weight"] = canary;
  return object;
}

Json config_map(const std::string& ns, const std::string& name, const std::string& value) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"namespace", ns}}},
          {"data", {{"key", value}}}};
}

Json virtual_service_definition() {
  Json object = json(R"({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "virtualservices.networking.istio.io"},
    "spec": {"group": "networking.istio.io", "scope": "Namespaced",
      "names": {"kind": "VirtualService", "listKind": "VirtualServiceList", "plural": "virtualservices",
                "singular": "virtualservice", "shortNames": ["vs"]},
      "versions": []}})");
  for (const char* version : {"v1", "v1beta1", "v1alpha3"})
    object["spec"]["versions"].push_back(
        {{"name", version},
         {"served", true},
         {"storage", std::string(version) == "v1"},
         {"schema", {{"openAPIV3Schema", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}}}});
  return object;
}

Json definition(const std::string& group, const std::string& kind) {
  std::string singular = kind;
  for (char& c : singular) c = char(std::tolower(c));
  Json object = json(R"({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {},
    "spec": {"scope": "Namespaced", "versions": [{"name": "v1", "served": true, "storage": true, "schema":
      {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}})");
  object["metadata"]["name"] = singular + "s." + group;
  object["spec"]["group"] = group;
  object["spec"]["names"] = {
      {"kind", kind}, {"listKind", kind + "List"}, {"plural", singular + "s"}, {"singular", singular}};
  return object;
}

void need_virtual_services(Cluster& cluster) {
  Json probe = virtual_service("default", 100, 0);
  if (cluster.apply(probe, ApplyMode::DryRun)) return;
  auto defined = cluster.apply(virtual_service_definition(), ApplyMode::Write);
  INFO((defined ? "" : defined.error().message));
  REQUIRE(defined);
  REQUIRE(eventually([&] { return bool(cluster.apply(probe, ApplyMode::DryRun)); }));
}

Workload workload(Cluster& cluster, const Rollout& rollout, const std::string& hash) {
  auto observed = cluster.observe(rollout, TimePoint{});
  REQUIRE(observed);
  const Workload* found = observed->workload(hash);
  return found == nullptr ? Workload{} : *found;
}

std::string path(const std::string& ns, const std::string& plural, const std::string& name) {
  std::string group = plural == "replicasets"       ? "/apis/apps/v1"
                      : plural == "virtualservices" ? "/apis/networking.istio.io/v1"
                                                    : "/api/v1";
  return group + "/namespaces/" + ns + "/" + plural + (name.empty() ? "" : "/" + name);
}

}  // namespace reconciler
