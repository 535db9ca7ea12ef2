#include "sim/openapi_v2.h"

#include "base/format.h"

namespace reconciler {
namespace {

/// A length-delimited field: the only kind this document needs.
std::string field(int number, const std::string& content) {
  auto varint = [](uint64_t value) {
    std::string bytes;
    for (; value >= 128; value >>= 7) bytes += char((value & 127) | 128);
    return bytes + char(value);
  };
  return varint(uint64_t(number) << 3 | 2) + varint(content.size()) + content;
}

/// The numbers are those of openapi_v2.proto, which gnostic publishes.
std::string patch_operation(const ResourceType& type, const std::string& version) {
  std::string query_parameter = field(2, "query") + field(4, "dryRun");
  std::string parameter = field(1, field(2, field(3, query_parameter)));
  std::string kind = format("group: \"{}\"\nkind: {}\nversion: {}\n", type.group, type.kind, version);
  std::string extension = field(1, "x-kubernetes-group-version-kind") + field(2, field(2, kind));
  return field(8, parameter) + field(13, extension);
}

}  // namespace

std::string openapi_v2_protobuf(const Catalogue& catalogue) {
  std::string paths;
  for (const ResourceType* type : catalogue.all())
    for (const std::string& version : type->versions) {
      std::string path =
          format("{}/{}/{}/item", type->group.empty() ? "/api" : "/apis", type->api_version(version), type->plural);
      paths += field(2, field(1, path) + field(2, field(8, patch_operation(*type, version))));
    }
  return field(1, "2.0") + field(2, field(1, "Kubernetes") + field(2, "v1.32.0")) + field(8, paths);
}

}  // namespace reconciler
