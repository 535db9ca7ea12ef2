#include "manifest/names.h"

#include <algorithm>
#include <array>

#include "base/format.h"

namespace reconciler {
namespace {

struct Scope {
  std::string_view group;
  std::string_view kinds;  ///< separated by blanks
};

// Built-in kinds, and those of well-known operators.
constexpr std::array kClusterScoped = {
    Scope{"", "Namespace Node PersistentVolume ComponentStatus"},
    Scope{"rbac.authorization.k8s.io", "ClusterRole ClusterRoleBinding"},
    Scope{"apiextensions.k8s.io", "CustomResourceDefinition"},
    Scope{"apiregistration.k8s.io", "APIService"},
    Scope{"admissionregistration.k8s.io",
          "MutatingWebhookConfiguration ValidatingWebhookConfiguration ValidatingAdmissionPolicy "
          "ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding"},
    Scope{"storage.k8s.io", "StorageClass VolumeAttachment CSIDriver CSINode VolumeAttributesClass"},
    Scope{"scheduling.k8s.io", "PriorityClass"},
    Scope{"node.k8s.io", "RuntimeClass"},
    Scope{"networking.k8s.io", "IngressClass IPAddress ServiceCIDR"},
    Scope{"certificates.k8s.io", "CertificateSigningRequest ClusterTrustBundle"},
    Scope{"flowcontrol.apiserver.k8s.io", "FlowSchema PriorityLevelConfiguration"},
    Scope{"policy", "PodSecurityPolicy"},
    Scope{"resource.k8s.io", "DeviceClass ResourceSlice"},
    Scope{"gateway.networking.k8s.io", "GatewayClass"},
    Scope{"policy.networking.k8s.io", "AdminNetworkPolicy BaselineAdminNetworkPolicy"},
    Scope{"snapshot.storage.k8s.io", "VolumeSnapshotClass VolumeSnapshotContent"},
    Scope{"cert-manager.io", "ClusterIssuer"},
    Scope{"argoproj.io", "ClusterAnalysisTemplate ClusterWorkflowTemplate"},
    Scope{"kyverno.io", "ClusterPolicy ClusterCleanupPolicy"},
    Scope{"external-secrets.io", "ClusterSecretStore ClusterExternalSecret"},
    Scope{"karpenter.sh", "NodePool NodeClaim"},
    Scope{"karpenter.k8s.aws", "EC2NodeClass"},
    Scope{"cilium.io", "CiliumClusterwideNetworkPolicy"},
    Scope{"crd.projectcalico.org", "GlobalNetworkPolicy GlobalNetworkSet IPPool FelixConfiguration BGPConfiguration"},
    Scope{"projectcalico.org", "GlobalNetworkPolicy GlobalNetworkSet IPPool FelixConfiguration BGPConfiguration"},
    Scope{"templates.gatekeeper.sh", "ConstraintTemplate"},
    Scope{"apiextensions.crossplane.io", "Composition CompositeResourceDefinition"},
    Scope{"pkg.crossplane.io", "Provider Configuration Function"},
};

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_label(std::string_view text) {
  auto fits = [](char c) { return is_letter_or_digit(c) || c == '-'; };
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), fits) &&
         is_letter_or_digit(text.front()) && is_letter_or_digit(text.back());
}

/// Labels joined by points. The labels may be longer than 63 here, as Kubernetes allows.
bool is_subdomain(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  for (;;) {
    size_t end = std::min(text.find('.'), text.size());
    std::string_view part = text.substr(0, end);
    auto fits = [](char c) { return is_letter_or_digit(c) || c == '-'; };
    if (part.empty() || !std::all_of(part.begin(), part.end(), fits) || part.front() == '-' || part.back() == '-')
      return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_path_segment(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text != "." && text != ".." && text.find_first_of("/%") == text.npos;
}

/// A name as it is shown in a message: short and printable.
std::string shown(std::string_view name) { return dump(Json(name.size() > 80 ? name.substr(0, 80) : name)); }

}  // namespace

std::optional<std::string> name_trouble(std::string_view group, std::string_view name) {
  bool fits = group == "rbac.authorization.k8s.io" ? is_path_segment(name) : is_subdomain(name);
  if (fits) return std::nullopt;
  return format("must be a name of a-z, 0-9, - and . (at most 253), is {}", shown(name));
}

std::optional<std::string> label_trouble(std::string_view text) {
  if (is_label(text)) return std::nullopt;
  return format("must be a name of a-z, 0-9 and - (at most 63), is {}", shown(text));
}

bool is_cluster_scoped(std::string_view group, std::string_view kind) {
  if (group == "constraints.gatekeeper.sh") return true;
  for (const Scope& scope : kClusterScoped) {
    if (scope.group != group) continue;
    for (size_t at = 0; (at = scope.kinds.find(kind, at)) != scope.kinds.npos; ++at) {
      size_t end = at + kind.size();
      bool whole = (at == 0 || scope.kinds[at - 1] == ' ') && (end == scope.kinds.size() || scope.kinds[end] == ' ');
      if (whole) return true;
    }
  }
  return false;
}

}  // namespace reconciler
