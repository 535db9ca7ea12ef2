#include "http/rest_streams.h"

#include <utility>

#include <pplx/threadpool.h>

#include <cpprest/http_client.h>
#include <boost/asio/ssl.hpp>

#include <algorithm>
#include <mutex>

#include "base/log.h"

namespace reconciler {

namespace {

namespace rest = web::http;

constexpr int kPoolThreads = 4;  // cpprestsdk's default of 40 costs two thirds of its throughput
constexpr size_t kLineBytesMax = size_t{8} << 20;

void initialize_pool_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    try {
      crossplat::threadpool::initialize_with_threads(kPoolThreads);
    } catch (const std::exception&) {  // Somebody's first use came before; the default pool works too.
    }
  });
}

void trust(boost::asio::ssl::context& context, const TlsSettings& tls) {
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  if (!tls.ca.empty()) {
    SSL_CTX_set_cert_store(context.native_handle(), X509_STORE_new());  // our authority alone
    context.add_certificate_authority(boost::asio::buffer(tls.ca));
  }
  if (tls.certificate.empty()) return;
  context.use_certificate_chain(boost::asio::buffer(tls.certificate));
  context.use_private_key(boost::asio::buffer(tls.key), boost::asio::ssl::context::pem);
}

/// Bad PEM is found here and not at the first connection.
Result<void> check_tls(const TlsSettings& tls) {
  if (tls.certificate.empty() != tls.key.empty()) return invalid("a client certificate and its key need each other");
  try {
    boost::asio::ssl::context context(boost::asio::ssl::context::tls_client);
    trust(context, tls);
  } catch (const std::exception& error) {
    return invalid(std::string("tls certificates cannot be used: ") + error.what());
  }
  return {};
}

/// cpprestsdk does not read the user out of a proxy's address.
web::web_proxy proxy_of(const std::string& address) {
  const web::uri uri(address);
  web::web_proxy proxy(uri);
  const std::string user = uri.user_info();
  if (user.empty()) return proxy;
  const size_t colon = user.find(':');
  proxy.set_credentials(web::credentials(web::uri::decode(user.substr(0, colon)),
                                         colon == user.npos ? "" : web::uri::decode(user.substr(colon + 1))));
  return proxy;
}

rest::client::http_client_config configured(const HttpClientSettings& settings) {
  rest::client::http_client_config config;
  config.set_timeout(settings.stream_idle);  // each step's: the connect, the head, then each block
  config.set_max_redirects(0);               // a redirect would carry our token to another host
  config.set_ssl_context_callback([tls = settings.tls](boost::asio::ssl::context& context) { trust(context, tls); });
  if (!settings.proxy.empty()) config.set_proxy(proxy_of(settings.proxy));
  return config;
}

HttpResponse head_of(const rest::http_response& response) {
  HttpResponse head;
  head.status = response.status_code();
  for (const auto& [name, value] : response.headers()) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    head.headers[lower] = value;
  }
  return head;
}

/// Splits what arrives at newlines; one chunk may hold several lines and one line span chunks.
class LineSplitter {
 public:
  explicit LineSplitter(const std::function<bool(std::string_view)>& on_line) : on_line_(on_line) {}

  /// False when the reader wants no more.
  bool take(std::string_view block) {
    size_t searched = rest_.size();
    rest_ += block;
    size_t from = 0;
    for (size_t end; (end = rest_.find('\n', std::max(from, searched))) != std::string::npos; from = end + 1)
      if (end > from && !on_line_(std::string_view(rest_).substr(from, end - from))) return false;
    rest_.erase(0, from);
    return true;
  }

  bool is_too_long() const { return rest_.size() > kLineBytesMax; }

 private:
  const std::function<bool(std::string_view)>& on_line_;
  std::string rest_;
};

/// Hands over what arrives, block by block, until the end or until `on_block` returns false. Reading a block waits
/// until it is full, so one byte is waited for and then what has come with it is taken.
void read_blocks(const rest::http_response& response, const std::function<bool(std::string_view)>& on_block) {
  auto source = response.body().streambuf();
  std::vector<uint8_t> block(64 << 10);
  while (source.getn(block.data(), 1).get() == 1) {
    size_t more = std::min(source.in_avail(), block.size() - 1);
    size_t count = more == 0 ? 1 : 1 + source.getn(block.data() + 1, more).get();
    if (!on_block({reinterpret_cast<const char*>(block.data()), count})) return;
  }
}

/// Split by hand: istream::read_line is ten times slower and lets the producer run ahead.
Result<void> read_lines(const rest::http_response& response, const std::function<bool(std::string_view)>& on_line) {
  LineSplitter lines(on_line);
  read_blocks(response, [&](std::string_view block) { return lines.take(block) && !lines.is_too_long(); });
  if (lines.is_too_long()) return transient("a line is longer than " + std::to_string(kLineBytesMax) + " bytes");
  return {};
}

std::string read_text(const rest::http_response& response, size_t bytes_max) {
  std::string text;
  read_blocks(response, [&](std::string_view block) {
    text += block.substr(0, bytes_max - text.size());
    return text.size() < bytes_max;
  });
  return text;
}

std::string words_of(const rest::http_exception& error) {
  int code = error.error_code().value();
  if (code == 110) return "silent for too long";
  if (code == 2 || code == 32 || code == 104) return "connection lost";
  return redact(error.what());
}

}  // namespace

struct RestStreams::Client {
  Client(const HttpClientSettings& settings)
      : user_agent(settings.user_agent), client(settings.base_url, configured(settings)) {}
  std::string user_agent;
  rest::client::http_client client;
};

RestStreams::RestStreams(std::unique_ptr<Client> client) : client_(std::move(client)) {}
RestStreams::~RestStreams() = default;

Result<std::unique_ptr<RestStreams>> RestStreams::open(const HttpClientSettings& settings) {
  if (auto tls = check_tls(settings.tls); !tls) return tls.error();
  try {
    web::uri base(settings.base_url);
    if (!base.user_info().empty()) return invalid("a server address must not hold a user or password");
    if ((base.scheme() != "https" && base.scheme() != "http") || base.host().empty())
      return invalid("a server address must be http://host:port or https://host:port, got " +
                     redact(settings.base_url));
    initialize_pool_once();
    return std::make_unique<RestStreams>(std::make_unique<Client>(settings));
  } catch (const std::exception&) { return invalid("server address " + redact(settings.base_url) + " cannot be used"); }
}

Result<HttpResponse> RestStreams::read(const HttpRequest& request, const std::string& bearer, std::stop_token stop,
                                       const std::function<bool(std::string_view)>& on_line) {
  pplx::cancellation_token_source cancel;
  std::stop_callback stopped(stop, [cancel] { cancel.cancel(); });
  HttpResponse answer;
  try {
    rest::http_request out(request.method);
    out.set_request_uri(web::uri(request.path));
    out.headers().add("User-Agent", client_->user_agent);
    if (!bearer.empty()) out.headers().add("Authorization", "Bearer " + bearer);
    for (const auto& [name, value] : request.headers) out.headers().add(name, value);
    auto response = client_->client.request(out, cancel.get_token()).get();
    answer = head_of(response);
    Result<void> read;
    if (answer.status == 200)
      read = read_lines(response, on_line);
    else
      answer.body = read_text(response, request.response_bytes_max);
    cancel.cancel();  // A stream left half-way must not go on filling its buffer.
    if (!read) return read.error();
  } catch (const rest::http_exception& error) {
    if (!stop.stop_requested()) return transient(words_of(error));
  } catch (const std::exception& error) {
    cancel.cancel();
    if (!stop.stop_requested()) return transient(redact(error.what()));
  }
  return answer;
}

}  // namespace reconciler
