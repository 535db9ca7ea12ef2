#include "sim/images.h"

#include <algorithm>
#include <charconv>

#include "base/format.h"

namespace reconciler {

std::string_view image_tag(std::string_view image) {
  image = image.substr(0, image.find('@'));
  size_t colon = image.rfind(':'), slash = image.rfind('/');
  if (colon == image.npos || (slash != image.npos && colon < slash)) return {};
  return image.substr(colon + 1);
}

ImageBehaviour behaviour_of(std::string_view image) {
  ImageBehaviour behaviour;
  std::string_view tag = image_tag(image);
  if (tag.find("broken") != tag.npos) {
    bool crashes = tag.find("crash") != tag.npos;
    behaviour.starts = false;
    behaviour.waiting_reason = crashes ? "CrashLoopBackOff" : "ImagePullBackOff";
    behaviour.waiting_message =
        crashes ? "back-off 10s restarting failed container" : format("Back-off pulling image \"{}\"", image);
  }
  constexpr std::string_view kErrors = "errors-";
  if (size_t at = tag.find(kErrors); at != tag.npos) {
    auto digits = tag.substr(at + kErrors.size());
    int percent = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), percent);
    behaviour.error_share = std::clamp(percent, 0, 100) / 100.0;
  }
  return behaviour;
}

}  // namespace reconciler
