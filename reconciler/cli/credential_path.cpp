#include "cli/credential_path.h"

#include <cstdlib>

#include "base/format.h"

namespace reconciler {

Result<std::string> credential_path(const std::string& option, const std::string& value) {
  constexpr std::string_view prefix = "credential:";
  if (!value.starts_with(prefix)) return value;
  const std::string name = value.substr(prefix.size());
  if (name.empty() || name.find('/') != name.npos || name == "." || name == "..")
    return invalid(format("--{} {}: must be credential:NAME, without slashes", option, value));
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (!directory || !*directory)
    return invalid(format("--{} {}: $CREDENTIALS_DIRECTORY is not set; add LoadCredential={}:FILE to the unit", option,
                          value, name));
  return std::string(directory) + "/" + name;
}

}  // namespace reconciler
