#include "objects/order.h"

#include <algorithm>
#include <array>

namespace reconciler {

int apply_rank(const ObjectKey& key) {
  using namespace std::string_view_literals;
  static constexpr std::array kFirst{"CustomResourceDefinition"sv,
                                     "Namespace"sv,
                                     "ClusterRole"sv,
                                     "StorageClass"sv,
                                     "PriorityClass"sv,
                                     "ClusterRoleBinding"sv,
                                     "ResourceQuota"sv,
                                     "ServiceAccount"sv,
                                     "Role"sv,
                                     "RoleBinding"sv,
                                     "ConfigMap"sv,
                                     "Secret"sv,
                                     "Service"sv,
                                     "LimitRange"sv};
  static constexpr std::array kWorkloads{"Deployment"sv, "StatefulSet"sv, "DaemonSet"sv, "ReplicaSet"sv,
                                         "Job"sv,        "CronJob"sv,     "Pod"sv};
  static constexpr std::array kLast{"ValidatingWebhookConfiguration"sv, "MutatingWebhookConfiguration"sv,
                                    "ValidatingAdmissionPolicyBinding"sv, "APIService"sv};
  const int first = int(std::find(kFirst.begin(), kFirst.end(), key.kind) - kFirst.begin());
  if (first < int(kFirst.size())) return first;
  const int rest = int(kFirst.size());
  if (std::find(kWorkloads.begin(), kWorkloads.end(), key.kind) != kWorkloads.end()) return rest;
  if (std::find(kLast.begin(), kLast.end(), key.kind) != kLast.end()) return rest + 3;
  return key.kind == "PodDisruptionBudget" ? rest + 1 : rest + 2;
}

}  // namespace reconciler
