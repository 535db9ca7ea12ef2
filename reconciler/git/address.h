// Where a repository lies, and which such places are allowed.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace reconciler {

enum class Transport { File, Http, Https, Ssh };
enum class PlainHttp { LoopbackOnly, Anywhere };

struct Address {
  Transport transport = Transport::File;
  std::string url;   ///< as libgit2 takes it; for File a plain path
  std::string host;  ///< empty for File
  std::string port;  ///< the scheme's own when the URL names none
  std::string user;  ///< Ssh only
};

/// Whether `host`, a name or an address, is this machine's own loopback.
bool is_loopback(std::string_view host);

/// Reads https://, ssh://, file:// and http:// URLs, and paths. `Invalid` for anything else, for http to a host that is
/// not loopback, and for passwords (or, but for ssh, user names) in a URL: they would end up in logs and configs.
Result<Address> parse_address(std::string_view url, PlainHttp plain_http);

}  // namespace reconciler
