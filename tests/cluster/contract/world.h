// What the contract of the Cluster port is tested with: a cluster under test, a door behind its back to the same API
// server, and objects to put there.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/json.h"
#include "cluster/kubernetes_cluster.h"
#include "http/client.h"
#include "rollout/rollout.h"

namespace reconciler {

/// The cluster that `SERIN_TEST_KUBECONFIG` names, with its caches filled.
std::unique_ptr<KubernetesCluster> open_cluster();

KubernetesClusterSettings test_settings();

/// The address of the API server under test with another port on loopback.
std::string base_url_at(int port);
int server_port();

/// As `open_cluster`, by way of another port; a watch counts as dead after `stream_idle`.
std::unique_ptr<KubernetesCluster> open_cluster_at(int port, Duration stream_idle);

/// Somebody else at the same API server.
class Backdoor {
 public:
  Backdoor();
  Json get(const std::string& path);  ///< null when it does not exist
  Json post(const std::string& path, const Json& object);
  Json merge(const std::string& path, const Json& patch);
  void remove(const std::string& path);

 private:
  std::unique_ptr<HttpClient> http_;
};

/// A namespace of its own for a test; it exists when this returns.
std::string new_namespace(Cluster& cluster);

/// Waits until `condition` holds; false when it does not within a generous time.
bool eventually(const std::function<bool()>& condition);

Json json(std::string_view text);

/// A rollout called `checkout` and the objects that belong to it.
Rollout checkout(const std::string& ns);
Json replica_set(const std::string& ns, const std::string& hash, const std::string& image, int replicas);
Json service(const std::string& ns, const std::string& name);
Json virtual_service(const std::string& ns, int stable, int canary);
Json config_map(const std::string& ns, const std::string& name, const std::string& value);

/// Istio's VirtualService, as far as the tests need it.
Json virtual_service_definition();

/// A definition of a kind of that group, version v1, plural by adding an s.
Json definition(const std::string& group, const std::string& kind);

/// The cluster knows VirtualServices from here on.
void need_virtual_services(Cluster& cluster);

/// The workload of that hash; empty name when it is not there.
Workload workload(Cluster& cluster, const Rollout& rollout, const std::string& hash);

std::string path(const std::string& ns, const std::string& plural, const std::string& name);

}  // namespace reconciler
