#include "sim/api_server.h"

#include <sstream>

#include "http/server_request.h"
#include "objects.h"

#include "catch.h"

using namespace reconciler;

namespace {

const TimePoint kStart = *parse_time("2026-11-20T09:00:00Z");

struct SetClock : Clock {
  TimePoint time = kStart;
  TimePoint now() override { return time; }
  Duration monotonic() override { return time - kStart; }
};

struct Api {
  SetClock clock;
  World world{{.ready_after = 1s, .now = kStart}};
  ApiServer api{world, clock};

  ServerAnswer answer(const std::string& method, const std::string& target, const std::string& body = "",
                      std::map<std::string, std::string> headers = {}) {
    ServerRequest request{.method = method, .target = target, .headers = std::move(headers), .body = body};
    split_target(request);
    return api.answer(request);
  }

  ServerResponse call(const std::string& method, const std::string& target, const Json& body = nullptr,
                      std::map<std::string, std::string> headers = {}) {
    if (!headers.contains("content-type")) headers["content-type"] = "application/json";
    return std::get<ServerResponse>(answer(method, target, body.is_null() ? "" : dump(body), headers));
  }
};

Json body_of(const ServerResponse& response) { return Json::parse(response.body); }

/// A stream that keeps what it is told.
struct Lines : ServerStream {
  std::string text;
  bool finished = false;
  bool write(std::string_view bytes) override {
    text += bytes;
    return !finished;
  }
  void finish() override { finished = true; }
  bool is_closed() const override { return finished; }

  std::vector<Json> events() const {
    std::vector<Json> all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) all.push_back(Json::parse(line));
    return all;
  }
  std::string kinds() const {
    std::string list;
    for (const Json& event : events()) list += text_at(event, {"type"}) + " ";
    return list;
  }
};

std::shared_ptr<Lines> watch(Api& api, const std::string& target) {
  auto lines = std::make_shared<Lines>();
  std::get<StreamedResponse>(api.answer("GET", target)).opened(lines);
  return lines;
}

const std::string kMaps = "/api/v1/namespaces/default/configmaps";

}  // namespace

TEST_CASE("discovery names groups, resources and short names", "[api]") {
  Api api;
  CHECK(body_of(api.call("GET", "/api"))["versions"] == Json{"v1"});
  std::string groups = api.call("GET", "/apis").body;
  for (auto group : {"apps/v1", "networking.istio.io/v1alpha3", "coordination.k8s.io/v1", "apiextensions.k8s.io/v1"})
    CHECK_THAT(groups, ContainsSubstring(group));
  Json istio = body_of(api.call("GET", "/apis/networking.istio.io/v1beta1"));
  CHECK(istio["resources"][0]["shortNames"] == Json{"vs"});
  CHECK(api.call("GET", "/openapi/v2").status == 404);
  CHECK_THAT(api.call("GET", "/openapi/v3/apis/apps/v1").body, ContainsSubstring("fieldValidation"));
  CHECK(api.call("GET", "/apis/none.example.com").status == 404);
  CHECK(body_of(api.call("GET", "/nonsense"))["reason"] == "NotFound");
}

TEST_CASE("an object goes through its life by paths", "[api]") {
  Api api;
  auto created = api.call("POST", kMaps, config_map("a", {{"k", "v"}}));
  CHECK(created.status == 201);
  CHECK(api.call("POST", kMaps, config_map("a", {})).status == 409);
  CHECK(body_of(api.call("GET", kMaps + "/a"))["data"]["k"] == "v");
  Json object = body_of(created);
  object["data"]["k"] = "w";
  CHECK(api.call("PUT", kMaps + "/a", object).status == 200);
  CHECK(api.call("PUT", kMaps + "/a", object).status == 409);
  auto patched =
      api.call("PATCH", kMaps + "/a", {{"data", {{"k", "x"}}}}, {{"content-type", "application/merge-patch+json"}});
  CHECK(body_of(patched)["data"]["k"] == "x");
  auto removed = api.call("DELETE", kMaps + "/a");
  CHECK(body_of(removed)["status"] == "Success");
  auto gone = api.call("GET", kMaps + "/a");
  CHECK(gone.status == 404);
  CHECK(body_of(gone)["message"] == "configmaps \"a\" not found");
}

TEST_CASE("bodies of other types are refused", "[api]") {
  Api api;
  auto protobuf = api.call("POST", kMaps, "x", {{"content-type", "application/vnd.kubernetes.protobuf"}});
  CHECK(protobuf.status == 415);
  CHECK(api.call("PATCH", kMaps + "/a", Json::object(), {{"content-type", "application/json"}}).status == 415);
  CHECK(std::get<ServerResponse>(api.answer("POST", kMaps, "{", {{"content-type", "application/json"}})).status == 400);
  CHECK(api.call("POST", kMaps + "/a/b/c", Json::object()).status == 404);
}

TEST_CASE("applying takes YAML and wants a field manager", "[api]") {
  Api api;
  std::string yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n";
  std::map<std::string, std::string> headers{{"content-type", "application/apply-patch+yaml"}};
  auto refused = std::get<ServerResponse>(api.answer("PATCH", kMaps + "/a", yaml, headers));
  CHECK(refused.status == 422);
  auto created = std::get<ServerResponse>(api.answer("PATCH", kMaps + "/a?fieldManager=me", yaml, headers));
  CHECK(created.status == 201);
  CHECK(body_of(created)["metadata"]["managedFields"][0]["manager"] == "me");
}

TEST_CASE("lists are selected and paged", "[api]") {
  Api api;
  for (int i = 0; i < 5; ++i) {
    Json object = config_map("m" + std::to_string(i), {});
    object["metadata"]["labels"]["odd"] = i % 2 ? "yes" : "no";
    REQUIRE(api.call("POST", kMaps, object).status == 201);
  }
  auto count = [&](const std::string& query) { return body_of(api.call("GET", kMaps + query))["items"].size(); };
  CHECK(count("") == 5);
  CHECK(count("?labelSelector=odd%3Dyes") == 2);
  CHECK(count("?labelSelector=odd+in+(no,yes)") == 5);
  CHECK(count("?labelSelector=odd!%3Dyes") == 3);
  CHECK(count("?labelSelector=!odd") == 0);
  CHECK(count("?fieldSelector=metadata.name%3Dm3") == 1);
  CHECK(api.call("GET", kMaps + "?labelSelector=a+b+c").status == 400);

  std::vector<std::string> names;
  std::string next;
  do {
    Json page = body_of(api.call("GET", kMaps + "?limit=2&continue=" + next));
    for (const Json& item : page["items"]) names.push_back(text_at(item, {"metadata", "name"}));
    next = text_at(page, {"metadata", "continue"});
    CHECK(page["items"].size() <= 2);
  } while (!next.empty());
  CHECK(names == std::vector<std::string>{"m0", "m1", "m2", "m3", "m4"});
}

TEST_CASE("a kind is shown in the version asked for", "[api]") {
  Api api;
  Json route = virtual_service("web", "a", "b", 0);
  route["apiVersion"] = "networking.istio.io/v1alpha3";
  std::string old = "/apis/networking.istio.io/v1alpha3/namespaces/default/virtualservices";
  CHECK(body_of(api.call("POST", old, route))["apiVersion"] == "networking.istio.io/v1alpha3");
  Json list = body_of(api.call("GET", "/apis/networking.istio.io/v1beta1/virtualservices"));
  CHECK(list["items"][0]["apiVersion"] == "networking.istio.io/v1beta1");
  CHECK(api.call("POST", "/apis/networking.istio.io/v1/namespaces/default/virtualservices", route).status == 400);
}

TEST_CASE("a watch tells what changed after its version", "[api]") {
  Api api;
  REQUIRE(api.call("POST", kMaps, config_map("a", {})).status == 201);
  std::string version = text_at(body_of(api.call("GET", kMaps)), {"metadata", "resourceVersion"});
  auto lines = watch(api, kMaps + "?watch=true&resourceVersion=" + version);
  CHECK(lines->kinds() == "");
  api.call("POST", kMaps, config_map("b", {}));
  api.call("PATCH", kMaps + "/a", {{"data", {{"k", "x"}}}}, {{"content-type", "application/merge-patch+json"}});
  api.call("DELETE", kMaps + "/b");
  api.call("POST", "/api/v1/namespaces/kube-system/configmaps", config_map("c", {}));
  CHECK(lines->kinds() == "ADDED MODIFIED DELETED ");
  auto replay = watch(api, kMaps + "?watch=true&resourceVersion=" + version);
  CHECK(replay->text == lines->text);
  CHECK(watch(api, kMaps + "?watch=1")->kinds() == "ADDED ");
}

TEST_CASE("an object that leaves a watch's selector is deleted for it", "[api]") {
  Api api;
  auto lines = watch(api, kMaps + "?watch=true&labelSelector=app%3Dweb");
  Json object = config_map("a", {});
  object["metadata"]["labels"] = {{"app", "web"}};
  api.call("POST", kMaps, object);
  api.call("PATCH", kMaps + "/a", {{"metadata", {{"labels", {{"app", "other"}}}}}},
           {{"content-type", "application/merge-patch+json"}});
  CHECK(lines->kinds() == "ADDED DELETED ");
}

TEST_CASE("a watch from forgotten history ends with 410", "[api]") {
  Api api;
  api.api.with_world([](World& world) { world.compact(); });
  auto lines = watch(api, kMaps + "?watch=true&resourceVersion=1");
  REQUIRE(lines->events().size() == 1);
  CHECK(lines->events()[0]["type"] == "ERROR");
  CHECK(lines->events()[0]["object"]["code"] == 410);
  CHECK(lines->finished);
}

TEST_CASE("watches get bookmarks and end in time", "[api]") {
  Api api;
  auto lines = watch(api, kMaps + "?watch=true&allowWatchBookmarks=true&timeoutSeconds=120");
  api.clock.time += 61s;
  api.api.tick();
  CHECK(lines->kinds() == "BOOKMARK ");
  CHECK_FALSE(lines->finished);
  api.clock.time += 60s;
  api.api.tick();
  CHECK(lines->finished);
  auto initial = watch(api, "/api/v1/namespaces?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
  CHECK(initial->kinds() == "ADDED ADDED ADDED ADDED BOOKMARK ");
}

TEST_CASE("time passes for the controllers between requests", "[api]") {
  Api api;
  std::string sets = "/apis/apps/v1/namespaces/default/replicasets";
  REQUIRE(api.call("POST", sets, replica_set("web", 2, {{"app", "web"}}, "web:v1")).status == 201);
  CHECK(api.api.tick() <= 1s);
  api.clock.time += 1s;
  CHECK(body_of(api.call("GET", sets + "/web"))["status"]["readyReplicas"] == 2);
  auto scaled = api.call("PATCH", sets + "/web/scale", {{"spec", {{"replicas", 3}}}},
                         {{"content-type", "application/merge-patch+json"}});
  CHECK(body_of(scaled)["kind"] == "Scale");
  CHECK(body_of(api.call("GET", sets + "/web"))["status"]["replicas"] == 3);
}

TEST_CASE("rows are what kubectl prints", "[api]") {
  Api api;
  api.call("POST", "/apis/apps/v1/namespaces/default/deployments", deployment("web", 2, "web:v1"));
  api.clock.time += 65s;
  std::map<std::string, std::string> table{{"accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}};
  Json rows = body_of(api.call("GET", "/apis/apps/v1/deployments", nullptr, table));
  CHECK(rows["kind"] == "Table");
  CHECK(rows["rows"][0]["cells"][0] == "web");
  CHECK(rows["rows"][0]["cells"][1] == "2/2");
  CHECK(rows["rows"][0]["cells"][4] == "65s");
  CHECK(rows["rows"][0]["object"]["kind"] == "PartialObjectMetadata");
}
