#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/client.h"

namespace reconciler {

/// Calls that end within a deadline, over libcurl: a handle, with its kept-alive connection, for each call in flight.
class CurlCalls {
 public:
  explicit CurlCalls(const HttpClientSettings& settings);
  ~CurlCalls();

  /// Errors are the reason alone; the caller knows what was asked of whom.
  Result<HttpResponse> call(const HttpRequest& request, const std::string& bearer);

 private:
  struct Handle;
  std::unique_ptr<Handle> take();
  void give_back(std::unique_ptr<Handle> handle);

  const HttpClientSettings settings_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_;  ///< the warmest last
};

}  // namespace reconciler
