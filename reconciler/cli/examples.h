#pragma once

#include <string_view>
#include <vector>

namespace reconciler {

/// One file of examples-repo/, carried in the program: `shop/checkout/rollout.yaml` and its bytes.
struct ExampleFile {
  std::string_view path;
  std::string_view text;
};

/// The manifests and the README of examples-repo/, ordered by path. For `serin demo`.
std::vector<ExampleFile> example_files();

}  // namespace reconciler
