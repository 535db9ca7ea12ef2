#include "objects/secret_data.h"

#include "base/base64.h"

namespace reconciler {

Json with_plain_data(Json object) {
  if (text_at(object, {"kind"}) != "Secret" || text_at(object, {"apiVersion"}) != "v1") return object;
  auto plain = object.find("stringData");
  if (plain == object.end() || !plain->is_object()) return object;
  for (const auto& [name, value] : plain->items())
    if (!value.is_string()) return object;  // the API server says best what is wrong with it
  const Json values = std::move(*plain);
  object.erase("stringData");
  for (const auto& [name, value] : values.items()) object["data"][name] = to_base64(value.get<std::string>());
  return object;
}

}  // namespace reconciler
