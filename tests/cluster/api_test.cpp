#include "cluster/api.h"

#include <atomic>
#include <mutex>

#include "cluster/reflector.h"
#include "http/raw_server.h"

#include "catch.h"

using namespace reconciler;

namespace {

constexpr auto kApply = "application/apply-patch+yaml";
constexpr auto kJsonPatch = "application/json-patch+json";
constexpr auto kMergePatch = "application/merge-patch+json";

ApiCall patch(const std::string& content_type) {
  ApiCall call;
  call.method = "PATCH";
  call.content_type = content_type;
  call.about = "apply ConfigMap shop/settings";
  return call;
}

ErrorKind kind(int status, const ApiCall& call, const std::string& body = "{}") {
  return error_of({.status = status, .headers = {}, .body = body}, call).kind;
}

KubernetesApi api_of(const RawServer& server) {
  HttpClientSettings settings;
  settings.base_url = server.url();
  auto client = HttpClient::open(settings);
  REQUIRE(client);
  return KubernetesApi(*std::move(client));
}

bool starts_with_request(const std::string& request, const std::string& path) {
  return request.starts_with("GET " + path);
}

/// An API server with one ReplicaSet, whose watch says at once that it is too old to go on.
struct Expiring {
  std::atomic<int> lists = 0;
  RawServer server{[this](RawConnection& connection) {
    for (std::string request; !(request = connection.read_request()).empty();) connection.send(answer(request));
  }};

  std::string answer(const std::string& request) {
    if (starts_with_request(request, "/apis/apps/v1 "))
      return http_answer(200, R"({"resources": [{"name": "replicasets", "kind": "ReplicaSet", "namespaced": true}]})");
    if (request.find("watch=1") != request.npos)
      return http_answer(200, R"({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}})"
                              "\n");
    int list = ++lists;
    return http_answer(200, R"({"metadata": {"resourceVersion": ")" + std::to_string(list * 10) +
                                R"("}, "items": [{"metadata": {"namespace": "shop", "name": "list-)" +
                                std::to_string(list) + R"(", "uid": "u)" + std::to_string(list) +
                                R"(", "resourceVersion": "5", "labels": {"rollouts-pod-template-hash": "h)" +
                                std::to_string(list) + R"(", "serin.dev/rollout": "checkout",
                                "serin.dev/owner": "serin"}}}]})");
  }
};

}  // namespace

TEST_CASE("a refusal says what to do about it", "[api]") {
  CHECK(kind(409, patch(kMergePatch)) == ErrorKind::Conflict);
  CHECK(kind(404, patch(kMergePatch)) == ErrorKind::Conflict);
  CHECK(kind(404, patch(kApply)) == ErrorKind::Transient);
  CHECK(kind(400, patch(kApply)) == ErrorKind::Invalid);
  CHECK(kind(403, patch(kApply)) == ErrorKind::Invalid);
  CHECK(kind(401, patch(kApply)) == ErrorKind::Transient);
  CHECK(kind(413, patch(kApply)) == ErrorKind::Invalid);
  for (int status : {429, 500, 502, 503, 504}) CHECK(kind(status, patch(kApply)) == ErrorKind::Transient);
}

TEST_CASE("a namespace that is going away is waited for", "[api]") {
  CHECK(kind(403, patch(kApply), R"({"details": {"causes": [{"reason": "NamespaceTerminating"}]}})") ==
        ErrorKind::Transient);
}

TEST_CASE("a failed test of a JSON patch is a conflict, a refused object is not", "[api]") {
  const std::string refused = R"({"reason": "Invalid", "details": {"causes": [{"reason": "FieldValueInvalid"}]}})";
  CHECK(kind(422, patch(kJsonPatch), R"({"reason": "Invalid"})") == ErrorKind::Conflict);
  CHECK(kind(422, patch(kJsonPatch), refused) == ErrorKind::Invalid);
  CHECK(kind(422, patch(kMergePatch), R"({"reason": "Invalid"})") == ErrorKind::Invalid);
}

TEST_CASE("a field that the schema does not have is refused for good, although it is a 500", "[api]") {
  CHECK(kind(500, patch(kApply),
             R"({"message": "failed to create typed patch object: .spec.x: field not declared in schema"})") ==
        ErrorKind::Invalid);
}

TEST_CASE("the server's words are one line, and those about a Secret are kept back", "[api]") {
  HttpResponse answer{
      .status = 422, .headers = {}, .body = R"({"reason": "Invalid", "message": "bad\nvalue hunter2"})"};
  ApiCall call = patch(kApply);
  CHECK(error_of(answer, call).message == "apply ConfigMap shop/settings: bad value hunter2");
  call.secret = true;
  CHECK(error_of(answer, call).message == "apply ConfigMap shop/settings: Invalid");
  answer.body = std::string(100'000, 'x');
  CHECK(error_of(answer, patch(kApply)).message.size() < 1000);
}

TEST_CASE("paths are those of the Kubernetes API", "[api]") {
  Resource pods{.api_version = "v1", .plural = "pods", .namespaced = true};
  Resource roles{.api_version = "rbac.authorization.k8s.io/v1", .plural = "clusterroles", .namespaced = false};
  CHECK(path_of(pods, "", "") == "/api/v1/pods");
  CHECK(path_of(pods, "shop", "") == "/api/v1/namespaces/shop/pods");
  CHECK(path_of(pods, "shop", "a") == "/api/v1/namespaces/shop/pods/a");
  CHECK(path_of(roles, "", "system:node") == "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode");
}

TEST_CASE("a throttled call is tried again after the time the server asks for", "[api]") {
  std::atomic<int> asked = 0;
  RawServer server([&](RawConnection& connection) {
    while (!connection.read_request().empty())
      connection.send(++asked < 3 ? http_answer(429, "{}", "Retry-After: 0\r\n") : http_answer(200, R"({"a": 1})"));
  });
  KubernetesApi api = api_of(server);
  auto answer = api.call({.path = "/", .about = "read"});
  REQUIRE(answer);
  CHECK(asked == 3);
}

TEST_CASE("a call is not throttled for ever", "[api]") {
  std::atomic<int> asked = 0;
  RawServer server([&](RawConnection& connection) {
    while (!connection.read_request().empty()) {
      ++asked;
      connection.send(http_answer(429, "{}", "Retry-After: 0\r\n"));
    }
  });
  KubernetesApi api = api_of(server);
  auto answer = api.call({.path = "/", .about = "read"});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::Transient);
  CHECK(asked == 4);
}

TEST_CASE("discovery is asked once for a kind that is there, each time for one that is not", "[api]") {
  std::atomic<int> asked = 0;
  RawServer server([&](RawConnection& connection) {
    while (!connection.read_request().empty()) {
      ++asked;
      connection.send(http_answer(200, R"({"resources": [
        {"name": "pods", "kind": "Pod", "namespaced": true}, {"name": "pods/log", "kind": "Pod"},
        {"name": "nodes", "kind": "Node", "namespaced": false}]})"));
    }
  });
  KubernetesApi api = api_of(server);
  auto pods = api.discover("v1", "Pod");
  REQUIRE(pods);
  CHECK(*pods == Resource{.api_version = "v1", .plural = "pods", .namespaced = true});
  CHECK_FALSE((*api.discover("v1", "Node"))->namespaced);
  CHECK(asked == 1);
  CHECK_FALSE(*api.discover("v1", "Unheard"));
  CHECK_FALSE(*api.discover("v1", "Unheard"));
  CHECK(asked == 3);
}

TEST_CASE("a watch that is too old is replaced by a new list", "[api]") {
  Expiring expiring;
  KubernetesApi api = api_of(expiring.server);
  ClusterCache cache("serin");
  Reflector reflector(api, cache, "serin", {.kind = kReplicaSets, .version = "v1", .selection = Selection::All});
  Rollout rollout;
  rollout.key = {.ns = "shop", .name = "checkout"};
  for (auto end = std::chrono::steady_clock::now() + 10s; expiring.lists < 3 && std::chrono::steady_clock::now() < end;)
    std::this_thread::sleep_for(5ms);
  Observed observed = cache.observe(rollout, TimePoint{});
  REQUIRE(observed.workloads.size() == 1);  // what the earlier lists held is gone
  CHECK(observed.workloads[0].name != "list-1");
}

TEST_CASE("a rate limit lets a burst through and then keeps its pace", "[api]") {
  Pace pace(100ms, 3);
  CHECK(pace.reserve(10s) == 0s);
  CHECK(pace.reserve(10s) == 0s);
  CHECK(pace.reserve(10s) == 0s);
  CHECK(pace.reserve(10s) == 100ms);
  CHECK(pace.reserve(10s) == 200ms);
  // Whoever waited that long has its place; the next one comes after it.
  CHECK(pace.reserve(10s + 200ms) == 100ms);
  CHECK(pace.reserve(20s) == 0s);
  Pace none(0ns, 1);
  for (int i = 0; i < 100; ++i) CHECK(none.reserve(1s) == 0s);
}
