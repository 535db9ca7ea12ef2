#pragma once

#include <functional>
#include <optional>
#include <string>

namespace reconciler {

/// The value of an environment variable; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The proxy that the environment asks for on the way to `server`: `HTTPS_PROXY` (`HTTP_PROXY` for http://), unless
/// `NO_PROXY` exempts it; empty for none.
std::string proxy_for(const std::string& server, const Environment& environment);

/// Is this server exempt by a `NO_PROXY` list: names and what lies below them, `.suffixes`, addresses, networks as
/// `10.0.0.0/8`, each with a port or without, `*`? Loopback always is.
bool bypasses_proxy(const std::string& server, const std::string& no_proxy);

/// The host of an address such as `https://host:port/path`, without brackets.
std::string host_of(const std::string& url);

bool is_loopback(const std::string& host);

}  // namespace reconciler
