// The Kubernetes API as calls: paths from kinds, bounded retries of 429, and each refusal sorted by what to do about
// it.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <stop_token>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "cluster/pace.h"
#include "http/client.h"

namespace reconciler {

/// Where objects of a kind live.
struct Resource {
  std::string api_version;
  std::string plural;
  bool namespaced = true;
  bool operator==(const Resource&) const = default;
};

/// One call about one object, or about a collection when `name` is empty.
struct ApiCall {
  std::string method = "GET";
  std::string path = {};
  std::string content_type = "application/json";
  Json body = nullptr;               ///< none when null
  std::string about = {};            ///< for messages: `apply ConfigMap shop/settings`
  Duration timeout = 30s;            ///< of each try, and for all waiting that a busy server asks for
  bool waits_when_throttled = true;  ///< and tries again; an eviction is refused in the same words
  bool of_existing = false;          ///< not found is the object itself; else it may be its namespace, and that comes
  bool secret = false;               ///< the server's words may quote the object, so they are not repeated
};

class KubernetesApi {
 public:
  /// `calls_per_second`: a limit of our own beside the server's; none when zero.
  explicit KubernetesApi(std::unique_ptr<HttpClient> http, int calls_per_second = 0);

  /// What the server answers with; an answer other than 2xx is an error (see `error_of`).
  Result<Json> call(const ApiCall& call);

  /// As `call`, but an object that does not exist is nothing.
  Result<std::optional<Json>> find_object(const ApiCall& call);

  /// Hands over each line of a watch. See HttpClient::stream.
  Result<HttpResponse> watch(const std::string& path, std::stop_token stop,
                             const std::function<bool(std::string_view)>& on_line);

  /// Where a kind lives, from the server's discovery; remembered once found. Nothing when the server does not know it.
  Result<std::optional<Resource>> discover(const std::string& api_version, const std::string& kind);

  /// What is known of a version is asked for anew the next time.
  void forget_kinds(const std::string& api_version);

  /// The version that the server prefers of a group: `networking.istio.io/v1`; nothing when it has none.
  Result<std::optional<std::string>> preferred_version(const std::string& group);

  /// Ends the waits of calls in progress.
  void stop();

 private:
  Result<HttpResponse> send(const ApiCall& call);
  bool wait(std::chrono::nanoseconds time);
  bool wait_for_turn();

  std::unique_ptr<HttpClient> http_;
  std::counting_semaphore<> in_flight_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stopped_ = false;
  Pace pace_;
  std::map<std::string, std::map<std::string, Resource>> kinds_;  ///< by apiVersion, then kind
};

/// `/apis/apps/v1/namespaces/shop/replicasets/checkout`; the collection when `name` is empty, that of all namespaces
/// when `ns` is empty too.
std::string path_of(const Resource& resource, const std::string& ns, const std::string& name);

/// What a refusal means. `Conflict`: a version, uid or patch test did not hold, or the object is gone. `Transient`:
/// busy, broken, or waiting for something else to exist. `Invalid`: refused for good.
Error error_of(const HttpResponse& response, const ApiCall& call);

}  // namespace reconciler
