#pragma once

#include "base/json.h"

namespace reconciler {

/// Does `live` hold everything that `manifest` asks for? What the API server added (defaults, status, other people's
/// fields) does not count; a list must have the same length. True means that applying would change no value.
bool covers(const Json& live, const Json& manifest);

}  // namespace reconciler
