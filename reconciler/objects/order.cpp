#include "objects/order.h"

#include <algorithm>
#include <array>

namespace reconciler {

int apply_rank(const ObjectKey& key) {
  using namespace std::string_view_literals;
  static constexpr std::array kFirst{"CustomResourceDefinition"sv, "Namespace"sv, "ClusterRole"sv};
  static constexpr std::array kThen{"ClusterRoleBinding"sv, "ResourceQuota"sv, "ServiceAccount"sv, "Role"sv,
                                    "RoleBinding"sv,        "ConfigMap"sv,     "Secret"sv,         "Service"sv,
                                    "LimitRange"sv};
  static constexpr std::array kWorkloads{"Deployment"sv, "StatefulSet"sv, "DaemonSet"sv, "ReplicaSet"sv,
                                         "Job"sv,        "CronJob"sv,     "Pod"sv};
  // What can refuse all that comes after it comes last; so do API services, whose kinds nothing here may need.
  static constexpr std::array kLast{"ValidatingWebhookConfiguration"sv, "MutatingWebhookConfiguration"sv,
                                    "ValidatingAdmissionPolicyBinding"sv, "MutatingAdmissionPolicyBinding"sv,
                                    "APIService"sv};
  auto place_in = [&](const auto& kinds) {
    return int(std::find(kinds.begin(), kinds.end(), key.kind) - kinds.begin());
  };
  constexpr int kClass = int(kFirst.size()), kAfterClass = kClass + 1;
  constexpr int kRest = kAfterClass + int(kThen.size());
  if (const int place = place_in(kFirst); place < kClass) return place;
  if (key.ns.empty() && key.kind.ends_with("Class")) return kClass;
  if (const int place = place_in(kThen); place < int(kThen.size())) return kAfterClass + place;
  if (place_in(kWorkloads) < int(kWorkloads.size())) return kRest;
  if (place_in(kLast) < int(kLast.size())) return kRest + 3;
  return key.kind == "PodDisruptionBudget" ? kRest + 1 : kRest + 2;
}

bool is_definition(const ObjectKey& key) {
  return key.group == "apiextensions.k8s.io" && key.kind == "CustomResourceDefinition";
}

}  // namespace reconciler
