#include "rollout/image.h"

namespace reconciler {

std::string headline_image(const std::vector<ContainerImage>& images, const std::vector<ContainerImage>& before) {
  for (const ContainerImage& now : images) {
    for (const ContainerImage& then : before)
      if (then.container == now.container && then.image != now.image) return now.image;
  }
  return images.empty() ? "" : images.front().image;
}

std::string tag_of(const std::string& image) {
  if (size_t at = image.find('@'); at != image.npos) return image.substr(at + 1, std::string("sha256:").size() + 12);
  size_t colon = image.rfind(':');
  size_t slash = image.rfind('/');
  bool has_tag = colon != image.npos && (slash == image.npos || colon > slash);
  return has_tag ? image.substr(colon + 1) : image;
}

std::string label_of(const Revision& revision, const std::optional<Revision>& other) {
  std::string tag = tag_of(revision.image);
  bool same = tag.empty() || (other && other->hash != revision.hash && tag_of(other->image) == tag);
  return same ? revision.hash : tag;
}

}  // namespace reconciler
