#include "manifest/status_file.h"

#include <random>

#include "manifest/canonical_status.h"
#include "manifest/scalar.h"

#include "catch.h"

using namespace reconciler;

namespace {

const RolloutKey kCheckout{"shop", "checkout"};
const std::string kPath = "status/default/shop/checkout.yaml";

TimePoint at(std::string_view text) { return parse_time(text).value(); }

Status example() {
  Status status;
  status.phase = Phase::Paused;
  status.commit = "3f1c0d5a";
  status.stable = {"5d8f7c9b4", "registry.example.com/checkout:v1", at("2026-11-20T09:14:03Z")};
  status.canary = {"6d4c9f7b8d", "registry.example.com/checkout:v2", at("2026-11-22T10:00:02Z")};
  status.step = {1, 8, at("2026-11-22T10:00:20Z"), "79c9b9f6bf"};
  status.weight = 20;
  status.previous = {{"84c5bd6d7b", "registry.example.com/checkout:v1.8", at("2026-11-02T08:40:00Z")}};
  status.rejected = {
      {"7c5d8b9f6", "registry.example.com/checkout:v1.9", at("2026-11-19T16:02:11Z"), "success rate 81% < 95%", true}};
  return status;
}

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  int below(int limit) { return int(engine_() % unsigned(limit)); }
  bool maybe() { return below(2) == 0; }
  TimePoint time() { return TimePoint(std::chrono::seconds(below(2'000'000'000))); }
  std::string hash() {
    std::string out;
    for (int i = 0; i < 6 + below(5); ++i) out += "456789bcdf"[below(10)];
    return out;
  }
  std::string text() {
    static const char* const kPieces[] = {"a",
                                          "B",
                                          "1",
                                          ":",
                                          ": ",
                                          " ",
                                          "#",
                                          " #",
                                          "\n",
                                          "\t",
                                          "\"",
                                          "'",
                                          "\\",
                                          "{",
                                          "}",
                                          "[",
                                          "]",
                                          ",",
                                          "&",
                                          "*",
                                          "!",
                                          "|",
                                          ">",
                                          "%",
                                          "@",
                                          "`",
                                          "-",
                                          "?",
                                          "~",
                                          "\r",
                                          "y",
                                          "no",
                                          "on",
                                          "null",
                                          ".",
                                          "0x1F",
                                          "\x01",
                                          "\x7F",
                                          "\xC2\x85",
                                          "\xE2\x80\xA8",
                                          "\xC3\xA9",
                                          "\xF0\x9F\x9A\x80",
                                          "\xEF\xBB\xBF",
                                          "1e3",
                                          "2026-11-20",
                                          "=",
                                          "<<",
                                          "---",
                                          "...",
                                          "\xC2\xA0"};
    std::string out;
    for (int i = below(8); i >= 0; --i) out += kPieces[below(int(std::size(kPieces)))];
    return out;
  }
  Revision revision() { return {hash(), maybe() ? text() : "", time()}; }

 private:
  std::mt19937 engine_;
};

Status random_status(unsigned seed) {
  Random random(seed);
  Status status;
  status.phase = std::array{Phase::Healthy, Phase::Progressing, Phase::Paused, Phase::Degraded}[random.below(4)];
  if (random.maybe()) status.commit = random.text();
  if (random.maybe()) status.stable = random.revision();
  if (random.maybe()) status.canary = random.revision();
  if (random.maybe()) status.step = {random.below(5), 5 + random.below(5), random.time(), random.hash()};
  if (random.maybe()) status.whole = 1 + random.below(2000);
  status.weight = random.below(status.whole + 1);
  for (int i = random.below(4); i > 0; --i) status.previous.push_back(random.revision());
  for (int i = random.below(4); i > 0; --i)
    status.rejected.push_back({random.hash(), random.text(), random.time(), random.text(), random.maybe()});
  if (random.maybe()) status.collisions = random.below(10);
  if (random.maybe())
    status.decision = {Verb::PromoteFull, random.hash(), random.maybe() ? std::optional(random.below(9)) : std::nullopt,
                       random.text(),     random.text(), random.time(),
                       random.text()};
  if (random.maybe()) status.refused = random.text();
  if (random.maybe()) status.ignored = Ignored{random.hash(), Verb::Abort, random.text(), random.text()};
  if (random.maybe())
    status.trailers = DeployTrailers{random.maybe(), random.maybe() ? std::optional(random.below(101)) : std::nullopt,
                                     random.text(), random.text()};
  if (random.maybe()) status.experiment = random.time();
  if (random.maybe()) status.run = ExperimentRun{random.hash(), random.time(), random.text(), random.maybe()};
  if (random.maybe()) status.preview = Preview{random.time(), random.maybe()};
  if (random.maybe()) status.returning = random.text();
  return status;
}

}  // namespace

TEST_CASE("a status is written as the design shows it", "[status]") {
  CHECK(write_status(kCheckout, example()) ==
        R"(apiVersion: serin.dev/v1alpha1
kind: RolloutStatus
metadata: {name: checkout, namespace: shop}
status:
  phase: Paused
  commit: 3f1c0d5a
  stable: {revision: 5d8f7c9b4, image: registry.example.com/checkout:v1, since: 2026-11-20T09:14:03Z}
  canary: {revision: 6d4c9f7b8d, image: registry.example.com/checkout:v2, since: 2026-11-22T10:00:02Z}
  step: {index: 1, count: 8, since: 2026-11-22T10:00:20Z, hash: 79c9b9f6bf}
  weight: 20
  previous: [{revision: 84c5bd6d7b, image: registry.example.com/checkout:v1.8, since: 2026-11-02T08:40:00Z}]
  rejected: [{revision: 7c5d8b9f6, image: registry.example.com/checkout:v1.9, at: 2026-11-19T16:02:11Z, why: "success rate 81% < 95%", lapsed: true}]
)");
}

TEST_CASE("every status is read back as it was written, and written again the same", "[status]") {
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    Status status = random_status(seed);
    std::string text = write_status(kCheckout, status);
    auto back = read_status(kPath, text);
    INFO("seed " << seed << "\n" << text << (back ? "" : back.error().message));
    REQUIRE(back);
    REQUIRE(*back == status);
    REQUIRE(write_status(kCheckout, *back) == text);
  }
}

TEST_CASE("what Serin wrote is read without YAML, and nothing else is", "[status]") {
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    const Status status = random_status(seed);
    const std::string text = write_status(kCheckout, status);
    auto read = read_canonical_status(kPath, text);
    INFO("seed " << seed << "\n" << text);
    if (read) REQUIRE(*read == status);
    Random random(seed);
    std::string damaged = text;
    damaged[size_t(random.below(int(damaged.size())))] = "a1:,{}[]\"\\ \n#"[random.below(13)];
    read = read_canonical_status(kPath, damaged);
    if (!read) continue;
    INFO(damaged);
    REQUIRE(check_status(kPath, damaged).empty());  // which always reads YAML
    REQUIRE(write_status(kCheckout, *read) == damaged);
  }
  const std::string text = write_status(kCheckout, example());
  CHECK(read_canonical_status(kPath, text) == example());
  CHECK(!read_canonical_status("status/default/shop/cart.yaml", text));
  CHECK(!read_canonical_status(kPath, text + "\n"));
  CHECK(!read_canonical_status(kPath, "# by hand\n" + text));
  CHECK(!read_canonical_status(kPath, ""));
}

TEST_CASE("text that is no UTF-8 is written so that it can be read", "[status]") {
  Status status;
  status.refused = "bad \xFF byte";
  std::string text = write_status(kCheckout, status);
  auto back = read_status(kPath, text);
  REQUIRE(back);
  CHECK(back->refused == "bad \xEF\xBF\xBD byte");
  CHECK(write_status(kCheckout, *back) == text);
}

TEST_CASE("a status that a person edited is read", "[status]") {
  auto status = read_status(kPath, R"(# edited by hand
kind: RolloutStatus
apiVersion: "serin.dev/v1alpha1"
metadata:
  namespace: shop
  name: checkout
status:
  weight: 0
  phase: Healthy
  stable:
    since: 2026-11-20T10:14:03+01:00
    revision: 455667
    image: 'a:1'
  rejected:
    - revision: 7c5d8b9f6
      at: 2026-11-19T16:02:11Z
)");
  REQUIRE(status);
  CHECK(status->stable == Revision{"455667", "a:1", at("2026-11-20T09:14:03Z")});
  CHECK(status->rejected.size() == 1);
}

TEST_CASE("what is wrong with a status file is named with its place", "[status]") {
  auto problems = check_status(kPath, R"(apiVersion: serin.dev/v1alpha1
kind: RolloutStatus
metadata: {name: cart, namespace: shop}
status:
  phase: Fine
  stabel: {}
  canary: {revision: 6d4c9f7b8d, since: yesterday}
  weight: 120
  step: {index: 9, count: 8, since: 2026-11-22T10:00:20Z}
)");
  std::vector<std::string> texts;
  for (const Problem& problem : problems) texts.push_back(problem.text());
  CHECK(texts == std::vector<std::string>{
                     kPath + ":3:1: metadata: names another rollout than the path of the file, which should end with "
                             "/shop/cart.yaml",
                     kPath + ":5:3: status.phase: must be Healthy, Progressing, Paused or Degraded",
                     kPath + ":6:3: unknown field \"status.stabel\" (did you mean \"stable\"?)",
                     kPath + ":7:34: status.canary.since: must be a time such as 2026-11-20T09:14:03Z",
                     kPath + ":8:3: status.weight: must be 0 to 100, is 120",
                     kPath + ":9:10: status.step.index: must be at most count (8)"});
  CHECK(read_status(kPath, "").error().message == kPath + ":1:1: must have exactly one document, has 0");
  CHECK(read_status(kPath, "a: [").error().kind == ErrorKind::Invalid);
}

TEST_CASE("a decision is written and read", "[status]") {
  RolloutDecision decision{Verb::Promote, "6d4c9f7b8d", 1, "looks good", "", ""};
  std::string text = write_decision(kCheckout, decision);
  CHECK(text == R"(apiVersion: serin.dev/v1alpha1
kind: RolloutDecision
metadata: {name: checkout, namespace: shop}
spec: {action: promote, revision: 6d4c9f7b8d, step: 1, reason: looks good}
)");
  auto back = read_decision("decisions/default/shop/checkout.yaml", text);
  REQUIRE(back);
  CHECK(*back == decision);
  auto bad = read_decision("d.yaml",
                           "apiVersion: serin.dev/v1alpha1\nkind: RolloutDecision\n"
                           "metadata: {name: a, namespace: b}\nspec: {action: go, revision: 6d4c}\n");
  CHECK(bad.error().message == "d.yaml:4:8: spec.action: must be promote, promote-full, abort, retry, pause or resume");
}

TEST_CASE("the path of a record stands for a rollout", "[status]") {
  CHECK(record_path("status", "default", kCheckout) == kPath);
  CHECK(key_of_record_path("status", "default", kPath) == kCheckout);
  for (const char* other :
       {"status/other/shop/checkout.yaml", "status/default/checkout.yaml", "status/default/shop/a/b.yaml",
        "status/default/shop/checkout.yml", "status/default/Shop/checkout.yaml", "status/default//checkout.yaml",
        "status/default/shop/.yaml"})
    CHECK(!key_of_record_path("status", "default", other));
}

TEST_CASE("only strings that every reader takes for strings go without quotes", "[status]") {
  for (const char* text : {"checkout", "registry.example.com/a:v1", "6d4c9f7b8d", "looks good", "v1.8", "a@b"}) {
    INFO(text);
    CHECK(is_plain_string(text));
  }
  for (const char* text :
       {"",      "yes",  "NO",   "on",   "null",       "~",   "1",  "1.5", "1e3", "0x1F", "0o7", "1_0",   ".5",
        "1:30",  "true", "a: b", "a #b", "2026-11-20", "a,b", "[a", "a:",  " a",  "a ",   "-a",  "1e400", "a\nb",
        "\"a\"", "y",    "n",    "=",    "446655",     "#a",  "&a", "*a",  "!a",  "%a",   "@a",  "`a",    "1.2.3"}) {
    INFO(text);
    CHECK(!is_plain_string(text));
  }
}
