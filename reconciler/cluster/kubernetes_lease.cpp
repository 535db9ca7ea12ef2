#include "cluster/kubernetes_lease.h"

#include "cluster/api.h"

namespace reconciler {
namespace {

constexpr const char* kApiVersion = "coordination.k8s.io/v1";
constexpr const char* kLastHolder = "serin.dev/last-holder";
constexpr const char* kTakenOver = "serin.dev/taken-over";
/// Well below the time in which a lease must be renewed, so that a lost answer leaves time for another try.
constexpr Duration kCallTimeout = 4s;

/// As Kubernetes insists on it: six digits of a second.
std::string micro_time(TimePoint time) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time - whole_seconds(time)).count();
  std::string digits = std::to_string(micros), text = format_time(time);
  text.pop_back();
  return text + "." + std::string(6 - digits.size(), '0') + digits + "Z";
}

}  // namespace

struct KubernetesLease::Parts {
  Parts(std::unique_ptr<HttpClient> http, LeaseName name) : api(std::move(http)), name(std::move(name)) {}

  ApiCall about(const std::string& verb) const {
    ApiCall call;
    call.path = path_of({.api_version = kApiVersion, .plural = "leases"}, name.ns, name.name);
    call.about = verb + " Lease " + name.ns + "/" + name.name;
    call.timeout = kCallTimeout;
    return call;
  }
  Result<void> create_namespace();

  KubernetesApi api;
  const LeaseName name;
};

KubernetesLease::KubernetesLease(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
KubernetesLease::~KubernetesLease() = default;

Result<std::unique_ptr<KubernetesLease>> KubernetesLease::open(const HttpClientSettings& settings, LeaseName name) {
  auto http = HttpClient::open(settings);
  if (!http) return http.error();
  return std::make_unique<KubernetesLease>(std::make_unique<Parts>(*std::move(http), std::move(name)));
}

Result<std::optional<LeaseRecord>> KubernetesLease::read() {
  auto object = parts_->api.find_object(parts_->about("read"));
  if (!object) return object.error();
  if (!*object) return std::optional<LeaseRecord>();
  return std::optional(lease_record(**object));
}

Result<void> KubernetesLease::Parts::create_namespace() {
  ApiCall call = about("create the namespace of");
  call.method = "POST";
  call.path = "/api/v1/namespaces";
  call.body = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name.ns}}}};
  auto created = api.call(call);
  if (!created && created.error().kind != ErrorKind::Conflict) return created.error();
  return {};
}

Result<LeaseRecord> KubernetesLease::write(const LeaseRecord& record) {
  const bool is_new = record.version.empty();
  ApiCall call = parts_->about(is_new ? "create" : "renew");
  call.method = is_new ? "POST" : "PUT";
  if (is_new) call.path = path_of({.api_version = kApiVersion, .plural = "leases"}, parts_->name.ns, "");
  call.body = lease_object(parts_->name, record);
  auto stored = parts_->api.call(call);
  // A name that does not exist yet is no reason to fail: what is missing is the namespace.
  if (!stored && is_new && stored.error().kind == ErrorKind::Transient && parts_->create_namespace())
    stored = parts_->api.call(call);
  if (!stored) return stored.error();
  return lease_record(*stored);
}

Json lease_object(const LeaseName& name, const LeaseRecord& record) {
  Json object = {{"apiVersion", kApiVersion}, {"kind", "Lease"}};
  object["metadata"] = {{"name", name.name}, {"namespace", name.ns}};
  object["metadata"]["annotations"] = {{kLastHolder, record.last_holder},
                                       {kTakenOver, record.taken_over ? "true" : "false"}};
  if (!record.version.empty()) object["metadata"]["resourceVersion"] = record.version;
  object["spec"] = {{"holderIdentity", record.holder},
                    {"leaseDurationSeconds", std::chrono::duration_cast<std::chrono::seconds>(record.duration).count()},
                    {"acquireTime", micro_time(record.acquired)},
                    {"renewTime", micro_time(record.renewed)},
                    {"leaseTransitions", record.transitions}};
  return object;
}

LeaseRecord lease_record(const Json& object) {
  LeaseRecord record;
  record.version = text_at(object, {"metadata", "resourceVersion"});
  record.holder = text_at(object, {"spec", "holderIdentity"});
  record.last_holder = text_at(object, {"metadata", "annotations", kLastHolder});
  record.taken_over = text_at(object, {"metadata", "annotations", kTakenOver}) == "true";
  // Somebody else's election may not know the annotation.
  if (!record.holder.empty()) record.last_holder = record.holder;
  record.duration = std::chrono::seconds(integer_at(object, {"spec", "leaseDurationSeconds"}).value_or(0));
  record.acquired = parse_time(text_at(object, {"spec", "acquireTime"})).value_or(TimePoint{});
  record.renewed = parse_time(text_at(object, {"spec", "renewTime"})).value_or(TimePoint{});
  record.transitions = integer_at(object, {"spec", "leaseTransitions"}).value_or(0);
  return record;
}

}  // namespace reconciler
