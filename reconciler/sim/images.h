#pragma once

#include <string>
#include <string_view>

namespace reconciler {

/// How containers of an image behave in the embedded cluster. The tag says it: `broken` in it never starts
/// (`broken-crash` starts and crashes), `errors-N` answers N % of its requests with 5xx.
struct ImageBehaviour {
  bool starts = true;
  std::string waiting_reason;
  std::string waiting_message;
  double error_share = 0;  ///< 0 to 1
};

ImageBehaviour behaviour_of(std::string_view image);

/// `v2` of `registry.example.com:5000/checkout:v2`; empty without a tag.
std::string_view image_tag(std::string_view image);

}  // namespace reconciler
