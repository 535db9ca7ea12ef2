// How people call a version: an image, and in a headline its tag.
#pragma once

#include <string>
#include <vector>

#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

/// The image of the first container that differs from `before`, else of the first container; empty without containers.
std::string headline_image(const std::vector<ContainerImage>& images, const std::vector<ContainerImage>& before);

/// The tag of `image`, the start of its digest, or the whole name when it has neither: `v2`, `sha256:0f3a9b1c2d4e`.
std::string tag_of(const std::string& image);

/// What a subject calls `revision`: its tag, or its hash when `other` would be called the same.
std::string label_of(const Revision& revision, const std::optional<Revision>& other);

}  // namespace reconciler
