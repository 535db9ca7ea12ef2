#include "manifest/document.h"

#include <chrono>
#include <random>

#include "catch.h"

using namespace reconciler;

namespace {

std::string repeat(std::string_view text, size_t times) {
  std::string out;
  while (times--) out += text;
  return out;
}

/// The document as compact JSON, or the first problem.
std::string reading(std::string_view text, const std::string& path = "f.yaml") {
  Documents documents = read_documents(path, text);
  if (!documents.problems.empty()) return documents.problems.front().text();
  std::string out;
  for (const Document& document : documents.documents) out += (out.empty() ? "" : " ") + dump(document.value);
  return out;
}

}  // namespace

TEST_CASE("plain scalars get the types that Kubernetes tools give them", "[yaml]") {
  std::pair<const char*, const char*> cases[] = {{"yes", "true"},
                                                 {"Y", "true"},
                                                 {"on", "true"},
                                                 {"TRUE", "true"},
                                                 {"n", "false"},
                                                 {"Off", "false"},
                                                 {"False", "false"},
                                                 {"~", "null"},
                                                 {"", "null"},
                                                 {"Null", "null"},
                                                 {"0777", "511"},
                                                 {"0o17", "15"},
                                                 {"0x1F", "31"},
                                                 {"0b11", "3"},
                                                 {"-0b11", "-3"},
                                                 {"1_000", "1000"},
                                                 {"08", "8"},
                                                 {"1e3", "1000"},
                                                 {"1.5", "1.5"},
                                                 {".5", "0.5"},
                                                 {"-1", "-1"},
                                                 {"+1", "1"},
                                                 {"0", "0"},
                                                 {"-0", "0"},
                                                 {"1.", "1"},
                                                 {"18446744073709551615", "18446744073709551615"},
                                                 {"-9223372036854775808", "-9223372036854775808"},
                                                 {"2026-11-20", "\"2026-11-20\""},
                                                 {"2026-11-20T09:14:03Z", "\"2026-11-20T09:14:03Z\""},
                                                 {"1.2.3", "\"1.2.3\""},
                                                 {"tRue", "\"tRue\""},
                                                 {"0x", "\"0x\""},
                                                 {"0xG", "\"0xG\""},
                                                 {"1e", "\"1e\""},
                                                 {"-", "\"-\""},
                                                 {"1:30", "\"1:30\""},
                                                 {"'yes'", "\"yes\""},
                                                 {"\"5\"", "\"5\""},
                                                 {"!!str 5", "\"5\""},
                                                 {"!!int 5", "5"},
                                                 {"!!float 5", "5"},
                                                 {"!!bool yes", "true"},
                                                 {"5d8f7c9b4", "\"5d8f7c9b4\""},
                                                 {"registry.example.com/a:v1", "\"registry.example.com/a:v1\""},
                                                 {"--1", "\"--1\""},
                                                 {"1e400", "\"1e400\""}};
  for (auto [text, value] : cases) {
    INFO(text);
    if (std::string_view(text) == "-") continue;
    CHECK(reading("a: " + std::string(text)) == "{\"a\":" + std::string(value) + "}");
  }
  CHECK(reading("a: |\n  true\n") == R"({"a":"true\n"})");
  CHECK(reading("a: >-\n  5\n") == R"({"a":"5"})");
}

TEST_CASE("what is ambiguous or broken is refused with its place", "[yaml]") {
  std::pair<const char*, const char*> cases[] = {
      {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: key \"a\" stands twice in this map, also at line 1"},
      {"a: .nan", "f.yaml:1:4: .nan cannot be written in JSON"},
      {"a: -.Inf", "f.yaml:1:4: -.Inf cannot be written in JSON"},
      {"<<: {a: 1}", "f.yaml:1:1: merge keys (<<) are not supported; write the fields out"},
      {"on: 1", "f.yaml:1:1: key on is read as a boolean by Kubernetes tools; write it in quotes"},
      {"x:\n  y: 1", "f.yaml:2:3: key y is read as a boolean by Kubernetes tools; write it in quotes"},
      {"8080: 1", "f.yaml:1:1: key 8080 is read as a number by Kubernetes tools; write it in quotes"},
      {"null: 1", "f.yaml:1:1: a key is missing, or null; keys are strings"},
      {"? [a]\n: b", "f.yaml:1:3: a key must be a string"},
      {"? {a: b}\n: b", "f.yaml:1:3: a key must be a string"},
      {": b", "f.yaml:1:1: a key is missing, or null; keys are strings"},
      {"a: !foo x", "f.yaml:1:4: the tag !foo is not supported"},
      {"a: !!binary x", "f.yaml:1:4: the tag !!binary is not supported here"},
      {"a: !!int x", "f.yaml:1:4: the tag !!int is not supported here"},
      {"a: !!set {x}", "f.yaml:1:4: the tag !!set is not supported"},
      {"a: \"abc\n", "f.yaml:1:4: the quotes of this text are not closed"},
      {"a: &x \"abc\\\"\n", "f.yaml:1:4: the quotes of this text are not closed"},
      {"a: 1\nc\n", "f.yaml:2:1: a colon is missing after this key"},
      {"{a: 1, c}", "f.yaml:1:8: a colon is missing after this key"},
      {"{a:1}", "f.yaml:1:2: a colon is missing after this key"},
      {"a: &x [*x]", "f.yaml:1:8: this alias stands inside of what it refers to"},
      {"&k a: 1", "f.yaml:1:1: an anchor on a key is not supported"},
      {"a: &k b\n*k : 2", "f.yaml:2:1: an alias cannot be a key"},
      {"a: *nowhere", "f.yaml:1:4: not YAML: the referenced anchor is not defined"},
      {"a: b: c", "f.yaml:1:5: not YAML: illegal map value"},
      {"a: [1", "f.yaml:1:6: not YAML: end of sequence flow not found"},
      {"b: 1\na: [1,\n", "f.yaml:3:1: not YAML: end of sequence flow not found"},
      {"\ta: 1", "f.yaml:1:3: not YAML: illegal map value"},
      {"a: 1\nb: \xFF\n", "f.yaml:2:4: not UTF-8 text"},
      {"a: \xC3", "f.yaml:1:4: not UTF-8 text"},
      {"a: \xED\xA0\x80", "f.yaml:1:4: not UTF-8 text"},
      {"a: \xC0\x80", "f.yaml:1:4: not UTF-8 text"},
      {"a: \xF5\x80\x80\x80", "f.yaml:1:4: not UTF-8 text"},
      {"a: \x01", "f.yaml:1:4: not UTF-8 text"}};
  for (auto [text, problem] : cases) {
    INFO(text);
    CHECK(reading(text) == problem);
  }
  CHECK(reading(std::string("a: \0", 4)) == "f.yaml:1:4: not UTF-8 text");
}

TEST_CASE("documents, aliases, marks and line ends", "[yaml]") {
  CHECK(reading("a: 1\n---\nb: 2\n") == R"({"a":1} {"b":2})");
  CHECK(reading("# only a comment\n").empty());
  CHECK(reading("").empty());
  CHECK(reading("---\n---\na: 1\n") == R"(null {"a":1})");
  CHECK(reading("a: &x {b: 1}\nc: [*x, *x]\n") == R"({"a":{"b":1},"c":[{"b":1},{"b":1}]})");
  CHECK(reading("\xEF\xBB\xBF"
                "a: 1\r\nb: 2\r\n") == R"({"a":1,"b":2})");
  CHECK(reading("a: 'it''s'\nb: \"x\\\"y\"\n") == R"({"a":"it's","b":"x\"y"})");
  CHECK(reading("{a: , b: 1}") == R"({"a":null,"b":1})");
  CHECK(reading("a:\nb:\n  - x\n  -\n") == R"({"a":null,"b":["x",null]})");
}

TEST_CASE("JSON files are read as JSON", "[yaml]") {
  CHECK(reading("{\"a\":\t[1, 2.5, true, null, \"\\ud83d\\ude00\"]}", "f.json") ==
        "{\"a\":[1,2.5,true,null,\"\xF0\x9F\x98\x80\"]}");
  CHECK(reading("", "f.json").empty());
  CHECK(reading("{\"a\":1,\n \"a\":2}", "f.json") == "f.json:2:2: key \"a\" stands twice in this map, also at line 1");
  CHECK(reading("{a: 1}", "f.json").starts_with("f.json:1:3: not JSON: "));
  CHECK(reading("{\"a\": 1e400}", "f.json").starts_with("f.json:1:13: not JSON: "));
  CHECK(reading("{\"a\": NaN}", "f.json").starts_with("f.json:1:8: not JSON: "));
  CHECK(reading(repeat("[", 100'000), "f.json") == "f.json:1:65: nested deeper than 64 levels");
  Documents documents = read_documents("f.json", "{\n  \"a\": [10, {\"b\": \"x\"}]\n}");
  REQUIRE(documents.documents.size() == 1);
  const Places& places = documents.documents[0].places;
  CHECK(position_of(places, "/a") == Position{2, 3});
  CHECK(position_of(places, "/a/0") == Position{2, 9});
  CHECK(position_of(places, "/a/1") == Position{2, 13});
  CHECK(position_of(places, "/a/1/b") == Position{2, 14});
}

TEST_CASE("no message about broken JSON shows what was read", "[yaml]") {
  for (const char* text :
       {"{\"password\": \"hunter2", "{\"password\": hunter2}", "{\"password\": \"hunter2\" \"hunter2\"}"}) {
    std::string message = reading(text, "secret.json");
    INFO(message);
    CHECK(message.starts_with("secret.json:1:"));
    CHECK(message.find("unter") == message.npos);
  }
}

TEST_CASE("every part of a document can be pointed at", "[yaml]") {
  Documents documents =
      read_documents("f.yaml", "spec:\n  steps:\n    - setWeight: 5\n    - pause: {duration: 1m}\n  a/b: x\n");
  REQUIRE(documents.documents.size() == 1);
  const Places& places = documents.documents[0].places;
  CHECK(position_of(places, "") == Position{1, 1});
  CHECK(position_of(places, "/spec/steps") == Position{2, 3});
  CHECK(position_of(places, "/spec/steps/1") == Position{4, 7});
  CHECK(position_of(places, "/spec/steps/1/pause/duration") == Position{4, 15});
  CHECK(position_of(places, "/spec/a~1b") == Position{5, 3});
  CHECK(position_of(places, "/spec/steps/7/pause") == Position{2, 3});
  CHECK(position_of(places, "/spec/strategy/canary") == Position{1, 1});
}

TEST_CASE("limits are kept", "[yaml]") {
  CHECK(reading(repeat(" ", (1 << 20) + 1)) == "f.yaml: the file is larger than 1048576 bytes");
  CHECK(reading(repeat("---\na: 1\n", 201)) == "f.yaml:401:1: more than 200 documents in one file");
  CHECK(reading(repeat("---\na: 1\n", 200)).starts_with("{"));
  CHECK(reading(repeat("[", 64) + repeat("]", 64)) == repeat("[", 64) + repeat("]", 64));
  CHECK(reading(repeat("[", 65) + repeat("]", 65)) == "f.yaml:1:65: nested deeper than 64 levels");
  CHECK(reading("a: &x 1\nb: [" + repeat("*x,", 100) + "]").starts_with("{"));
  CHECK(reading("a: &x 1\nb: [" + repeat("*x,", 101) + "]") == "f.yaml:2:305: more than 100 aliases in one document");
  CHECK(reading("[" + repeat("1,", 199'999) + "]").starts_with("[1"));
  CHECK(reading("[" + repeat("1,", 200'000) + "]").find("more than 200000 values") != std::string::npos);
}

TEST_CASE("aliases cannot blow up a document", "[yaml]") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + repeat(", " + before, 9) + "]\n";
  }
  CHECK(reading(bomb).find("more than 200000 values") != std::string::npos);
  std::string deep = "a0: &a0 [x]\n";
  for (int i = 1; i < 70; ++i)
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  CHECK(reading(deep).find("nested deeper than 64 levels") != std::string::npos);
}

TEST_CASE("hostile text ends soon, with a problem or a document", "[yaml]") {
  constexpr size_t kMegabyte = 1 << 20;
  for (const char* piece :
       {"[",    "- ",  "a: ", "? ",   "{a: 1, ", "&a ",  "!!a ", "* ",      "\n", "---\n", "\"",  "'",
        "a\n ", "#\n", "{? ", "- - ", "a: |\n",  "%a\n", "[],",  "{\"a\":", "\t", "-\n",   ":\n", "!<"}) {
    INFO(piece);
    auto before = std::chrono::steady_clock::now();
    reading(repeat(piece, kMegabyte / std::string_view(piece).size()));
    auto taken = std::chrono::steady_clock::now() - before;
    // Twenty seconds is far above what a busy machine with sanitizers takes, and far below quadratic time.
    CHECK(taken < std::chrono::seconds(20));
  }
}

TEST_CASE("random bytes and broken files are never more than a problem", "[yaml]") {
  const std::string good =
      "apiVersion: v1\nkind: Secret\nmetadata: {name: &n a, labels: {x: \"y\"}}\ndata:\n  a: 'b'\n  c: |\n    d\n"
      "  e: [1, 2, *n]\n---\n{\"a\": \"\\u00e9\", \"b\": [~, 1.5]}\n";
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    std::mt19937 random(seed);
    std::string text = good;
    if (seed % 3 == 0) {
      text.assign(random() % 200, ' ');
      for (char& c : text) c = char(random() % 256);
    } else {
      for (int i = random() % 5; i >= 0; --i) {
        static constexpr std::string_view kMarks = "{}[]:,-?&*!|>'\"%@`#\n\t \\\xC3\xA9\x00yn0.";
        size_t at = random() % text.size();
        if (random() % 3 == 0)
          text.erase(at, random() % 9);
        else if (random() % 2)
          text.insert(at, 1, kMarks[random() % kMarks.size()]);
        else
          text[at] = kMarks[random() % kMarks.size()];
        if (text.empty()) text = "a";
      }
      if (seed % 5 == 0) text.resize(random() % text.size());
    }
    INFO("seed " << seed << ": " << dump(Json(text)));
    for (const char* path : {"f.yaml", "f.json"}) {
      Documents documents = read_documents(path, text);
      for (const Document& document : documents.documents) CHECK_NOTHROW(document.value.dump());
      for (const Problem& problem : documents.problems) CHECK(!problem.message.empty());
    }
  }
}
