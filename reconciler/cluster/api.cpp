#include "cluster/api.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"

namespace reconciler {

namespace {

constexpr std::ptrdiff_t kInFlightMax = 16;
constexpr int kThrottledTries = 4;
constexpr Duration kThrottledWaitMax = 5s;
constexpr size_t kMessageBytesMax = 500;

/// One line of at most so many bytes.
std::string shortened(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  if (text.size() > kMessageBytesMax) text = text.substr(0, kMessageBytesMax) + "...";
  return text;
}

/// What the server says about it: its Status object's message, else the start of the text.
std::string words_of(const HttpResponse& response, const Json& status, const ApiCall& call) {
  std::string reason = text_at(status, {"reason"}, "HTTP " + std::to_string(response.status));
  if (call.secret) return reason;
  std::string message = text_at(status, {"message"});
  return redact(shortened(message.empty() ? "HTTP " + std::to_string(response.status) + " " + response.body : message));
}

bool has_cause(const Json& status, std::string_view cause) {
  const Json* causes = find(status, {"details", "causes"});
  return causes != nullptr && causes->is_array() && std::any_of(causes->begin(), causes->end(), [&](const Json& one) {
           return text_at(one, {"reason"}) == cause;
         });
}

/// A JSON patch whose test fails is a bare 422: only a refused object comes with causes.
bool is_failed_test(const HttpResponse& response, const Json& status, const ApiCall& call) {
  return response.status == 422 && call.content_type == "application/json-patch+json" &&
         find(status, {"details", "causes"}) == nullptr;
}

/// Server-side apply answers 500 for an object that does not fit the schema; trying that again would never end.
bool is_misfit(const std::string& words) {
  return words.find("field not declared in schema") != words.npos ||
         words.find("failed to create typed patch object") != words.npos;
}

ErrorKind kind_of(const HttpResponse& response, const Json& status, const ApiCall& call, const std::string& words) {
  int code = response.status;
  if (code == 409 || code == 410 || is_failed_test(response, status, call)) return ErrorKind::Conflict;
  const bool applies = call.content_type == "application/apply-patch+yaml";
  const bool may_create = (call.method == "POST" || applies) && !call.of_existing;
  if (code == 404) return may_create ? ErrorKind::Transient : ErrorKind::Conflict;  // its namespace may come yet
  if (code == 403 && has_cause(status, "NamespaceTerminating")) return ErrorKind::Transient;
  if (code == 401 || code == 408 || code == 429) return ErrorKind::Transient;
  if (code >= 500 && !is_misfit(words)) return ErrorKind::Transient;
  return ErrorKind::Invalid;
}

/// Seconds of a Retry-After header; a date there counts as one second.
Duration retry_after(const HttpResponse& response) {
  auto header = response.headers.find("retry-after");
  if (header == response.headers.end()) return 1s;
  int seconds = 1;
  std::from_chars(header->second.data(), header->second.data() + header->second.size(), seconds);
  return std::chrono::seconds(std::max(seconds, 0));
}

std::string group_path(const std::string& api_version) {
  return api_version.find('/') == std::string::npos ? "/api/" + api_version : "/apis/" + api_version;
}

std::map<std::string, Resource> kinds_in(const Json& list, const std::string& api_version) {
  std::map<std::string, Resource> kinds;
  const Json* resources = find(list, {"resources"});
  if (resources == nullptr || !resources->is_array()) return kinds;
  for (const Json& resource : *resources) {
    std::string plural = text_at(resource, {"name"});
    if (plural.empty() || plural.find('/') != plural.npos) continue;  // a subresource
    kinds[text_at(resource, {"kind"})] = {
        .api_version = api_version, .plural = plural, .namespaced = flag_at(resource, {"namespaced"})};
  }
  return kinds;
}

}  // namespace

KubernetesApi::KubernetesApi(std::unique_ptr<HttpClient> http, int calls_per_second)
    : http_(std::move(http)),
      in_flight_(kInFlightMax),
      pace_(calls_per_second == 0 ? 0ns : std::chrono::nanoseconds(1s) / calls_per_second, 2 * calls_per_second + 1) {}

/// Sleeps unless stopped; false when stopped.
bool KubernetesApi::wait(std::chrono::nanoseconds time) {
  std::unique_lock lock(mutex_);
  return !stopping_.wait_for(lock, time, [this] { return stopped_; });
}

/// Until our own rate limit lets the next call through; false when stopped.
bool KubernetesApi::wait_for_turn() {
  std::chrono::nanoseconds pause;
  {
    std::lock_guard lock(mutex_);
    pause = pace_.reserve(std::chrono::steady_clock::now().time_since_epoch());
  }
  return pause == 0ns || wait(pause);
}

void KubernetesApi::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  stopping_.notify_all();
}

Result<HttpResponse> KubernetesApi::send(const ApiCall& call) {
  HttpRequest request;
  request.method = call.method;
  request.path = call.path;
  request.timeout = call.timeout;
  request.headers["Accept"] = "application/json";
  if (!call.body.is_null()) {
    request.headers["Content-Type"] = call.content_type;
    request.body = dump(call.body);
  }
  Duration waited{0};
  for (int tries = 1;; ++tries) {
    if (!wait_for_turn()) return transient("stopped");
    in_flight_.acquire();
    auto response = http_->request(request);
    in_flight_.release();
    const bool throttled = response && response->status == 429 && call.waits_when_throttled;
    if (!throttled || tries == kThrottledTries) return response;
    Duration pause = retry_after(*response);
    waited += pause;
    if (pause > kThrottledWaitMax || waited > call.timeout || !wait(pause)) return response;
  }
}

Result<Json> KubernetesApi::call(const ApiCall& call) {
  auto response = send(call);
  if (!response) return Error{response.error().kind, call.about + ": " + response.error().message};
  if (response->status < 200 || response->status > 299) return error_of(*response, call);
  if (response->body.empty()) return Json::object();
  auto answer = parse_json(response->body);
  if (!answer) return transient(call.about + ": the server's answer is no JSON");
  return answer;
}

Result<std::optional<Json>> KubernetesApi::find_object(const ApiCall& call) {
  auto response = send(call);
  if (!response) return Error{response.error().kind, call.about + ": " + response.error().message};
  if (response->status == 404) return std::optional<Json>();
  if (response->status < 200 || response->status > 299) return error_of(*response, call);
  auto answer = parse_json(response->body);
  if (!answer) return transient(call.about + ": the server's answer is no JSON");
  return std::optional<Json>(*std::move(answer));
}

Result<HttpResponse> KubernetesApi::watch(const std::string& path, std::stop_token stop,
                                          const std::function<bool(std::string_view)>& on_line) {
  HttpRequest request;
  request.path = path;
  request.headers["Accept"] = "application/json";
  return http_->stream(request, stop, on_line);
}

Result<std::optional<Resource>> KubernetesApi::discover(const std::string& api_version, const std::string& kind) {
  auto known = [&]() -> std::optional<Resource> {
    std::lock_guard lock(mutex_);
    auto version = kinds_.find(api_version);
    if (version == kinds_.end()) return std::nullopt;
    auto resource = version->second.find(kind);
    return resource == version->second.end() ? std::nullopt : std::optional(resource->second);
  };
  if (auto resource = known()) return resource;
  // A miss always asks again: the kind may have come since.
  auto list = find_object({.path = group_path(api_version), .about = "discover " + api_version});
  if (!list) return list.error();
  if (!*list) return std::optional<Resource>();
  {
    std::lock_guard lock(mutex_);
    kinds_[api_version] = kinds_in(**list, api_version);
  }
  return known();
}

void KubernetesApi::forget_kinds(const std::string& api_version) {
  std::lock_guard lock(mutex_);
  kinds_.erase(api_version);
}

Result<std::optional<std::string>> KubernetesApi::preferred_version(const std::string& group) {
  auto answer = find_object({.path = "/apis/" + group, .about = "discover " + group});
  if (!answer) return answer.error();
  if (!*answer) return std::optional<std::string>();
  return std::optional(text_at(**answer, {"preferredVersion", "groupVersion"}));
}

std::string path_of(const Resource& resource, const std::string& ns, const std::string& name) {
  std::string path = group_path(resource.api_version);
  if (resource.namespaced && !ns.empty()) path += "/namespaces/" + percent_encoded(ns);
  path += "/" + resource.plural;
  if (!name.empty()) path += "/" + percent_encoded(name);
  return path;
}

Error error_of(const HttpResponse& response, const ApiCall& call) {
  auto parsed = parse_json(response.body);
  Json status = parsed ? *parsed : Json();
  std::string words = words_of(response, status, call);
  return {kind_of(response, status, call, words), call.about + ": " + words};
}

}  // namespace reconciler
