#include "sim/request_traffic.h"

#include <algorithm>
#include <cmath>

#include "sim/images.h"

namespace reconciler {
namespace {

std::string label_key(const std::string& ns, const std::string& name, const std::string& value) {
  return ns + "/" + name + "=" + value;
}

ObjectRef ref_of(const StoreEvent& event) {
  return {event.type, text_at(*event.object, {"metadata", "namespace"}), text_at(*event.object, {"metadata", "name"})};
}

std::string first_selector_key(const Json& service) {
  const Json* selector = find(service, {"spec", "selector"});
  if (!selector || !selector->is_object() || selector->empty() || !selector->begin()->is_string()) return "";
  return label_key(text_at(service, {"metadata", "namespace"}), selector->begin().key(),
                   selector->begin()->get<std::string>());
}

bool is_ready(const Json& pod) {
  if (find(pod, {"metadata", "deletionTimestamp"})) return false;
  const Json* conditions = find(pod, {"status", "conditions"});
  return conditions && conditions->is_array() &&
         std::any_of(conditions->begin(), conditions->end(), [](const Json& each) {
           return text_at(each, {"type"}) == "Ready" && text_at(each, {"status"}) == "True";
         });
}

/// The share of requests that a pod answers with an error: one failing container fails the request.
double error_share(const Json& pod) {
  double good = 1;
  if (const Json* containers = find(pod, {"spec", "containers"}); containers && containers->is_array())
    for (const Json& container : *containers) good *= 1 - behaviour_of(text_at(container, {"image"})).error_share;
  return 1 - good;
}

std::string label_of(const Json& pod, std::string_view name, std::string_view otherwise = "unknown") {
  return text_at(pod, {"metadata", "labels", name}, otherwise);
}

/// The name Istio gives the workload of a pod: its ReplicaSet's without the hash that a Deployment or Rollout added.
std::string workload_of(const Json& pod) {
  std::string name = text_at(pod, {"metadata", "name"});
  const Json* owners = find(pod, {"metadata", "ownerReferences"});
  if (!owners || !owners->is_array() || owners->empty()) return name;
  name = text_at((*owners)[0], {"name"});
  for (auto label : {"pod-template-hash", "rollouts-pod-template-hash"}) {
    std::string suffix = "-" + label_of(pod, label, "");
    if (suffix.size() > 1 && name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  }
  return name;
}

/// Routes that only take requests with certain headers are for testers; the steady traffic has none of them.
bool takes_plain_requests(const Json& route) {
  const Json* matches = find(route, {"match"});
  if (!matches || !matches->is_array() || matches->empty()) return true;
  return std::any_of(matches->begin(), matches->end(),
                     [](const Json& match) { return !match.is_object() || !match.contains("headers"); });
}

SeriesLabels destination_labels(const std::string& ns, const std::string& service) {
  std::string host = service + "." + ns + ".svc.cluster.local";
  return {{"reporter", "source"},
          {"source_workload", "istio-ingressgateway"},
          {"source_workload_namespace", "istio-system"},
          {"source_app", "istio-ingressgateway"},
          {"destination_service", host},
          {"destination_service_name", service},
          {"destination_service_namespace", ns},
          {"destination_workload", "unknown"},
          {"destination_workload_namespace", ns},
          {"destination_app", "unknown"},
          {"destination_version", "unknown"},
          {"destination_canonical_service", "unknown"},
          {"destination_canonical_revision", "latest"},
          {"request_protocol", "http"},
          {"response_flags", "-"},
          {"connection_security_policy", "unknown"}};
}

}  // namespace

void Counter::set_rate(TimePoint time, double per_second) {
  if (!corners_.empty() && corners_.back().per_second == per_second) return;
  double value = at(time)
                     ? corners_.back().value + corners_.back().per_second *
                                                   std::chrono::duration<double>(time - corners_.back().time).count()
                     : 0;
  if (!corners_.empty() && corners_.back().time == time)
    corners_.back().per_second = per_second;
  else
    corners_.push_back({time, value, per_second});
}

std::optional<double> Counter::at(TimePoint time) const {
  auto after = std::upper_bound(corners_.begin(), corners_.end(), time,
                                [](TimePoint t, const Corner& corner) { return t < corner.time; });
  if (after == corners_.begin()) return std::nullopt;
  const Corner& corner = *(after - 1);
  return std::floor(corner.value + corner.per_second * std::chrono::duration<double>(time - corner.time).count() +
                    1e-6);
}

void Counter::forget_before(TimePoint time) {
  while (corners_.size() > 1 && corners_[1].time <= time) corners_.erase(corners_.begin());
}

RequestTraffic::RequestTraffic(Records& records, double requests_per_second)
    : records_(records),
      requests_per_second_(requests_per_second),
      routes_(records.catalogue().by_kind("networking.istio.io/v1", "VirtualService")),
      rules_(records.catalogue().by_kind("networking.istio.io/v1", "DestinationRule")),
      services_(records.catalogue().by_kind("v1", "Service")),
      pods_(records.catalogue().by_kind("v1", "Pod")) {}

const std::vector<std::pair<double, double>>& RequestTraffic::durations() {
  static const std::vector<std::pair<double, double>> shares{
      {1, 0}, {5, 0.2}, {10, 0.5}, {25, 0.9}, {50, 0.96}, {100, 0.99}, {250, 0.998}, {500, 1}, {1000, 1}};
  return shares;
}

void RequestTraffic::on_event(const StoreEvent& event) {
  if (requests_per_second_ <= 0) return;
  ObjectRef ref = ref_of(event);
  auto mark_host = [&](const HostKey& host) {
    if (auto found = routes_to_.find(host); found != routes_to_.end())
      stale_.insert(found->second.begin(), found->second.end());
  };
  if (event.type == routes_) {
    stale_.insert(ref);
  } else if (event.type == services_) {
    note_service(event, {ref.ns, ref.name});
    mark_host({ref.ns, ref.name});
  } else if (event.type == rules_) {
    for (const Json* rule : {event.object.get(), event.previous.get()})
      if (rule) {
        std::string host = text_at(*rule, {"spec", "host"});
        mark_host({ref.ns, host.substr(0, host.find('.'))});
      }
  } else if (event.type == pods_) {
    note_pod(event, ref);
    for (const Json* pod : {event.object.get(), event.previous.get()}) {
      const Json* labels = pod ? find(*pod, {"metadata", "labels"}) : nullptr;
      if (!labels || !labels->is_object()) continue;
      for (const auto& [name, value] : labels->items()) {
        if (!value.is_string()) continue;
        auto found = selecting_.find(label_key(ref.ns, name, value.get<std::string>()));
        if (found == selecting_.end()) continue;
        for (const HostKey& host : found->second) mark_host(host);
      }
    }
  }
}

void RequestTraffic::note_service(const StoreEvent& event, const HostKey& host) {
  if (event.previous)
    if (auto found = selecting_.find(first_selector_key(*event.previous)); found != selecting_.end()) {
      found->second.erase(host);
      if (found->second.empty()) selecting_.erase(found);
    }
  if (event.kind != StoreEvent::Kind::Deleted) selecting_[first_selector_key(*event.object)].insert(host);
}

void RequestTraffic::note_pod(const StoreEvent& event, const ObjectRef& pod) {
  auto labels_of = [](const Object& object) -> const Json* {
    return object ? find(*object, {"metadata", "labels"}) : nullptr;
  };
  const Json* before = labels_of(event.previous);
  const Json* after = event.kind == StoreEvent::Kind::Deleted ? nullptr : labels_of(event.object);
  if (before && after && *before == *after) return;
  if (before && before->is_object())
    for (const auto& [name, value] : before->items()) {
      auto found = value.is_string() ? labelled_.find(label_key(pod.ns, name, value)) : labelled_.end();
      if (found == labelled_.end()) continue;
      found->second.erase(pod.name);
      if (found->second.empty()) labelled_.erase(found);
    }
  if (after && after->is_object())
    for (const auto& [name, value] : after->items())
      if (value.is_string()) labelled_[label_key(pod.ns, name, value)].insert(pod.name);
}

std::vector<Object> RequestTraffic::ready_pods(const std::string& ns, const LabelSelector& selector) const {
  const std::set<std::string>* fewest = nullptr;
  for (const LabelRequirement& each : selector) {
    if (each.is != LabelRequirement::Is::In || each.values.size() != 1) continue;
    auto found = labelled_.find(label_key(ns, each.key, each.values[0]));
    if (found == labelled_.end()) return {};
    if (!fewest || found->second.size() < fewest->size()) fewest = &found->second;
  }
  std::vector<Object> pods;
  if (!fewest) return pods;
  for (const std::string& name : *fewest)
    if (Object pod = records_.store().get({pods_, ns, name}); pod && matches_object(selector, *pod) && is_ready(*pod))
      pods.push_back(pod);
  return pods;
}

void RequestTraffic::settle() {
  std::set<ObjectRef> stale;
  stale.swap(stale_);
  for (const ObjectRef& route : stale) recount(route);
}

void RequestTraffic::recount(const ObjectRef& route) {
  std::set<HostKey> hosts;
  Rates next = rates_of(route, hosts);
  Rates& before = rates_[route];
  for (const auto& [labels, rate] : before)
    if (!next.contains(labels)) next[labels] = 0;
  for (const auto& [labels, rate] : next) {
    auto old = before.find(labels);
    double difference = rate - (old == before.end() ? 0 : old->second);
    Counter& counter = series_[labels];
    double total = counter.rate() + difference;
    counter.set_rate(records_.now(), std::abs(total) < 1e-9 ? 0 : total);
    counter.forget_before(records_.now() - 6h);
    if (counter.is_idle()) series_.erase(labels);
  }
  std::erase_if(next, [](const auto& each) { return each.second == 0; });
  before = std::move(next);
  for (const HostKey& host : hosts_[route]) routes_to_[host].erase(route);
  for (const HostKey& host : hosts) routes_to_[host].insert(route);
  hosts_[route] = std::move(hosts);
}

RequestTraffic::Rates RequestTraffic::rates_of(const ObjectRef& route, std::set<HostKey>& hosts) const {
  Rates rates;
  Object object = records_.store().get(route);
  const Json* https = object ? find(*object, {"spec", "http"}) : nullptr;
  if (!https || !https->is_array()) return rates;
  for (const Json& http : *https) {
    const Json* destinations = find(http, {"route"});
    if (!destinations || !destinations->is_array() || !takes_plain_requests(http)) continue;
    double sum = 0;
    for (const Json& each : *destinations) sum += double(integer_at(each, {"weight"}).value_or(0));
    for (const Json& each : *destinations) {
      std::string host = text_at(each, {"destination", "host"});
      size_t dot = std::min(host.find('.'), host.size());
      HostKey key{route.ns, host.substr(0, dot)};
      if (dot < host.size()) key.ns = host.substr(dot + 1, host.find('.', dot + 1) - dot - 1);
      hosts.insert(key);
      double share = destinations->size() == 1 ? 1
                     : sum > 0                 ? double(integer_at(each, {"weight"}).value_or(0)) / sum
                                               : 0;
      if (share > 0) spread(key, text_at(each, {"destination", "subset"}), share * requests_per_second_, rates);
    }
  }
  return rates;
}

void RequestTraffic::spread(const HostKey& host, const std::string& subset, double rate, Rates& rates) const {
  LabelSelector selector;
  Object service = records_.store().get({services_, host.ns, host.name});
  const Json* asked = service ? find(*service, {"spec", "selector"}) : nullptr;
  if (asked) selector = label_selector_of_map(*asked);
  if (!subset.empty())
    for (const Object& rule : records_.store().list(*rules_, host.ns)) {
      std::string rule_host = text_at(*rule, {"spec", "host"});
      const Json* subsets = find(*rule, {"spec", "subsets"});
      if (rule_host.substr(0, rule_host.find('.')) != host.name || !subsets || !subsets->is_array()) continue;
      for (const Json& each : *subsets)
        if (text_at(each, {"name"}) == subset && each.contains("labels"))
          for (auto& requirement : label_selector_of_map(each["labels"])) selector.push_back(requirement);
    }

  std::vector<Object> pods = ready_pods(host.ns, selector);
  SeriesLabels labels = destination_labels(host.ns, host.name);
  if (pods.empty()) {
    labels["response_code"] = "503";
    labels["response_flags"] = "UH";  // no healthy upstream
    rates[labels] += rate;
    return;
  }
  for (const Object& pod : pods) {
    double each = rate / double(pods.size()), errors = error_share(*pod);
    labels["destination_workload"] = workload_of(*pod);
    labels["destination_app"] = label_of(*pod, "app");
    labels["destination_version"] = label_of(*pod, "version");
    labels["destination_canonical_service"] = label_of(*pod, "app", labels["destination_workload"]);
    labels["destination_canonical_revision"] = label_of(*pod, "version", "latest");
    // As a Prometheus that keeps the pods' hash labels would have it, so that one version can be told from the other.
    labels["rollouts_pod_template_hash"] = label_of(*pod, "rollouts-pod-template-hash", "");
    labels["response_code"] = "200";
    if (errors < 1) rates[labels] += each * (1 - errors);
    labels["response_code"] = "500";
    if (errors > 0) rates[labels] += each * errors;
  }
}

}  // namespace reconciler
