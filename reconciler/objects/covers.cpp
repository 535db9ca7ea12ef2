#include "objects/covers.h"

namespace reconciler {

bool covers(const Json& live, const Json& manifest) {
  if (manifest.is_object()) {
    if (!live.is_object()) return manifest.empty() && live.is_null();
    for (const auto& [name, value] : manifest.items()) {
      auto member = live.find(name);
      if (member == live.end() ? !value.is_null() : !covers(*member, value)) return false;
    }
    return true;
  }
  if (manifest.is_array()) {
    if (!live.is_array() || live.size() != manifest.size()) return false;
    for (size_t i = 0; i < manifest.size(); ++i)
      if (!covers(live[i], manifest[i])) return false;
    return true;
  }
  return live == manifest;
}

}  // namespace reconciler
