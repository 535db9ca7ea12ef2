#include "git/github_app.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "base/base64.h"
#include "base/credential_file.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "git/address.h"
#include "http/client.h"

namespace reconciler {
namespace {

constexpr Duration kRenewedBefore = 5min;
constexpr Duration kAssertionLife = 9min;  // GitHub takes ten at most
constexpr Duration kClockSlack = 1min;     // our clock may be ahead of theirs
constexpr Duration kAnswerTime = 10s;
constexpr size_t kAnswerBytesMax = 64 << 10;
constexpr size_t kReasonCharactersMax = 200;

/// Base64 as JSON Web Tokens have it: for URLs, without padding.
std::string url_base64(std::string_view bytes) {
  std::string text = to_base64(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

int64_t unix_seconds(TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Key key_from(const std::string& pem) {
  std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  // Without this callback an encrypted key would ask for its passphrase on the terminal.
  auto no_passphrase = [](char*, int, int, void*) { return 0; };
  return Key(PEM_read_bio_PrivateKey(text.get(), nullptr, no_passphrase, nullptr), &EVP_PKEY_free);
}

/// RSA with SHA-256; empty when it fails.
std::string signature_of(const std::string& text, EVP_PKEY& key) {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, &key) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1)
    return {};
  std::string signature(size, '\0');
  auto* out = reinterpret_cast<unsigned char*>(signature.data());
  if (EVP_DigestSign(context.get(), out, &size, bytes, text.size()) != 1) return {};
  signature.resize(size);
  return signature;
}

/// Why the API refused, from its answer; it never holds a token then.
std::string reason_in(const HttpResponse& answer) {
  auto body = parse_json(answer.body);
  std::string said = body ? text_at(*body, {"message"}) : "";
  return redact(said.empty() ? "no reason given" : said.substr(0, kReasonCharactersMax));
}

}  // namespace

Result<std::string> GitHubApp::assertion(TimePoint now) const {
  auto pem = read_secret_file(settings_.key_file, "app key file");
  if (!pem) return pem.error();
  Key key = key_from(*pem);
  wipe(*pem);
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA)
    return invalid(format("app key file {}: is no RSA private key in PEM without a passphrase", settings_.key_file));
  const Json claims = {{"iat", unix_seconds(now - kClockSlack)},
                       {"exp", unix_seconds(now - kClockSlack + kAssertionLife)},
                       {"iss", settings_.app}};
  std::string text = url_base64(R"({"alg":"RS256","typ":"JWT"})") + "." + url_base64(dump(claims));
  std::string signature = signature_of(text, *key);
  if (signature.empty()) return invalid(format("app key file {}: cannot sign", settings_.key_file));
  return text + "." + url_base64(signature);
}

Result<std::string> GitHubApp::token(TimePoint now) {
  if (!token_.empty() && now + kRenewedBefore < ends_) return token_;
  auto address = parse_address(settings_.api_url, PlainHttp::LoopbackOnly);
  if (!address || address->transport == Transport::File || address->transport == Transport::Ssh)
    return invalid(format("{}: is no https:// address of GitHub's API", redact(settings_.api_url)));
  auto signed_text = assertion(now);
  if (!signed_text) return signed_text;
  HttpClientSettings http{.base_url = settings_.api_url};
  if (!settings_.ca_file.empty()) {
    auto authority = read_trust_file(settings_.ca_file, "CA file");
    if (!authority) return authority;
    http.tls.ca = *authority;
  }
  auto client = HttpClient::open(http);
  if (!client) return client.error();
  auto answer = (*client)->request({.method = "POST",
                                    .path = "/app/installations/" + settings_.installation + "/access_tokens",
                                    .headers = {{"Accept", "application/vnd.github+json"},
                                                {"Authorization", "Bearer " + *signed_text},
                                                {"X-GitHub-Api-Version", "2022-11-28"}},
                                    .timeout = kAnswerTime,
                                    .response_bytes_max = kAnswerBytesMax});
  const std::string who = format("installation {} of GitHub App {}", settings_.installation, settings_.app);
  if (!answer) return transient(format("no token for {}: {}", who, answer.error().message));
  if (answer->status != 201) {
    const bool refused = answer->status >= 400 && answer->status < 500 && answer->status != 429;
    return Error{refused ? ErrorKind::Invalid : ErrorKind::Transient,
                 format("no token for {}: status {}: {}", who, answer->status, reason_in(*answer))};
  }
  auto body = parse_json(answer->body);
  std::string token = body ? text_at(*body, {"token"}) : "";
  auto ends = parse_time(body ? text_at(*body, {"expires_at"}) : "");
  if (token.empty() || token.find_first_of("\r\n") != token.npos || !ends)
    return transient(format("no token for {}: the answer holds none", who));
  token_ = token;
  ends_ = *ends;
  return token_;
}

}  // namespace reconciler
