#include "git/known_hosts.h"

#include <fnmatch.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <vector>

#include "base/base64.h"
#include "base/format.h"

namespace reconciler {
namespace {

std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    auto end = text.find_first_of(separators);
    if (end != 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return parts;
}

/// `|1|salt|hash`, both in base64: HMAC-SHA1 of the name.
bool hashed_name_matches(std::string_view pattern, std::string_view name) {
  auto parts = split(pattern, "|");
  if (parts.size() != 3 || parts[0] != "1") return false;
  auto salt = from_base64(parts[1]);
  if (!salt) return false;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!HMAC(EVP_sha1(), salt->data(), static_cast<int>(salt->size()),
            reinterpret_cast<const unsigned char*>(name.data()), name.size(), digest, &size))
    return false;
  return from_base64(parts[2]) == std::string_view(reinterpret_cast<char*>(digest), size);
}

bool any_name_matches(std::string_view patterns, const std::string& name) {
  if (patterns.rfind("|", 0) == 0) return hashed_name_matches(patterns, name);
  bool matches = false;
  for (const auto& pattern : split(patterns, ",")) {
    bool negated = pattern.front() == '!';
    // In fnmatch brackets are a set; in known_hosts they surround a host before its port.
    std::string escaped;
    for (char c : pattern.substr(negated ? 1 : 0))
      escaped += c == '[' || c == ']' ? std::string{'\\', c} : std::string{c};
    if (fnmatch(escaped.c_str(), name.c_str(), FNM_CASEFOLD) != 0) continue;
    if (negated) return false;
    matches = true;
  }
  return matches;
}

}  // namespace

Result<void> check_host_key(std::string_view known_hosts, std::string_view host, std::string_view port,
                            std::string_view raw_key) {
  std::string name = port == "22" ? std::string(host) : format("[{}]:{}", host, port);
  bool is_known = false;
  bool is_trusted = false;
  for (const auto& line : split(known_hosts, "\r\n")) {
    auto fields = split(line, " \t");
    if (fields.empty() || fields[0].front() == '#') continue;
    bool is_revoked = fields[0] == "@revoked";
    if (fields[0] == "@cert-authority") continue;  // libssh2 knows no host certificates
    if (is_revoked) fields.erase(fields.begin());
    if (fields.size() < 3 || !any_name_matches(fields[0], name)) continue;
    bool is_same = !raw_key.empty() && from_base64(fields[2]) == raw_key;
    if (is_revoked && is_same) return invalid(format("the host key of {} is revoked in the known_hosts file", name));
    if (is_revoked) continue;
    is_known = true;
    if (is_same) is_trusted = true;
  }
  if (is_trusted) return {};
  if (is_known)
    return invalid(
        format("the host key of {} is none of those in the known_hosts file: it changed, or another kind of "
               "key is offered; compare `ssh-keyscan` with what the host's owner says",
               name));
  return invalid(format("the host {} is not in the known_hosts file; add its keys", name));
}

}  // namespace reconciler
