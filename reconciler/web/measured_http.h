#pragma once

#include <memory>

#include "http/client.h"
#include "ports.h"
#include "web/measurements.h"
#include "web/reachability.h"

namespace reconciler {

/// A client of the API server whose requests are counted by verb and code, and timed.
class MeasuredHttp : public HttpClient {
 public:
  MeasuredHttp(std::unique_ptr<HttpClient> inner, Clock& clock, Measurements& measurements, Reachability& health)
      : inner_(std::move(inner)), clock_(clock), measurements_(measurements), health_(health) {}

  Result<HttpResponse> request(const HttpRequest& request) override;
  Result<HttpResponse> stream(const HttpRequest& request, std::stop_token stop,
                              const std::function<bool(std::string_view)>& on_line) override;

 private:
  void note(const std::string& verb, const Result<HttpResponse>& response);

  std::unique_ptr<HttpClient> inner_;
  Clock& clock_;
  Measurements& measurements_;
  Reachability& health_;
};

/// What Kubernetes calls a request: `get`, `list`, `create`, `update`, `patch`, `apply`, `delete`.
std::string kube_verb(const HttpRequest& request);

}  // namespace reconciler
