#include "web/measured_http.h"

#include <algorithm>
#include <charconv>

namespace reconciler {
namespace {

/// `/api/v1/namespaces/shop/services/checkout` names one object, `/api/v1/services` many, `/apis/apps/v1` none.
bool names_collection(std::string_view path) {
  path = path.substr(0, path.find('?'));
  const bool core = path.starts_with("/api/");
  auto parts = std::count(path.begin(), path.end(), '/') - (core ? 2 : 3);
  if (path.find("/namespaces/") != path.npos && parts > 2) parts -= 2;
  return parts == 1;
}

double retry_after_seconds(const HttpResponse& response) {
  auto header = response.headers.find("retry-after");
  int seconds = 1;
  if (header != response.headers.end())
    std::from_chars(header->second.data(), header->second.data() + header->second.size(), seconds);
  return seconds;
}

}  // namespace

std::string kube_verb(const HttpRequest& request) {
  if (request.method == "POST") return "create";
  if (request.method == "PUT") return "update";
  if (request.method == "DELETE") return "delete";
  if (request.method == "PATCH") {
    auto type = request.headers.find("Content-Type");
    return type != request.headers.end() && type->second == "application/apply-patch+yaml" ? "apply" : "patch";
  }
  return names_collection(request.path) ? "list" : "get";
}

/// Any answer shows that the server is there, but for those that say that it is not well.
void MeasuredHttp::note(const std::string& verb, const Result<HttpResponse>& response) {
  measurements_.add(Measure::KubeRequests,
                    {{"verb", verb}, {"code", response ? std::to_string(response->status) : "none"}});
  if (!response) health_.api_answered(response.error().message);
  if (response) health_.api_answered(response->status < 500 ? "" : "HTTP " + std::to_string(response->status));
  if (response && response->status == 429)
    measurements_.add(Measure::KubeThrottleSeconds, {}, retry_after_seconds(*response));
}

Result<HttpResponse> MeasuredHttp::request(const HttpRequest& request) {
  const std::string verb = kube_verb(request);
  const Duration began = clock_.monotonic();
  auto response = inner_->request(request);
  measurements_.time(Measure::KubeRequestSeconds, {{"verb", verb}}, clock_.monotonic() - began);
  note(verb, response);
  return response;
}

Result<HttpResponse> MeasuredHttp::stream(const HttpRequest& request, std::stop_token stop,
                                          const std::function<bool(std::string_view)>& on_line) {
  measurements_.add(Measure::WatchRestarts, {});
  bool answered = false;
  auto response = inner_->stream(request, stop, [&](std::string_view line) {
    if (!std::exchange(answered, true)) health_.api_answered("");
    return on_line(line);
  });
  if (!stop.stop_requested()) note("watch", response);
  return response;
}

}  // namespace reconciler
