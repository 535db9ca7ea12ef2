// Where the API server is and who we are to it: a kubeconfig, or the service account of the pod we run in.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "cluster/exec_plugin.h"
#include "cluster/proxy.h"
#include "http/client.h"

namespace reconciler {

struct ClusterAccess {
  HttpClientSettings http;
  std::optional<ExecPlugin> exec;             ///< who hands out the token, when that was allowed
  std::string default_namespace = "default";  ///< the context's, or the pod's own
  std::string from;                           ///< for the log: `context shop of /home/me/.kube/config`
};

/// May a kubeconfig say which program is run?
enum class ExecPlugins { Refused, Allowed };

/// What the user chose; the environment answers for the rest.
struct AccessChoice {
  std::string kubeconfig;  ///< --kubeconfig; empty: `KUBECONFIG`, `~/.kube/config`, in-cluster
  std::string context;     ///< --context; empty: current-context
  ExecPlugins exec_plugins = ExecPlugins::Refused;
  std::string service_account = "/var/run/secrets/kubernetes.io/serviceaccount";  ///< where a pod finds its own
};

/// The environment of this process.
std::optional<std::string> process_environment(const std::string& name);

/// Finds the cluster as kubectl does. Refused with `Invalid`: exec entries unless they are allowed, auth-provider
/// entries, insecure-skip-tls-verify, and what would otherwise be ignored silently. A proxy comes from `proxy-url`,
/// else `HTTPS_PROXY` and `NO_PROXY`.
Result<ClusterAccess> find_cluster(const AccessChoice& choice, const Environment& environment = process_environment);

/// One kubeconfig out of several: of each name the first one counts, and of each other value. Relative paths in
/// `later` must have been made absolute.
Json merged_kubeconfig(Json first, const Json& later);

/// The access that a context of a kubeconfig describes; `choice.context` empty means its current-context.
Result<ClusterAccess> access_of(const Json& kubeconfig, const AccessChoice& choice, const std::string& file);

}  // namespace reconciler
