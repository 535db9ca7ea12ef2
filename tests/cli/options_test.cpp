#include "cli/options.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "catch.h"

using namespace reconciler;

namespace {

Syntax syntax_of_run() {
  return {
      .usage = "serin run [OPTIONS]",
      .summary = "The daemon.",
      .options = {{.name = "repo", .operand = "URL", .help = "the repository", .presence = Presence::Required},
                  {.name = "interval",
                   .operand = "TIME",
                   .help = "between polls",
                   .type = DurationOption{.least = 100ms, .most = 24h},
                   .otherwise = "60s"},
                  {.name = "listen",
                   .operand = "ADDRESS",
                   .help = "endpoints",
                   .type = AddressOption{},
                   .otherwise = "127.0.0.1:8080"},
                  {.name = "seeds", .operand = "N", .help = "how many", .type = IntegerOption{.least = 1, .most = 10}},
                  {.name = "log-format",
                   .operand = "FORMAT",
                   .help = "form",
                   .type = ChoiceOption{{"text", "json"}},
                   .otherwise = "text"},
                  {.name = "once", .help = "one pass", .type = FlagOption{}}},
      .operands_least = 0,
      .operands_most = 1,
      .config_file = ConfigFile::Taken,
  };
}

std::string error_of(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {}) {
  Result<Options> options = parse_options(syntax_of_run(), arguments, environment);
  return options ? "" : options.error().message;
}

/// A file in a temporary folder that goes away with it.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    std::string pattern = (std::filesystem::temp_directory_path() / "serin-options-XXXXXX").string();
    int descriptor = mkstemp(pattern.data());
    REQUIRE(descriptor >= 0);
    close(descriptor);
    path_ = pattern;
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("options have their defaults and their types", "[options]") {
  Result<Options> options = parse_options(syntax_of_run(), {"--repo", "file:///r", "--seeds=7", "shop/till"}, {});
  REQUIRE(options);
  CHECK(options->text("repo") == "file:///r");
  CHECK(options->duration("interval") == 60s);
  CHECK(options->address("listen") == SocketAddress{.host = "127.0.0.1", .port = 8080});
  CHECK(options->integer("seeds") == 7);
  CHECK(options->text("log-format") == "text");
  CHECK_FALSE(options->flag("once"));
  CHECK(options->operands() == std::vector<std::string>{"shop/till"});
}

TEST_CASE("a flag takes no value, so the next word is an operand", "[options]") {
  Result<Options> options = parse_options(syntax_of_run(), {"--repo", "r", "--once", "shop/till"}, {});
  REQUIRE(options);
  CHECK(options->flag("once"));
  CHECK(options->operands() == std::vector<std::string>{"shop/till"});
  CHECK(error_of({"--repo", "r", "--once=yes"}) == "--once takes no value");
}

TEST_CASE("the command line wins over the environment, and that over the file", "[options]") {
  TemporaryFile file("# comment\nrepo = from-file\ninterval = 5s\nseeds = 3\nonce = true\n");
  std::vector<std::string> environment = {"SERIN_INTERVAL=6s", "SERIN_SEEDS=4", "SERIN_UNKNOWN=x", "SERIN_LISTEN="};
  Result<Options> options = parse_options(syntax_of_run(), {"--config", file.path(), "--seeds", "5"}, environment);
  REQUIRE(options);
  CHECK(options->text("repo") == "from-file");
  CHECK(options->duration("interval") == 6s);
  CHECK(options->integer("seeds") == 5);
  CHECK(options->flag("once"));
  CHECK(options->address("listen").port == 8080);
}

TEST_CASE("the environment can name the file", "[options]") {
  TemporaryFile file("repo = from-file\n");
  Result<Options> options = parse_options(syntax_of_run(), {}, {"SERIN_CONFIG=" + file.path()});
  REQUIRE(options);
  CHECK(options->text("repo") == "from-file");
}

TEST_CASE("wrong usage is one clear line", "[options]") {
  CHECK(error_of({}) == "--repo URL is required");
  CHECK(error_of({"--repo"}) == "--repo needs a value");
  CHECK(error_of({"--repo="}) == "--repo needs a value");
  CHECK(error_of({"--repo", ""}) == "--repo must not be empty");
  CHECK(error_of({"--repo", "a", "--repo", "b"}) == "--repo is given twice");
  CHECK(error_of({"--rep", "a"}) == "unknown option --rep (see: serin run --help)");
  CHECK(error_of({"-x"}) == "unknown option -x (see: serin run --help)");
  CHECK(error_of({"--repo", "r", "--interval", "soon"}) ==
        "--interval must be a duration such as 500ms, 60s, 5m or 1h, got 'soon'");
  CHECK(error_of({"--repo", "r", "--interval", "1ms"}) == "--interval must be 100ms to 24h, got 1ms");
  CHECK(error_of({"--repo", "r", "--seeds", "11"}) == "--seeds must be 1 to 10, got 11");
  CHECK(error_of({"--repo", "r", "--seeds", "1x"}) == "--seeds must be a whole number, got '1x'");
  CHECK(error_of({"--repo", "r", "--listen", "8080"}) ==
        "--listen must be host:port such as 127.0.0.1:8080, got '8080'");
  CHECK(error_of({"--repo", "r", "--log-format", "xml"}) == "--log-format must be text or json, got 'xml'");
  CHECK(error_of({"--repo", "r"}, {"SERIN_ONCE=maybe"}) == "--once must be true or false, got 'maybe'");
  CHECK(error_of({"--repo", "r", "a", "b"}) == "'b' is too much; usage: serin run [OPTIONS]");
}

TEST_CASE("a wrong configuration file is named", "[options]") {
  TemporaryFile unknown("repo = r\nintervall = 5s\n");
  CHECK(error_of({"--config", unknown.path()}) == unknown.path() + ": unknown option 'intervall'");
  CHECK(error_of({"--config", "/nowhere/serin.conf"}) == "--config /nowhere/serin.conf: cannot be read");
  TemporaryFile twice("repo = r\nrepo = s\n");
  CHECK(error_of({"--config", twice.path()}).starts_with(twice.path() + ": "));
}

TEST_CASE("addresses", "[options]") {
  CHECK(parse_socket_address("[::1]:80") == SocketAddress{.host = "::1", .port = 80});
  CHECK(parse_socket_address("localhost:0") == SocketAddress{.host = "localhost", .port = 0});
  for (const char* wrong : {"", ":80", "host", "host:", "host:65536", "host:-1", "::1:80", "http://a:80"})
    CHECK_FALSE(parse_socket_address(wrong));
}

TEST_CASE("help names every option, its default and whether it is required", "[options]") {
  std::string help = help_text(syntax_of_run());
  CHECK_THAT(help, ContainsSubstring("usage: serin run [OPTIONS]"));
  CHECK_THAT(help, ContainsSubstring("--interval TIME"));
  CHECK_THAT(help, ContainsSubstring("between polls (default: 60s)"));
  CHECK_THAT(help, ContainsSubstring("the repository (required)"));
  CHECK_THAT(help, ContainsSubstring("--config FILE"));
}
