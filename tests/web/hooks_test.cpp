// Hooks from outside: what forges send, and what everybody else may send.
#include "web/hooks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/digest.h"
#include "daemon/system_clock.h"
#include "http/raw_client.h"
#include "sim/sim_git.h"
#include "web/endpoints.h"
#include "web/hook_request.h"

#include "catch.h"

using namespace reconciler;

namespace {

const std::string kId = "0b7e5f0a1c2d3e4f5a6b7c8d9e0f1a2b";
const std::string kSecret = "correct horse battery";  // with blanks it could not stand in the file
const std::string kFileSecret = "correct-horse-battery";

/// A hooks file that goes away with the test.
class HooksFile {
 public:
  explicit HooksFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() / ("serin-hooks-" + std::to_string(getpid()))) {
    write(text);
  }
  ~HooksFile() { std::filesystem::remove(path_); }
  void write(const std::string& text) const {
    std::ofstream(path_) << text;
    chmod(path_.c_str(), 0600);
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// A clock that the test moves.
struct HandClock : Clock {
  TimePoint now() override { return wall; }
  Duration monotonic() override { return steady; }
  void pass(Duration time) {
    wall += time;
    steady += time;
  }
  TimePoint wall = *parse_time("2026-11-22T10:00:00Z");
  Duration steady = 1h;
};

std::string all_providers() {
  std::string text = "# a comment\n\n";
  for (auto provider : {"github", "gitlab", "gitea", "bitbucket", "generic"})
    text += std::string(provider) + "  " + provider + kId + " " + kFileSecret + "\n";
  return text;
}

/// Hooks that are open, their clock, and how often they woke us.
struct Fixture {
  explicit Fixture(const std::string& text = all_providers()) : file(text) {
    auto opened =
        Hooks::open({.file = file.path(), .refs = {"refs/heads/main", "refs/tags/"}}, clock, [this] { ++woken; });
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened);
    hooks = std::move(*opened);
  }
  HooksFile file;
  HandClock clock;
  std::atomic<int> woken = 0;
  std::unique_ptr<Hooks> hooks;
};

ServerRequest post(const std::string& provider, const std::string& body,
                   const std::map<std::string, std::string>& headers) {
  return {.method = "POST",
          .target = {},
          .path = "/hooks/" + provider + "/" + provider + kId,
          .query = {},
          .headers = headers,
          .body = body,
          .remote = "127.0.0.1"};
}

std::string hmac(const std::string& body, const std::string& secret = kFileSecret) {
  return hmac_sha256_hex(secret, body);
}

const std::string kPush = R"({"ref":"refs/heads/main"})";

/// A good push of each provider; `delivery` tells it from others.
ServerRequest good(const std::string& provider, const std::string& delivery, const std::string& body = kPush,
                   const std::string& secret = kFileSecret) {
  if (provider == "github")
    return post(provider, body,
                {{"x-hub-signature-256", "sha256=" + hmac(body, secret)},
                 {"x-github-delivery", delivery},
                 {"x-github-event", "push"}});
  if (provider == "gitlab")
    return post(provider, body,
                {{"x-gitlab-token", secret}, {"x-gitlab-event-uuid", delivery}, {"x-gitlab-event", "Push Hook"}});
  if (provider == "gitea")
    return post(provider, body,
                {{"x-gitea-signature", hmac(body, secret)}, {"x-gitea-delivery", delivery}, {"x-gitea-event", "push"}});
  if (provider == "bitbucket")
    return post(provider, body,
                {{"x-hub-signature", "sha256=" + hmac(body, secret)},
                 {"x-request-uuid", delivery},
                 {"x-event-key", "repo:push"}});
  std::string seconds = std::to_string(parse_time("2026-11-22T10:00:00Z")->time_since_epoch().count() / 1000);
  return post(provider, delivery,
              {{"x-signature", "sha256=" + hmac(seconds + "." + delivery, secret)}, {"x-timestamp", seconds}});
}

}  // namespace

TEST_CASE("a good hook of each provider asks for a poll, once", "[hooks]") {
  auto provider = GENERATE(as<std::string>(), "github", "gitlab", "gitea", "bitbucket", "generic");
  INFO(provider);
  Fixture fixture;
  CHECK(fixture.hooks->answer(good(provider, "1")).status == 202);
  CHECK(fixture.woken == 1);
  CHECK(fixture.hooks->sequence() == 1);
  CHECK(fixture.hooks->answer(good(provider, "1")).status == 202);  // the same delivery again
  CHECK(fixture.woken == 1);
  CHECK(fixture.hooks->answer(good(provider, "2")).status == 202);
  CHECK(fixture.woken == 2);
  CHECK(fixture.hooks->counts()[{provider, "accepted"}] == 2);
  CHECK(fixture.hooks->counts()[{provider, "duplicate"}] == 1);
}

TEST_CASE("whatever is wrong with a hook's proof, the answer is the same", "[hooks]") {
  auto provider = GENERATE(as<std::string>(), "github", "gitlab", "gitea", "bitbucket", "generic");
  INFO(provider);
  Fixture fixture;
  std::vector<ServerRequest> wrong(4, good(provider, "1"));
  wrong[0].path += "0";  // unknown id
  wrong[1] = good(provider, "1", kPush, "another-secret-of-somebody");
  wrong[2].headers.clear();  // not signed
  wrong[3].path = "/hooks/" + std::string(provider == "github" ? "gitlab" : "github") + "/" + provider + kId;
  for (const auto& request : wrong) {
    auto answer = fixture.hooks->answer(request);
    CHECK(answer.status == 403);
    CHECK(answer.body == "not accepted\n");
  }
  if (provider != "gitlab") {
    auto changed = good(provider, "1");
    changed.body += " ";  // the raw bytes count
    CHECK(fixture.hooks->answer(changed).status == 403);
  }
  CHECK(fixture.woken == 0);
}

TEST_CASE("the weak SHA-1 header of GitHub does not count", "[hooks]") {
  Fixture fixture;
  auto request = good("github", "1");
  request.headers.erase("x-hub-signature-256");
  request.headers["x-hub-signature"] = "sha1=" + std::string(40, 'a');
  CHECK(fixture.hooks->answer(request).status == 403);
}

TEST_CASE("a generic hook is only good for five minutes", "[hooks]") {
  Fixture fixture;
  fixture.clock.pass(-5min);
  CHECK(fixture.hooks->answer(good("generic", "early")).status == 202);
  fixture.clock.pass(10min);
  CHECK(fixture.hooks->answer(good("generic", "late")).status == 202);
  fixture.clock.pass(1s);
  CHECK(fixture.hooks->answer(good("generic", "too late")).status == 403);
  for (auto stamp : {"", "x", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1e9"}) {
    auto request =
        post("generic", "b", {{"x-timestamp", stamp}, {"x-signature", "sha256=" + hmac(std::string(stamp) + ".b")}});
    CHECK(fixture.hooks->answer(request).status == 403);
  }
}

TEST_CASE("two secrets are valid while one is being replaced, and the file is read anew", "[hooks]") {
  Fixture fixture("gitea gitea" + kId + " the-new-secret-of-all the-former-secret-of-all\n");
  CHECK(fixture.hooks->answer(good("gitea", "1", kPush, "the-new-secret-of-all")).status == 202);
  CHECK(fixture.hooks->answer(good("gitea", "2", kPush, "the-former-secret-of-all")).status == 202);
  fixture.file.write("gitea gitea" + kId + " the-new-secret-of-all\n");
  fixture.clock.pass(2s);
  CHECK(fixture.hooks->answer(good("gitea", "3", kPush, "the-former-secret-of-all")).status == 403);
  CHECK(fixture.hooks->answer(good("gitea", "4", kPush, "the-new-secret-of-all")).status == 202);
  fixture.file.write("nonsense\n");  // the hooks stay as they were
  fixture.clock.pass(2s);
  CHECK(fixture.hooks->answer(good("gitea", "5", kPush, "the-new-secret-of-all")).status == 202);
}

TEST_CASE("only pushes to what is watched ask for a poll", "[hooks]") {
  Fixture fixture;
  int number = 0;
  auto wakes = [&](const std::string& provider, const std::string& body) {
    const int before = fixture.woken;
    CHECK(fixture.hooks->answer(good(provider, std::to_string(++number), body)).status == 202);
    return fixture.woken > before;
  };
  CHECK(wakes("github", kPush));
  CHECK(wakes("github", R"({"ref":"refs/tags/v1"})"));
  CHECK_FALSE(wakes("github", R"({"ref":"refs/heads/other"})"));
  CHECK_FALSE(wakes("gitlab", R"({"ref":"refs/heads/main2"})"));
  CHECK(
      wakes("bitbucket",
            R"({"push":{"changes":[{"new":{"type":"branch","name":"x"}},{"new":{"type":"branch","name":"main"}}]}})"));
  CHECK(wakes("bitbucket", R"({"push":{"changes":[{"new":null,"old":{"type":"tag","name":"v1"}}]}})"));
  CHECK(wakes("bitbucket", R"({"changes":[{"refId":"refs/heads/main"}]})"));
  CHECK_FALSE(wakes("bitbucket", R"({"changes":[{"refId":"refs/heads/x"}]})"));
  // What does not say what it is about may be about us.
  for (auto body : {R"({})", R"({"ref":null})", R"({"ref":5})", R"({"ref":["refs/heads/other"]})", R"({"ref":""})"}) {
    INFO(body);
    CHECK(wakes("gitea", body));
    CHECK(wakes("bitbucket", body));
  }
  for (auto body : {R"({"push":5})", R"({"push":{"changes":{}}})", R"({"changes":[1,null,"x",{"refId":{}}]})"})
    CHECK(wakes("bitbucket", body));
  auto issue = good("github", "issue");
  issue.headers["x-github-event"] = "issues";
  CHECK(fixture.hooks->answer(issue).status == 202);
  CHECK(fixture.hooks->counts()[{"github", "ignored"}] == 2);
}

TEST_CASE("GitHub may send a form", "[hooks]") {
  Fixture fixture;
  auto request = good("github", "1", "x=1&payload=%7B%22ref%22%3A%22refs%2Fheads%2Fother%22%7D");
  request.headers["content-type"] = "application/x-www-form-urlencoded";
  CHECK(fixture.hooks->answer(request).status == 202);
  CHECK(fixture.woken == 0);
  auto no_form = good("github", "2");
  no_form.headers["content-type"] = "application/x-www-form-urlencoded";
  CHECK(fixture.hooks->answer(no_form).status == 202);
  CHECK(fixture.woken == 1);
}

TEST_CASE("a payload that cannot be read is a 400, only for who may send one", "[hooks]") {
  for (auto body : {std::string("{"), std::string("[]"), std::string("null"), std::string(""), std::string("\xff"),
                    std::string(200000, '[')}) {
    Fixture fixture;
    CHECK(fixture.hooks->answer(good("github", "1", body)).status == 400);
    CHECK(fixture.hooks->answer(good("github", "2", body, "another-secret-of-somebody")).status == 403);
    CHECK(fixture.hooks->counts()[{"github", "malformed"}] == 1);
  }
}

TEST_CASE("as many deliveries are remembered as are promised, and no more", "[hooks]") {
  Fixture fixture;
  for (int i = 0; i < 1025; ++i) fixture.hooks->answer(good("gitlab", std::to_string(i)));
  CHECK(fixture.woken == 1025);
  fixture.hooks->answer(good("gitlab", "1"));
  CHECK(fixture.woken == 1025);
  fixture.hooks->answer(good("gitlab", "0"));  // forgotten
  CHECK(fixture.woken == 1026);
}

TEST_CASE("what is no hook is not found, and who asks too often must wait", "[hooks]") {
  Fixture fixture;
  auto head = good("github", "1");
  for (auto path : {"/", "/hooks", "/hooks/", "/hooks/github", "/hooks/github/", "/hooks/svn/x", "/hooks/github/a/b"}) {
    auto other = head;
    other.path = path;
    REQUIRE(fixture.hooks->refuse(other));
    CHECK(fixture.hooks->refuse(other)->status == 404);
    CHECK(fixture.hooks->answer(other).status == 404);
  }
  auto get = head;
  get.method = "GET";
  CHECK(fixture.hooks->refuse(get)->status == 404);
  for (int i = 0; i < 20; ++i) CHECK_FALSE(fixture.hooks->refuse(head));
  auto refused = fixture.hooks->refuse(head);
  REQUIRE(refused);
  CHECK(refused->status == 429);
  CHECK(refused->headers.front() == std::pair<std::string, std::string>("Retry-After", "1"));
  auto other = head;
  other.remote = "127.0.0.2";
  CHECK_FALSE(fixture.hooks->refuse(other));
  fixture.clock.pass(100ms);
  CHECK_FALSE(fixture.hooks->refuse(head));
  CHECK(fixture.hooks->refuse(head));
}

TEST_CASE("a hooks file is refused when it could be guessed or misunderstood", "[hooks]") {
  auto error = [](const std::string& text, HooksWithoutSecret without = HooksWithoutSecret::Refused) {
    auto hooks = parse_hooks(text, without);
    if (hooks) return std::string();
    CHECK(hooks.error().message.find("battery") == std::string::npos);
    return hooks.error().message;
  };
  CHECK(error("github " + kId + " " + kFileSecret + "\r\n# end").empty());
  CHECK_THAT(error("\nsvn " + kId + " " + kFileSecret), ContainsSubstring("line 2"));
  CHECK_THAT(error("github short " + kFileSecret), ContainsSubstring("openssl rand -hex 16"));
  CHECK_THAT(error("github " + kId + "/ " + kFileSecret), ContainsSubstring("the id"));
  CHECK_THAT(error("github " + kId + " battery"), ContainsSubstring("16 characters"));
  CHECK_THAT(error("github " + kId), ContainsSubstring("loopback only"));
  CHECK(error("github " + kId, HooksWithoutSecret::Allowed).empty());
  CHECK_THAT(error("github " + kId + " " + kFileSecret + "\ngitea " + kId + " " + kFileSecret),
             ContainsSubstring("twice"));
  CHECK_FALSE(error("github " + kId + " " + kSecret + " " + kSecret).empty());
  CHECK_THAT(error("github"), ContainsSubstring("provider id secret"));
}

TEST_CASE("a bucket per source, and not more sources than the bound", "[hooks]") {
  TokenBuckets buckets({.per_second = 1, .burst = 2, .sources_max = 2});
  CHECK(buckets.take("a", 0ms));
  CHECK(buckets.take("a", 0ms));
  CHECK_FALSE(buckets.take("a", 999ms));
  CHECK(buckets.take("a", 2000ms));
  CHECK(buckets.take("b", 2000ms));
  // c and d share what is left over.
  CHECK(buckets.take("c", 2000ms));
  CHECK(buckets.take("d", 2000ms));
  CHECK_FALSE(buckets.take("c", 2000ms));
  // Whoever has been quiet for long makes room.
  CHECK(buckets.take("e", 60'000ms));
}

TEST_CASE("texts at random neither pass nor break the check of a signature", "[hooks][fuzz]") {
  uint64_t state = 42;
  auto random = [&](uint64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % bound;
  };
  auto text = [&] {
    constexpr std::string_view pieces[] = {"sha256=", "sha1=",    "=", "0",       "ff",
                                           "\xff",    "{",        "}", "\"ref\"", ":",
                                           "null",    "[",        "]", ",",       "\"refs/heads/main\"",
                                           "%7",      "payload=", "&", "-",       "9999999999"};
    std::string out;
    for (uint64_t n = random(8); n > 0; --n) out += pieces[random(std::size(pieces))];
    return out;
  };
  Fixture fixture;
  const char* providers[] = {"github", "gitlab", "gitea", "bitbucket", "generic"};
  for (int i = 0; i < 20'000; ++i) {
    std::string provider = providers[random(5)];
    auto request = good(provider, text(), text());
    if (random(2)) request.headers["content-type"] = "application/x-www-form-urlencoded";
    const bool forged = random(2);
    if (forged)
      for (auto& [name, value] : request.headers) value = text();
    if (forged) request.body = text();
    const int status = fixture.hooks->answer(request).status;
    CHECK((forged ? status == 403 : status == 202 || status == 400));
  }
}

TEST_CASE("a server of hooks survives slow, huge, half-sent and malformed requests by the thousand",
          "[hooks][server]") {
  HooksFile file("github github" + kId + " " + kFileSecret + "\n");
  SystemClock clock;
  std::atomic<int> woken = 0;
  auto hooks = Hooks::open({.file = file.path()}, clock, [&] { ++woken; });
  REQUIRE(hooks);
  auto server = serve_hooks(**hooks, "127.0.0.1", 0);
  REQUIRE(server);
  const uint16_t port = (*server)->port();
  const std::string line = "POST /hooks/github/github" + kId + " HTTP/1.1\r\nHost: a\r\n";
  const std::string requests[] = {
      "\r\n\r\n",
      "NONSENSE " + std::string(100, '\xff') + "\r\n\r\n",
      "GET /hooks/github/x HTTP/1.1\r\nHost: a\r\n\r\n",
      line + "X: " + std::string(40'000, 'a') + "\r\n\r\n",
      line + "Content-Length: 99999999999999\r\n\r\n",
      line + "Content-Length: -1\r\n\r\n",
      line + "Content-Length: 4000000\r\n\r\nabc",
      line + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
      line + "Content-Length: 10\r\n\r\nabc",  // and silence
      line + "Content-Length: 2\r\n\r\n{}",
      "POST /hooks/github/github" + kId,
  };
  std::vector<std::thread> people;
  for (int thread = 0; thread < 4; ++thread)
    people.emplace_back([&, thread] {
      for (int i = 0; i < 500; ++i) {
        RawClient client(port);
        client.send(requests[(i + thread) % std::size(requests)]);
        if (i % 3 == 0) client.read_until("\r\n", 20ms);
      }
    });
  for (auto& person : people) person.join();
  // Then a good one is taken as if nothing had been.
  const std::string signature = hmac(kPush);
  std::string answer;
  for (int tries = 0; tries < 100 && answer.find(" 202 ") == answer.npos; ++tries) {
    RawClient client(port);
    client.send(line + "X-GitHub-Event: push\r\nX-GitHub-Delivery: 1\r\nX-Hub-Signature-256: sha256=" + signature +
                "\r\nContent-Length: " + std::to_string(kPush.size()) + "\r\n\r\n" + kPush);
    answer = client.read_until("\r\n\r\n", 2s);
    if (answer.find(" 202 ") == answer.npos) std::this_thread::sleep_for(100ms);  // our bucket fills again
  }
  CHECK_THAT(answer, ContainsSubstring(" 202 "));
  CHECK(woken == 0);  // no ref is watched
  CHECK((*hooks)->counts()[{"github", "throttled"}] > 0);
}

TEST_CASE("hooks are answered beside the endpoints, and a flood of them is refused before it is read",
          "[hooks][server]") {
  HooksFile file("gitlab gitlab" + kId + " " + kFileSecret + "\n");
  SystemClock clock;
  std::atomic<int> woken = 0;
  auto hooks = Hooks::open({.file = file.path(), .refs = {"refs/heads/main"}}, clock, [&] { ++woken; });
  REQUIRE(hooks);
  Measurements measurements;
  Reachability health;
  SimRemote remote;
  SimClone clone;
  SimGit repository{remote, clone};
  MeasuredGit git{repository, clock, measurements, health, {"https://git.example.com/shop", "main"}};
  auto endpoints = Endpoints::start({.version = "1", .hooks = hooks->get()}, {measurements, health, git}, clock);
  REQUIRE(endpoints);
  auto send = [&](const std::string& bytes) {
    RawClient client((*endpoints)->port());
    client.send(bytes);
    return client.read_until("\r\n\r\n").substr(0, 12);
  };
  const std::string head = "POST /hooks/gitlab/gitlab" + kId +
                           " HTTP/1.1\r\nHost: a\r\nX-Gitlab-Token: " + kFileSecret +
                           "\r\nX-Gitlab-Event: Push Hook\r\n";
  CHECK(send(head + "Content-Length: 2\r\n\r\n{}") == "HTTP/1.1 202");
  CHECK(woken == 1);
  CHECK(send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n") == "HTTP/1.1 200");
  CHECK(send("POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") == "HTTP/1.1 405");
  CHECK(send("GET /hooks/gitlab/x HTTP/1.1\r\nHost: a\r\n\r\n") == "HTTP/1.1 404");
  CHECK(send(head + "Content-Length: 4000000\r\n\r\n") == "HTTP/1.1 413");
  std::string last;
  for (int i = 0; i < 200 && last != "HTTP/1.1 429"; ++i)
    last = send(head + "Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n");
  CHECK(last == "HTTP/1.1 429");
}
