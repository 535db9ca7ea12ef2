// What of a request is plain text work, apart from the network.
#pragma once

#include <string>
#include <string_view>

#include "http/server.h"

namespace reconciler {

/// Fills in `path` and `query` from `target`.
void split_target(ServerRequest& request);

/// One chunk of a chunked response.
std::string as_chunk(std::string_view bytes);

}  // namespace reconciler
