#include "cluster/proxy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <vector>

namespace reconciler {
namespace {

struct Destination {
  std::string host;
  std::string port;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// `host:port`, `[::1]:port`, `host`, `::1`; the port is empty when there is none.
Destination split_port(const std::string& text) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    const bool has_port = end != text.npos && end + 1 < text.size() && text[end + 1] == ':';
    return {text.substr(1, end - 1), has_port ? text.substr(end + 2) : ""};
  }
  const size_t colon = text.find(':');
  if (colon == text.npos || text.find(':', colon + 1) != text.npos) return {text, ""};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

Destination destination_of(const std::string& url) {
  const size_t scheme = url.find("://");
  const size_t begin = scheme == url.npos ? 0 : scheme + 3, end = url.find_first_of("/?#", begin);
  Destination out = split_port(url.substr(begin, end == url.npos ? end : end - begin));
  if (out.port.empty()) out.port = url.starts_with("http://") ? "80" : "443";
  return out;
}

/// The bytes of an IP address; none when it is no address.
std::vector<unsigned char> address_bytes(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {bytes.begin(), bytes.begin() + 4};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return {bytes.begin(), bytes.end()};
  return {};
}

/// Does `host` lie in a network such as 10.0.0.0/8?
bool lies_in(const std::string& host, const std::string& network) {
  const size_t slash = network.find('/');
  const auto bytes = address_bytes(host), net = address_bytes(network.substr(0, slash));
  size_t bits = 0;
  const auto [end, error] = std::from_chars(network.data() + slash + 1, network.data() + network.size(), bits);
  if (bytes.empty() || bytes.size() != net.size() || error != std::errc() || bits > bytes.size() * 8) return false;
  for (size_t i = 0; i < bits; ++i)
    if (((bytes[i / 8] ^ net[i / 8]) & (0x80 >> (i % 8))) != 0) return false;
  return true;
}

bool matches(const Destination& server, const std::string& text) {
  if (text == "*") return true;
  if (text.find('/') != text.npos) return lies_in(server.host, text);
  const Destination entry = split_port(text);
  if (!entry.port.empty() && entry.port != server.port) return false;
  if (entry.host.empty()) return false;
  const std::string suffix = entry.host.starts_with('.') ? entry.host : "." + entry.host;
  return server.host == entry.host || server.host.ends_with(suffix);
}

}  // namespace

bool is_loopback(const std::string& host) { return host == "localhost" || host.starts_with("127.") || host == "::1"; }

std::string host_of(const std::string& url) { return destination_of(url).host; }

bool bypasses_proxy(const std::string& server, const std::string& no_proxy) {
  Destination destination = destination_of(server);
  destination.host = lower(destination.host);
  if (is_loopback(destination.host)) return true;
  std::string list = lower(no_proxy);
  std::replace(list.begin(), list.end(), ' ', ',');
  std::istringstream entries(list);
  for (std::string entry; std::getline(entries, entry, ',');)
    if (!entry.empty() && matches(destination, entry)) return true;
  return false;
}

std::string proxy_for(const std::string& server, const Environment& environment) {
  auto either = [&](const std::string& small, const std::string& capital) {
    auto value = environment(capital);
    if (!value || value->empty()) value = environment(small);
    return value.value_or("");
  };
  const bool is_plain = server.starts_with("http://");
  const std::string proxy = is_plain ? either("http_proxy", "HTTP_PROXY") : either("https_proxy", "HTTPS_PROXY");
  if (proxy.empty() || bypasses_proxy(server, either("no_proxy", "NO_PROXY"))) return "";
  return proxy.find("://") == proxy.npos ? "http://" + proxy : proxy;
}

}  // namespace reconciler
