#include "base/object_key.h"

namespace reconciler {

std::string ObjectKey::text() const {
  return (group.empty() ? "" : group + "/") + kind + " " + (ns.empty() ? "" : ns + "/") + name;
}

std::string group_of(std::string_view api_version) {
  size_t slash = api_version.find('/');
  return slash == api_version.npos ? "" : std::string(api_version.substr(0, slash));
}

ObjectKey key_of(const Json& object) {
  return {.group = group_of(text_at(object, {"apiVersion"})),
          .kind = text_at(object, {"kind"}),
          .ns = text_at(object, {"metadata", "namespace"}),
          .name = text_at(object, {"metadata", "name"})};
}

}  // namespace reconciler
