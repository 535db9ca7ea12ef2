// The `Lease` port over a coordination.k8s.io/v1 Lease.
#pragma once

#include <memory>
#include <string>

#include "base/json.h"
#include "http/client.h"
#include "lease.h"

namespace reconciler {

struct LeaseName {
  std::string ns = "default";
  std::string name = "serin-serin";
};

class KubernetesLease : public Lease {
 public:
  /// With a connection of its own, so that no other call delays it; `Invalid` when the settings cannot be used.
  static Result<std::unique_ptr<KubernetesLease>> open(const HttpClientSettings& http, LeaseName name);
  ~KubernetesLease() override;

  Result<std::optional<LeaseRecord>> read() override;
  /// Creates the namespace when that is what is missing.
  Result<LeaseRecord> write(const LeaseRecord& record) override;

  struct Parts;
  explicit KubernetesLease(std::unique_ptr<Parts> parts);  ///< for `open`

 private:
  std::unique_ptr<Parts> parts_;
};

/// The object that holds a record, and the record that an object holds.
Json lease_object(const LeaseName& name, const LeaseRecord& record);
LeaseRecord lease_record(const Json& object);

}  // namespace reconciler
