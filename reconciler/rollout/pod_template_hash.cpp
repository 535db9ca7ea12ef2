// The hash is over the bytes that a Go program writes for a PodTemplateSpec, so the order of members and what is left
// out are part of it. The table is the pod API, one type a line.
#include "rollout/pod_template_hash.h"

#include "base/format.h"

namespace reconciler {
namespace {

constexpr std::string_view kTemplateTypes = R"(
PodTemplateSpec: metadata:ObjectMeta spec:PodSpec
ObjectMeta: name?:s generateName?:s namespace?:s selfLink?:s uid?:s resourceVersion?:s generation?:i creationTimestamp*:t deletionTimestamp*:t deletionGracePeriodSeconds*:i labels?:{s} annotations?:{s} ownerReferences?:[OwnerReference] finalizers?:[s] managedFields?:[ManagedFields]
OwnerReference: apiVersion:s kind:s name:s uid:s controller*:b blockOwnerDeletion*:b
ManagedFields: manager?:s operation?:s apiVersion?:s time*:t fieldsType?:s fieldsV1*:r subresource?:s
PodSpec: volumes?:[Volume] initContainers?:[Container] containers:[Container] ephemeralContainers?:[EphemeralContainer] restartPolicy?:s terminationGracePeriodSeconds*:i activeDeadlineSeconds*:i dnsPolicy?:s nodeSelector?:{s} serviceAccountName?:s serviceAccount?:s automountServiceAccountToken*:b nodeName?:s hostNetwork?:b hostPID?:b hostIPC?:b shareProcessNamespace*:b securityContext*:PodSecurityContext imagePullSecrets?:[LocalObjectReference] hostname?:s subdomain?:s affinity*:Affinity schedulerName?:s tolerations?:[Toleration] hostAliases?:[HostAlias] priorityClassName?:s priority*:i dnsConfig*:PodDNSConfig readinessGates?:[PodReadinessGate] runtimeClassName*:s enableServiceLinks*:b preemptionPolicy*:s overhead?:{q} topologySpreadConstraints?:[TopologySpreadConstraint] setHostnameAsFQDN*:b os*:Named hostUsers*:b schedulingGates?:[Named] resourceClaims?:[PodResourceClaim] resources*:ResourceRequirements hostnameOverride*:s
Container: name:s image?:s command?:[s] args?:[s] workingDir?:s ports?:[ContainerPort] envFrom?:[EnvFromSource] env?:[EnvVar] resources:ResourceRequirements resizePolicy?:[ContainerResizePolicy] restartPolicy*:s restartPolicyRules?:[ContainerRestartRule] volumeMounts?:[VolumeMount] volumeDevices?:[VolumeDevice] livenessProbe*:Probe readinessProbe*:Probe startupProbe*:Probe lifecycle*:Lifecycle terminationMessagePath?:s terminationMessagePolicy?:s imagePullPolicy?:s securityContext*:SecurityContext stdin?:b stdinOnce?:b tty?:b
EphemeralContainer: name:s image?:s command?:[s] args?:[s] workingDir?:s ports?:[ContainerPort] envFrom?:[EnvFromSource] env?:[EnvVar] resources:ResourceRequirements resizePolicy?:[ContainerResizePolicy] restartPolicy*:s restartPolicyRules?:[ContainerRestartRule] volumeMounts?:[VolumeMount] volumeDevices?:[VolumeDevice] livenessProbe*:Probe readinessProbe*:Probe startupProbe*:Probe lifecycle*:Lifecycle terminationMessagePath?:s terminationMessagePolicy?:s imagePullPolicy?:s securityContext*:SecurityContext stdin?:b stdinOnce?:b tty?:b targetContainerName?:s
ContainerPort: name?:s hostPort?:i containerPort:i protocol?:s hostIP?:s
EnvVar: name:s value?:s valueFrom*:EnvVarSource
EnvVarSource: fieldRef*:ObjectFieldSelector resourceFieldRef*:ResourceFieldSelector configMapKeyRef*:KeySelector secretKeyRef*:KeySelector fileKeyRef*:FileKeySelector
EnvFromSource: prefix?:s configMapRef*:EnvSource secretRef*:EnvSource
EnvSource: name?:s optional*:b
KeySelector: name?:s key:s optional*:b
FileKeySelector: volumeName:s path:s key:s optional*:b
ObjectFieldSelector: apiVersion?:s fieldPath:s
ResourceFieldSelector: containerName?:s resource:s divisor:q
ResourceRequirements: limits?:{q} requests?:{q} claims?:[ResourceClaim]
ResourceClaim: name:s request?:s
ContainerResizePolicy: resourceName:s restartPolicy:s
ContainerRestartRule: action?:s exitCodes*:RestartExitCodes
RestartExitCodes: operator?:s values?:[i]
VolumeMount: name:s readOnly?:b recursiveReadOnly*:s mountPath:s subPath?:s mountPropagation*:s subPathExpr?:s
VolumeDevice: name:s devicePath:s
Probe: exec*:ExecAction httpGet*:HTTPGetAction tcpSocket*:TCPSocketAction grpc*:GRPCAction initialDelaySeconds?:i timeoutSeconds?:i periodSeconds?:i successThreshold?:i failureThreshold?:i terminationGracePeriodSeconds*:i
ExecAction: command?:[s]
HTTPGetAction: path?:s port:x host?:s scheme?:s httpHeaders?:[NameValue]
TCPSocketAction: port:x host?:s
GRPCAction: port:i service:s|null
Lifecycle: postStart*:LifecycleHandler preStop*:LifecycleHandler stopSignal*:s
LifecycleHandler: exec*:ExecAction httpGet*:HTTPGetAction tcpSocket*:TCPSocketAction sleep*:SleepAction
SleepAction: seconds:i
SecurityContext: capabilities*:Capabilities privileged*:b seLinuxOptions*:SELinuxOptions windowsOptions*:WindowsOptions runAsUser*:i runAsGroup*:i runAsNonRoot*:b readOnlyRootFilesystem*:b allowPrivilegeEscalation*:b procMount*:s seccompProfile*:SecurityProfile appArmorProfile*:SecurityProfile
Capabilities: add?:[s] drop?:[s]
PodSecurityContext: seLinuxOptions*:SELinuxOptions windowsOptions*:WindowsOptions runAsUser*:i runAsGroup*:i runAsNonRoot*:b supplementalGroups?:[i] supplementalGroupsPolicy*:s fsGroup*:i sysctls?:[NameValue] fsGroupChangePolicy*:s seccompProfile*:SecurityProfile appArmorProfile*:SecurityProfile seLinuxChangePolicy*:s
SELinuxOptions: user?:s role?:s type?:s level?:s
SecurityProfile: type:s localhostProfile*:s
WindowsOptions: gmsaCredentialSpecName*:s gmsaCredentialSpec*:s runAsUserName*:s hostProcess*:b
Affinity: nodeAffinity*:NodeAffinity podAffinity*:PodAffinity podAntiAffinity*:PodAffinity
NodeAffinity: requiredDuringSchedulingIgnoredDuringExecution*:NodeSelector preferredDuringSchedulingIgnoredDuringExecution?:[PreferredSchedulingTerm]
PodAffinity: requiredDuringSchedulingIgnoredDuringExecution?:[PodAffinityTerm] preferredDuringSchedulingIgnoredDuringExecution?:[WeightedPodAffinityTerm]
NodeSelector: nodeSelectorTerms:[NodeSelectorTerm]
NodeSelectorTerm: matchExpressions?:[Requirement] matchFields?:[Requirement]
Requirement: key:s operator:s values?:[s]
PreferredSchedulingTerm: weight:i preference:NodeSelectorTerm
WeightedPodAffinityTerm: weight:i podAffinityTerm:PodAffinityTerm
PodAffinityTerm: labelSelector*:LabelSelector namespaces?:[s] topologyKey:s namespaceSelector*:LabelSelector matchLabelKeys?:[s] mismatchLabelKeys?:[s]
LabelSelector: matchLabels?:{s} matchExpressions?:[Requirement]
Toleration: key?:s operator?:s value?:s effect?:s tolerationSeconds*:i
TopologySpreadConstraint: maxSkew:i topologyKey:s whenUnsatisfiable:s labelSelector*:LabelSelector minDomains*:i nodeAffinityPolicy*:s nodeTaintsPolicy*:s matchLabelKeys?:[s]
HostAlias: ip:s hostnames?:[s]
PodDNSConfig: nameservers?:[s] searches?:[s] options?:[PodDNSConfigOption]
PodDNSConfigOption: name?:s value*:s
PodReadinessGate: conditionType:s
Named: name:s
NameValue: name:s value:s
PodResourceClaim: name:s resourceClaimName*:s resourceClaimTemplateName*:s
LocalObjectReference: name?:s
Volume: name:s hostPath*:HostPath emptyDir*:EmptyDir gcePersistentDisk*:GCEPersistentDisk awsElasticBlockStore*:AWSElasticBlockStore gitRepo*:GitRepo secret*:SecretVolume nfs*:NFS iscsi*:ISCSI glusterfs*:Glusterfs persistentVolumeClaim*:ClaimVolume rbd*:RBD flexVolume*:FlexVolume cinder*:Cinder cephfs*:CephFS flocker*:Flocker downwardAPI*:DownwardAPI fc*:FC azureFile*:AzureFile configMap*:ConfigMapVolume vsphereVolume*:VsphereVolume quobyte*:Quobyte azureDisk*:AzureDisk photonPersistentDisk*:PhotonDisk projected*:Projected portworxVolume*:Portworx scaleIO*:ScaleIO storageos*:StorageOS csi*:CSI ephemeral*:Ephemeral image*:ImageVolume
HostPath: path:s type*:s
EmptyDir: medium?:s sizeLimit*:q
SecretVolume: secretName?:s items?:[KeyToPath] defaultMode*:i optional*:b
ConfigMapVolume: name?:s items?:[KeyToPath] defaultMode*:i optional*:b
KeyToPath: key:s path:s mode*:i
NFS: server:s path:s readOnly?:b
ClaimVolume: claimName:s readOnly?:b
DownwardAPI: items?:[DownwardAPIFile] defaultMode*:i
DownwardAPIFile: path:s fieldRef*:ObjectFieldSelector resourceFieldRef*:ResourceFieldSelector mode*:i
Projected: sources:[ProjectedSource] defaultMode*:i
ProjectedSource: secret*:ProjectedKeys downwardAPI*:ProjectedDownwardAPI configMap*:ProjectedKeys serviceAccountToken*:ProjectedToken clusterTrustBundle*:TrustBundle podCertificate*:PodCertificate
ProjectedKeys: name?:s items?:[KeyToPath] optional*:b
ProjectedDownwardAPI: items?:[DownwardAPIFile]
ProjectedToken: audience?:s expirationSeconds*:i path:s
TrustBundle: name*:s signerName*:s labelSelector*:LabelSelector optional*:b path:s
PodCertificate: signerName?:s keyType?:s maxExpirationSeconds*:i credentialBundlePath?:s keyPath?:s certificateChainPath?:s
CSI: driver:s readOnly*:b fsType*:s volumeAttributes?:{s} nodePublishSecretRef*:LocalObjectReference
Ephemeral: volumeClaimTemplate*:ClaimTemplate
ClaimTemplate: metadata:ObjectMeta spec:ClaimSpec
ClaimSpec: accessModes?:[s] selector*:LabelSelector resources:ClaimResources volumeName?:s storageClassName*:s volumeMode*:s dataSource*:DataSource dataSourceRef*:DataSourceRef volumeAttributesClassName*:s
ClaimResources: limits?:{q} requests?:{q}
DataSource: apiGroup:s|null kind:s name:s
DataSourceRef: apiGroup:s|null kind:s name:s namespace*:s
ImageVolume: reference?:s pullPolicy?:s
ISCSI: targetPortal:s iqn:s lun:i iscsiInterface?:s fsType?:s readOnly?:b portals?:[s] chapAuthDiscovery?:b chapAuthSession?:b secretRef*:LocalObjectReference initiatorName*:s
RBD: monitors:[s] image:s fsType?:s pool?:s user?:s keyring?:s secretRef*:LocalObjectReference readOnly?:b
CephFS: monitors:[s] path?:s user?:s secretFile?:s secretRef*:LocalObjectReference readOnly?:b
FC: targetWWNs?:[s] lun*:i fsType?:s readOnly?:b wwids?:[s]
FlexVolume: driver:s fsType?:s secretRef*:LocalObjectReference readOnly?:b options?:{s}
Cinder: volumeID:s fsType?:s readOnly?:b secretRef*:LocalObjectReference
Glusterfs: endpoints:s path:s readOnly?:b
GitRepo: repository:s revision?:s directory?:s
GCEPersistentDisk: pdName:s fsType?:s partition?:i readOnly?:b
AWSElasticBlockStore: volumeID:s fsType?:s partition?:i readOnly?:b
AzureFile: secretName:s shareName:s readOnly?:b
AzureDisk: diskName:s diskURI:s cachingMode*:s fsType*:s readOnly*:b kind*:s
VsphereVolume: volumePath:s fsType?:s storagePolicyName?:s storagePolicyID?:s
Quobyte: registry:s volume:s readOnly?:b user?:s group?:s tenant?:s
PhotonDisk: pdID:s fsType?:s
Portworx: volumeID:s fsType?:s readOnly?:b
ScaleIO: gateway:s system:s secretRef:LocalObjectReference|null sslEnabled?:b protectionDomain?:s storagePool?:s storageMode?:s volumeName?:s fsType?:s readOnly?:b
StorageOS: volumeName?:s volumeNamespace?:s fsType?:s readOnly?:b secretRef*:LocalObjectReference
Flocker: datasetName?:s datasetUUID?:s
)";

const TypeTable& pod_types() {
  static const TypeTable table(kTemplateTypes);
  return table;
}

Result<std::string> hash_of(const TypedEncoding& encoding, std::optional<int> collisions) {
  if (!encoding.problems.empty()) {
    const TypeProblem& problem = encoding.problems.front();
    return invalid(format("template.{} {}", dotted(problem.pointer), problem.message));
  }
  std::string bytes = encoding.bytes;
  if (collisions) {
    auto count = uint32_t(*collisions);
    for (int shift = 0; shift < 32; shift += 8) bytes += char(count >> shift & 0xFF);
    bytes.append(4, '\0');
  }
  return safe_hash(bytes);
}

}  // namespace

TypedEncoding encode_pod_template(const Json& pod_template) {
  return pod_types().encode(pod_template, "PodTemplateSpec");
}

Result<std::string> pod_template_hash(const Json& pod_template, std::optional<int> collisions) {
  return hash_of(encode_pod_template(pod_template), collisions);
}

Result<std::string> older_pod_template_hash(const Json& pod_template, std::optional<int> collisions) {
  static const TypeTable older = [] {
    std::string text(kTemplateTypes);
    std::string_view before = "creationTimestamp*:t", after = "creationTimestamp:t|null";
    text.replace(text.find(before), before.size(), after);
    return TypeTable(text);
  }();
  return hash_of(older.encode(pod_template, "PodTemplateSpec"), collisions);
}

}  // namespace reconciler
