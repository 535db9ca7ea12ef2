// Where the API server is and who we are to it: a kubeconfig, or the service account of the pod we run in.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "http/client.h"

namespace reconciler {

struct ClusterAccess {
  HttpClientSettings http;
  std::string default_namespace = "default";  ///< the context's, or the pod's own
  std::string from;                           ///< for the log: `context shop of /home/me/.kube/config`
};

/// What the user chose; the environment answers for the rest.
struct AccessChoice {
  std::string kubeconfig;  ///< --kubeconfig; empty: `KUBECONFIG`, `~/.kube/config`, in-cluster
  std::string context;     ///< --context; empty: current-context
};

/// The value of an environment variable; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The environment of this process.
std::optional<std::string> process_environment(const std::string& name);

/// Finds the cluster as kubectl does. Refused with `Invalid`: exec and auth-provider entries, insecure-skip-tls-verify,
/// and what would otherwise be ignored silently. A proxy comes from `proxy-url`, else `HTTPS_PROXY` and `NO_PROXY`.
Result<ClusterAccess> find_cluster(const AccessChoice& choice, const Environment& environment = process_environment);

/// One kubeconfig out of several: of each name the first one counts, and of each other value. Relative paths in
/// `later` must have been made absolute.
Json merged_kubeconfig(Json first, const Json& later);

/// The access that a context of a kubeconfig describes; `context` empty means its current-context.
Result<ClusterAccess> access_of(const Json& kubeconfig, const std::string& context, const std::string& file);

/// Is this host exempt from proxies by a `NO_PROXY` list (names, .suffixes, addresses, `*`)? Loopback always is.
bool bypasses_proxy(const std::string& host, const std::string& no_proxy);

}  // namespace reconciler
