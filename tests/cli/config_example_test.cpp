#include <fstream>
#include <sstream>

#include "cli/run_options.h"

#include "catch.h"

using namespace reconciler;

TEST_CASE("the example configuration is one that serin run takes", "[options]") {
  std::string path = std::string(SERIN_SOURCE_DIR) + "/systemd/serin.conf";
  Result<Options> options = parse_options(run_syntax(), {"--config", path}, {});
  INFO((options ? "" : options.error().message));
  REQUIRE(options);
  CHECK(options->text("repo") == "https://git.example.com/shop/deploy.git");
}
