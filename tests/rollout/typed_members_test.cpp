// Every type of the pod API, member by member: a double entry of the table in reconciler/rollout/pod_template_hash.cpp.
// A member out of order, or written when it should be left out, changes hashes, and with them restarts pods.
#include <nlohmann/json.hpp>

#include "rollout/pod_template_hash.h"

#include "catch.h"

using namespace reconciler;

namespace {

/// Where a type stands in a template, and its members in order. A mark says when one is left out: `?` absent, zero or
/// empty, `*` or `~` only when absent; none: never.
struct Row {
  const char* place;
  const char* members;
};

// clang-format off
constexpr Row kRows[] = {
    {"", "metadata spec"},
    {"/metadata", "name? generateName? namespace? selfLink? uid? resourceVersion? generation? creationTimestamp~ deletionTimestamp* deletionGracePeriodSeconds* labels? annotations? ownerReferences? finalizers? managedFields?"},
    {"/spec/volumes/0/ephemeral/volumeClaimTemplate/metadata", "name? generateName? namespace? selfLink? uid? resourceVersion? generation? creationTimestamp~ deletionTimestamp* deletionGracePeriodSeconds* labels? annotations? ownerReferences? finalizers? managedFields?"},
    {"/spec", "volumes? initContainers? containers ephemeralContainers? restartPolicy? terminationGracePeriodSeconds* activeDeadlineSeconds* dnsPolicy? nodeSelector? serviceAccountName? serviceAccount? automountServiceAccountToken* nodeName? hostNetwork? hostPID? hostIPC? shareProcessNamespace* securityContext* imagePullSecrets? hostname? subdomain? affinity* schedulerName? tolerations? hostAliases? priorityClassName? priority* dnsConfig* readinessGates? runtimeClassName* enableServiceLinks* preemptionPolicy* overhead? topologySpreadConstraints? setHostnameAsFQDN* os* hostUsers* schedulingGates? resourceClaims? resources* hostnameOverride*"},
    {"/spec/containers/0", "name image? command? args? workingDir? ports? envFrom? env? resources resizePolicy? restartPolicy* restartPolicyRules? volumeMounts? volumeDevices? livenessProbe* readinessProbe* startupProbe* lifecycle* terminationMessagePath? terminationMessagePolicy? imagePullPolicy? securityContext* stdin? stdinOnce? tty?"},
    {"/spec/initContainers/0", "name image? command? args? workingDir? ports? envFrom? env? resources resizePolicy? restartPolicy* restartPolicyRules? volumeMounts? volumeDevices? livenessProbe* readinessProbe* startupProbe* lifecycle* terminationMessagePath? terminationMessagePolicy? imagePullPolicy? securityContext* stdin? stdinOnce? tty?"},
    {"/spec/containers/0/ports/0", "name? hostPort? containerPort protocol? hostIP?"},
    {"/spec/containers/0/env/0", "name value? valueFrom*"},
    {"/spec/containers/0/env/0/valueFrom", "fieldRef* resourceFieldRef* configMapKeyRef* secretKeyRef* fileKeyRef*"},
    {"/spec/containers/0/envFrom/0", "prefix? configMapRef* secretRef*"},
    {"/spec/containers/0/envFrom/0/configMapRef", "name? optional*"},
    {"/spec/containers/0/envFrom/0/secretRef", "name? optional*"},
    {"/spec/containers/0/env/0/valueFrom/configMapKeyRef", "name? key optional*"},
    {"/spec/containers/0/env/0/valueFrom/secretKeyRef", "name? key optional*"},
    {"/spec/containers/0/env/0/valueFrom/fileKeyRef", "volumeName path key optional*"},
    {"/spec/containers/0/env/0/valueFrom/fieldRef", "apiVersion? fieldPath"},
    {"/spec/volumes/0/downwardAPI/items/0/fieldRef", "apiVersion? fieldPath"},
    {"/spec/containers/0/env/0/valueFrom/resourceFieldRef", "containerName? resource divisor"},
    {"/spec/volumes/0/downwardAPI/items/0/resourceFieldRef", "containerName? resource divisor"},
    {"/spec/containers/0/resources", "limits? requests? claims?"},
    {"/spec/resources", "limits? requests? claims?"},
    {"/spec/containers/0/resources/claims/0", "name request?"},
    {"/spec/containers/0/resizePolicy/0", "resourceName restartPolicy"},
    {"/spec/containers/0/restartPolicyRules/0", "action? exitCodes*"},
    {"/spec/containers/0/restartPolicyRules/0/exitCodes", "operator? values?"},
    {"/spec/containers/0/volumeMounts/0", "name readOnly? recursiveReadOnly* mountPath subPath? mountPropagation* subPathExpr?"},
    {"/spec/containers/0/volumeDevices/0", "name devicePath"},
    {"/spec/containers/0/livenessProbe", "exec* httpGet* tcpSocket* grpc* initialDelaySeconds? timeoutSeconds? periodSeconds? successThreshold? failureThreshold? terminationGracePeriodSeconds*"},
    {"/spec/containers/0/readinessProbe", "exec* httpGet* tcpSocket* grpc* initialDelaySeconds? timeoutSeconds? periodSeconds? successThreshold? failureThreshold? terminationGracePeriodSeconds*"},
    {"/spec/containers/0/startupProbe", "exec* httpGet* tcpSocket* grpc* initialDelaySeconds? timeoutSeconds? periodSeconds? successThreshold? failureThreshold? terminationGracePeriodSeconds*"},
    {"/spec/containers/0/livenessProbe/exec", "command?"},
    {"/spec/containers/0/livenessProbe/httpGet", "path? port host? scheme? httpHeaders?"},
    {"/spec/containers/0/livenessProbe/httpGet/httpHeaders/0", "name value"},
    {"/spec/containers/0/livenessProbe/tcpSocket", "port host?"},
    {"/spec/containers/0/livenessProbe/grpc", "port service"},
    {"/spec/containers/0/lifecycle", "postStart* preStop* stopSignal*"},
    {"/spec/containers/0/lifecycle/postStart", "exec* httpGet* tcpSocket* sleep*"},
    {"/spec/containers/0/lifecycle/preStop", "exec* httpGet* tcpSocket* sleep*"},
    {"/spec/containers/0/lifecycle/preStop/sleep", "seconds"},
    {"/spec/containers/0/securityContext", "capabilities* privileged* seLinuxOptions* windowsOptions* runAsUser* runAsGroup* runAsNonRoot* readOnlyRootFilesystem* allowPrivilegeEscalation* procMount* seccompProfile* appArmorProfile*"},
    {"/spec/containers/0/securityContext/capabilities", "add? drop?"},
    {"/spec/securityContext", "seLinuxOptions* windowsOptions* runAsUser* runAsGroup* runAsNonRoot* supplementalGroups? supplementalGroupsPolicy* fsGroup* sysctls? fsGroupChangePolicy* seccompProfile* appArmorProfile* seLinuxChangePolicy*"},
    {"/spec/securityContext/seLinuxOptions", "user? role? type? level?"},
    {"/spec/securityContext/seccompProfile", "type localhostProfile*"},
    {"/spec/containers/0/securityContext/appArmorProfile", "type localhostProfile*"},
    {"/spec/securityContext/sysctls/0", "name value"},
    {"/spec/containers/0/securityContext/windowsOptions", "gmsaCredentialSpecName* gmsaCredentialSpec* runAsUserName* hostProcess*"},
    {"/spec/affinity", "nodeAffinity* podAffinity* podAntiAffinity*"},
    {"/spec/affinity/nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution* preferredDuringSchedulingIgnoredDuringExecution?"},
    {"/spec/affinity/podAffinity", "requiredDuringSchedulingIgnoredDuringExecution? preferredDuringSchedulingIgnoredDuringExecution?"},
    {"/spec/affinity/podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution? preferredDuringSchedulingIgnoredDuringExecution?"},
    {"/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"},
    {"/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0", "matchExpressions? matchFields?"},
    {"/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchExpressions/0", "key operator values?"},
    {"/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution/0", "weight preference"},
    {"/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/0", "weight podAffinityTerm"},
    {"/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/0", "labelSelector* namespaces? topologyKey namespaceSelector* matchLabelKeys? mismatchLabelKeys?"},
    {"/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/0/labelSelector", "matchLabels? matchExpressions?"},
    {"/spec/tolerations/0", "key? operator? value? effect? tolerationSeconds*"},
    {"/spec/topologySpreadConstraints/0", "maxSkew topologyKey whenUnsatisfiable labelSelector* minDomains* nodeAffinityPolicy* nodeTaintsPolicy* matchLabelKeys?"},
    {"/spec/hostAliases/0", "ip hostnames?"},
    {"/spec/dnsConfig", "nameservers? searches? options?"},
    {"/spec/dnsConfig/options/0", "name? value*"},
    {"/spec/readinessGates/0", "conditionType"},
    {"/spec/os", "name"},
    {"/spec/schedulingGates/0", "name"},
    {"/spec/resourceClaims/0", "name resourceClaimName* resourceClaimTemplateName*"},
    {"/spec/imagePullSecrets/0", "name?"},
    {"/spec/volumes/0", "name hostPath* emptyDir* gcePersistentDisk* awsElasticBlockStore* gitRepo* secret* nfs* iscsi* glusterfs* persistentVolumeClaim* rbd* flexVolume* cinder* cephfs* flocker* downwardAPI* fc* azureFile* configMap* vsphereVolume* quobyte* azureDisk* photonPersistentDisk* projected* portworxVolume* scaleIO* storageos* csi* ephemeral* image*"},
    {"/spec/volumes/0/hostPath", "path type*"},
    {"/spec/volumes/0/emptyDir", "medium? sizeLimit*"},
    {"/spec/volumes/0/secret", "secretName? items? defaultMode* optional*"},
    {"/spec/volumes/0/configMap", "name? items? defaultMode* optional*"},
    {"/spec/volumes/0/secret/items/0", "key path mode*"},
    {"/spec/volumes/0/nfs", "server path readOnly?"},
    {"/spec/volumes/0/persistentVolumeClaim", "claimName readOnly?"},
    {"/spec/volumes/0/downwardAPI", "items? defaultMode*"},
    {"/spec/volumes/0/downwardAPI/items/0", "path fieldRef* resourceFieldRef* mode*"},
    {"/spec/volumes/0/projected", "sources defaultMode*"},
    {"/spec/volumes/0/projected/sources/0", "secret* downwardAPI* configMap* serviceAccountToken* clusterTrustBundle* podCertificate*"},
    {"/spec/volumes/0/projected/sources/0/secret", "name? items? optional*"},
    {"/spec/volumes/0/projected/sources/0/configMap", "name? items? optional*"},
    {"/spec/volumes/0/projected/sources/0/serviceAccountToken", "audience? expirationSeconds* path"},
    {"/spec/volumes/0/projected/sources/0/clusterTrustBundle", "name* signerName* labelSelector* optional* path"},
    {"/spec/volumes/0/projected/sources/0/podCertificate", "signerName? keyType? maxExpirationSeconds* credentialBundlePath? keyPath? certificateChainPath?"},
    {"/spec/volumes/0/csi", "driver readOnly* fsType* volumeAttributes? nodePublishSecretRef*"},
    {"/spec/volumes/0/ephemeral", "volumeClaimTemplate*"},
    {"/spec/volumes/0/ephemeral/volumeClaimTemplate", "metadata spec"},
    {"/spec/volumes/0/ephemeral/volumeClaimTemplate/spec", "accessModes? selector* resources volumeName? storageClassName* volumeMode* dataSource* dataSourceRef* volumeAttributesClassName*"},
    {"/spec/volumes/0/ephemeral/volumeClaimTemplate/spec/dataSource", "apiGroup kind name"},
    {"/spec/volumes/0/ephemeral/volumeClaimTemplate/spec/dataSourceRef", "apiGroup kind name namespace*"},
    {"/spec/volumes/0/image", "reference? pullPolicy?"},
    {"/spec/volumes/0/iscsi", "targetPortal iqn lun iscsiInterface? fsType? readOnly? portals? chapAuthDiscovery? chapAuthSession? secretRef* initiatorName*"},
    {"/spec/volumes/0/rbd", "monitors image fsType? pool? user? keyring? secretRef* readOnly?"},
    {"/spec/volumes/0/cephfs", "monitors path? user? secretFile? secretRef* readOnly?"},
    {"/spec/volumes/0/fc", "targetWWNs? lun* fsType? readOnly? wwids?"},
    {"/spec/volumes/0/flexVolume", "driver fsType? secretRef* readOnly? options?"},
    {"/spec/volumes/0/cinder", "volumeID fsType? readOnly? secretRef*"},
    {"/spec/volumes/0/glusterfs", "endpoints path readOnly?"},
    {"/spec/volumes/0/gitRepo", "repository revision? directory?"},
    {"/spec/volumes/0/gcePersistentDisk", "pdName fsType? partition? readOnly?"},
    {"/spec/volumes/0/awsElasticBlockStore", "volumeID fsType? partition? readOnly?"},
    {"/spec/volumes/0/azureFile", "secretName shareName readOnly?"},
    {"/spec/volumes/0/azureDisk", "diskName diskURI cachingMode* fsType* readOnly* kind*"},
    {"/spec/volumes/0/vsphereVolume", "volumePath fsType? storagePolicyName? storagePolicyID?"},
    {"/spec/volumes/0/quobyte", "registry volume readOnly? user? group? tenant?"},
    {"/spec/volumes/0/photonPersistentDisk", "pdID fsType?"},
    {"/spec/volumes/0/portworxVolume", "volumeID fsType? readOnly?"},
    {"/spec/volumes/0/scaleIO", "gateway system secretRef sslEnabled? protectionDomain? storagePool? storageMode? volumeName? fsType? readOnly?"},
    {"/spec/volumes/0/storageos", "volumeName? volumeNamespace? fsType? readOnly? secretRef*"},
    {"/spec/volumes/0/flocker", "datasetName? datasetUUID?"},
    {"/spec/ephemeralContainers/0", "name image? command? args? workingDir? ports? envFrom? env? resources resizePolicy? restartPolicy* restartPolicyRules? volumeMounts? volumeDevices? livenessProbe* readinessProbe* startupProbe* lifecycle* terminationMessagePath? terminationMessagePolicy? imagePullPolicy? securityContext* stdin? stdinOnce? tty? targetContainerName?"},
    {"/spec/volumes/0/ephemeral/volumeClaimTemplate/spec/resources", "limits? requests?"},
};
// clang-format on

struct Member {
  std::string name;
  char mark;
};

std::vector<Member> members_of(const Row& row) {
  std::vector<Member> out;
  std::istringstream words(row.members);
  for (std::string word; words >> word;) {
    const bool marked = std::string_view("?*~").find(word.back()) != std::string_view::npos;
    out.push_back({word.substr(0, word.size() - marked), marked ? word.back() : ' '});
  }
  return out;
}

Json template_with(const Row& row, Json value) {
  Json out = Json::object();
  const Json::json_pointer place{std::string(row.place)};
  out[place] = std::move(value);
  return out;
}

bool fits(const Row& row, Json value) {
  const TypedEncoding encoding = encode_pod_template(template_with(row, std::move(value)));
  return encoding.problems.empty() && encoding.unknown.empty();
}

/// The members that are written of this object, in order.
std::vector<std::string> written(const Row& row, Json value) {
  const TypedEncoding encoding = encode_pod_template(template_with(row, std::move(value)));
  CHECK(encoding.problems.empty());
  CHECK(encoding.unknown.empty());
  const auto bytes = nlohmann::ordered_json::parse(encoding.bytes);
  std::vector<std::string> names;
  for (const auto& [name, unused] : bytes.at(nlohmann::ordered_json::json_pointer(row.place)).items())
    names.push_back(name);
  return names;
}

/// Something, and the zero, of the type that a member has; found by trying.
Json some(const Row& row, const std::string& member) {
  for (const Json& value : {Json("1"), Json("2026-11-20T09:14:03Z"), Json(1), Json(true), Json::array({"x"}),
                            Json::array({1}), Json{{"k", "1"}}, Json::array({Json::object()}), Json::object()})
    if (fits(row, {{member, value}})) return value;
  return nullptr;
}

Json zero(const Row& row, const std::string& member) {
  for (const Json& value : {Json(""), Json("0"), Json(0), Json(false), Json::array(), Json::object()})
    if (fits(row, {{member, value}})) return value;
  return nullptr;
}

std::vector<std::string> names_of(const std::vector<Member>& members, std::string_view marks) {
  std::vector<std::string> out;
  for (const Member& member : members)
    if (marks.find(member.mark) != marks.npos) out.push_back(member.name);
  return out;
}

}  // namespace

TEST_CASE("each type of the pod API is written member by member", "[hash]") {
  for (const Row& row : kRows) {
    INFO(row.place << ": " << row.members);
    const auto members = members_of(row);
    Json full = Json::object(), empty = Json::object();
    for (const Member& member : members) {
      INFO(member.name);
      full[member.name] = some(row, member.name);
      CHECK(!full[member.name].is_null());
      if (Json value = zero(row, member.name); !value.is_null()) empty[member.name] = value;
    }
    CHECK(written(row, full) == names_of(members, " ?*~"));
    CHECK(written(row, Json::object()) == names_of(members, " "));
    std::vector<std::string> kept;  // of what is there but empty; a time has no zero
    for (const Member& member : members)
      if (member.mark == ' ' || (member.mark == '*' && empty.contains(member.name))) kept.push_back(member.name);
    CHECK(written(row, empty) == kept);
  }
}
