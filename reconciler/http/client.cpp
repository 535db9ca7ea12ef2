#include "http/client.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>

#include "http/curl_calls.h"
#include "http/rest_streams.h"

namespace reconciler {

namespace {

Result<std::string> read_token(const std::string& path) {
  std::ifstream file(path);
  std::string token((std::istreambuf_iterator<char>(file)), {});
  while (!token.empty() && std::isspace(static_cast<unsigned char>(token.back()))) token.pop_back();
  if (!file || token.empty()) return transient("token file " + path + " cannot be read or is empty");
  return token;
}

/// A bearer token, which may live in a file and be replaced there now and then.
class FileToken : public TokenSource {
 public:
  FileToken(std::string token, std::string file) : token_(std::move(token)), file_(std::move(file)) {}

  /// While the file is being replaced the token before it does.
  Result<std::string> token() override {
    if (file_.empty()) return token_;
    std::lock_guard lock(mutex_);
    std::error_code error;
    auto written = std::filesystem::last_write_time(file_, error);
    if (!error && written == written_) return token_;
    auto token =
        error ? Result<std::string>(transient("token file " + file_ + ": " + error.message())) : read_token(file_);
    if (!token) return token_.empty() ? token : token_;
    token_ = *std::move(token);
    written_ = written;
    return token_;
  }

  /// What is in the file may be newer than its time stamp tells.
  void refused(const std::string&) override {
    std::lock_guard lock(mutex_);
    written_ = {};
  }

 private:
  std::mutex mutex_;
  std::string token_;
  const std::string file_;
  std::filesystem::file_time_type written_{};
};

std::shared_ptr<TokenSource> tokens_of(const HttpClientSettings& settings) {
  if (settings.tokens) return settings.tokens;
  return std::make_shared<FileToken>(settings.token, settings.token_file);
}

class KeptAliveClient : public HttpClient {
 public:
  KeptAliveClient(const HttpClientSettings& settings, std::unique_ptr<RestStreams> opened)
      : base_url_(settings.base_url), tokens_(tokens_of(settings)), calls_(settings), streams_(std::move(opened)) {}

  Result<HttpResponse> request(const HttpRequest& request) override {
    auto token = tokens_->token();
    if (!token) return token.error();
    auto response = calls_.call(request, *token);
    if (!response) return about(request, response.error());
    if (response->status == 401) tokens_->refused(*token);
    return response;
  }

  Result<HttpResponse> stream(const HttpRequest& request, std::stop_token stop,
                              const std::function<bool(std::string_view)>& on_line) override {
    auto token = tokens_->token();
    if (!token) return token.error();
    auto response = streams_->read(request, *token, stop, on_line);
    if (!response) return about(request, response.error());
    if (response->status == 401) tokens_->refused(*token);
    return response;
  }

 private:
  /// Queries stay out of messages: they are long, and those of others may hold keys.
  Error about(const HttpRequest& request, const Error& error) const {
    return {error.kind,
            request.method + " " + base_url_ + request.path.substr(0, request.path.find('?')) + ": " + error.message};
  }

  std::string base_url_;
  const std::shared_ptr<TokenSource> tokens_;
  CurlCalls calls_;
  std::unique_ptr<RestStreams> streams_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::open(HttpClientSettings settings) {
  while (settings.base_url.ends_with('/')) settings.base_url.pop_back();
  auto streams = RestStreams::open(settings);
  if (!streams) return streams.error();
  return std::unique_ptr<HttpClient>(std::make_unique<KeptAliveClient>(settings, *std::move(streams)));
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += static_cast<char>(c);
    } else {
      encoded += '%';
      encoded += digits[c >> 4];
      encoded += digits[c & 15];
    }
  }
  return encoded;
}

}  // namespace reconciler
