#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "http/client.h"

namespace reconciler {

/// Answers that go on for minutes, line by line, over cpprestsdk: cancelled within a millisecond in any phase.
class RestStreams {
 public:
  /// `Invalid` when the address or the TLS texts cannot be used.
  static Result<std::unique_ptr<RestStreams>> open(const HttpClientSettings& settings);
  ~RestStreams();

  /// As HttpClient::stream. Errors are the reason alone.
  Result<HttpResponse> read(const HttpRequest& request, const std::string& bearer, std::stop_token stop,
                            const std::function<bool(std::string_view)>& on_line);

  struct Client;
  explicit RestStreams(std::unique_ptr<Client> client);  ///< for `open`

 private:
  std::unique_ptr<Client> client_;
};

}  // namespace reconciler
