// The embedded cluster: a world in memory behind a Kubernetes API and a Prometheus API on one loopback port. A demo
// and a test double; nothing is stored on disk.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "ports.h"
#include "sim/world.h"

namespace reconciler {

struct EmbeddedClusterOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  ///< zero: any free one
  Duration ready_after = 0ms;
  double requests_per_second = 10;  ///< per route of each VirtualService; 0: no traffic
  std::string request_log = {};     ///< file that gets one line per answered request; empty: none
};

class EmbeddedCluster {
 public:
  /// Listens and runs; `Transient` when the address or the log file cannot be used. `clock` must outlive it.
  static Result<std::unique_ptr<EmbeddedCluster>> start(const EmbeddedClusterOptions& options, Clock& clock);
  /// Ends all watches and stops.
  ~EmbeddedCluster();

  uint16_t port() const;
  /// `http://127.0.0.1:PORT`.
  std::string url() const;
  /// The base address of the Prometheus API.
  std::string prometheus_url() const { return url() + "/prometheus"; }
  /// A kubeconfig file's text.
  std::string kubeconfig() const;
  /// Runs `use` on the world, at the present time, while no request is answered.
  void with_world(const std::function<void(World&)>& use);

  struct Parts;
  explicit EmbeddedCluster(std::unique_ptr<Parts> parts);  // for start()

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace reconciler
