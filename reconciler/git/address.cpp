#include "git/address.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>

#include "base/format.h"

namespace reconciler {
namespace {

std::string_view default_port(Transport transport) {
  switch (transport) {
    case Transport::File: return "";
    case Transport::Http: return "80";
    case Transport::Https: return "443";
    case Transport::Ssh: return "22";
  }
  unreachable();
}

std::optional<Transport> transport_of(std::string_view scheme) {
  if (scheme == "file") return Transport::File;
  if (scheme == "http") return Transport::Http;
  if (scheme == "https") return Transport::Https;
  if (scheme == "ssh") return Transport::Ssh;
  return {};
}

Result<Address> local_address(std::string_view path) {
  std::error_code error;
  auto absolute = std::filesystem::absolute(std::filesystem::path(path), error);
  if (path.empty() || error) return invalid(format("repository {}: not a path", path));
  Address address;
  address.url = absolute.lexically_normal().string();
  return address;
}

/// `user@`, `host`, `:port` of an authority; nothing when it is malformed.
struct Authority {
  std::string user, host, port;
  bool has_password = false;
};

std::optional<Authority> split_authority(std::string_view text) {
  Authority authority;
  if (auto at = text.rfind('@'); at != text.npos) {
    auto user = text.substr(0, at);
    authority.has_password = user.find(':') != user.npos;
    authority.user = user.substr(0, user.find(':'));
    text.remove_prefix(at + 1);
  }
  size_t colon = text.npos;
  if (!text.empty() && text.front() == '[') {
    auto end = text.find(']');
    if (end == text.npos) return {};
    authority.host = text.substr(1, end - 1);
    if (end + 1 < text.size()) colon = end + 1;
  } else {
    colon = text.find(':');
    authority.host = text.substr(0, colon);
  }
  if (colon != text.npos) {
    if (text[colon] != ':') return {};
    authority.port = text.substr(colon + 1);
    bool digits = std::all_of(authority.port.begin(), authority.port.end(), [](unsigned char c) { return isdigit(c); });
    if (authority.port.empty() || authority.port.size() > 5 || !digits) return {};
  }
  std::transform(authority.host.begin(), authority.host.end(), authority.host.begin(),
                 [](unsigned char c) { return static_cast<char>(tolower(c)); });
  bool is_host = authority.host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_:") == std::string::npos;
  if (authority.host.empty() || !is_host) return {};
  return authority;
}

}  // namespace

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  // "127.evil.example" is a name, not an address.
  return host.rfind("127.", 0) == 0 && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Result<Address> parse_address(std::string_view url, PlainHttp plain_http) {
  bool has_control = std::any_of(url.begin(), url.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (url.empty() || has_control) return invalid("repository: the URL is empty or holds control characters");
  auto mark = url.find("://");
  if (mark == url.npos) {
    // `git@host:path` is what people paste from a forge.
    auto colon = url.find(':');
    if (colon != url.npos && url.find('/') > colon)
      return invalid("repository: write ssh://user@host/path instead of user@host:path");
    return local_address(url);
  }
  auto transport = transport_of(url.substr(0, mark));
  // What stands before :// may be anything, a password too.
  if (!transport) return invalid("repository: the scheme of the URL is not supported; use https, ssh or file");
  auto rest = url.substr(mark + 3);
  if (*transport == Transport::File) {
    if (rest.rfind("localhost/", 0) == 0) rest.remove_prefix(9);
    if (rest.empty() || rest.front() != '/') return invalid("repository: file:// needs an absolute path");
    return local_address(rest);
  }
  auto authority = split_authority(rest.substr(0, rest.find('/')));
  if (!authority) return invalid("repository: the URL has no valid host and port");
  if (authority->has_password) return invalid("repository: the URL must hold no password; use a token file");
  if (*transport != Transport::Ssh && !authority->user.empty())
    return invalid("repository: the URL must hold no user name; use a token file");
  if (*transport == Transport::Http && plain_http == PlainHttp::LoopbackOnly && !is_loopback(authority->host))
    return invalid(format("repository: http:// to {} is not encrypted; use https://", authority->host));
  Address address;
  address.transport = *transport;
  address.url = url;
  address.host = authority->host;
  address.port = authority->port.empty() ? std::string(default_port(*transport)) : authority->port;
  address.user = authority->user;
  return address;
}

}  // namespace reconciler
