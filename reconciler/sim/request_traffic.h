// Requests to the services of a world: a constant rate per route of each VirtualService, spread over its weights, the
// ready pods behind each destination, and the error share of their images. Counters are kept as rates between the
// moments at which the world changed, so their value is known for every time and nothing is sampled.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "sim/records.h"
#include "sim/selector.h"

namespace reconciler {

using SeriesLabels = std::map<std::string, std::string>;

/// A counter that grows steadily between its corners.
class Counter {
 public:
  /// From `time` on it grows by `per_second`.
  void set_rate(TimePoint time, double per_second);
  /// The whole number counted at `time`; nothing before its first corner.
  std::optional<double> at(TimePoint time) const;
  double rate() const { return corners_.empty() ? 0 : corners_.back().per_second; }
  void forget_before(TimePoint time);
  /// It never counted anything and does not grow.
  bool is_idle() const { return corners_.size() == 1 && corners_[0].value == 0 && corners_[0].per_second == 0; }

 private:
  struct Corner {
    TimePoint time;
    double value = 0;
    double per_second = 0;
  };
  std::vector<Corner> corners_;
};

class RequestTraffic {
 public:
  RequestTraffic(Records& records, double requests_per_second);

  void on_event(const StoreEvent& event);
  /// Brings the rates up to date with what changed; called whenever the world has settled.
  void settle();

  /// `istio_requests_total`, in order of labels.
  const std::map<SeriesLabels, Counter>& requests() const { return series_; }
  /// Upper bounds of the duration histogram in milliseconds, and the share of requests at or below each.
  static const std::vector<std::pair<double, double>>& durations();

 private:
  using Rates = std::map<SeriesLabels, double>;
  struct HostKey {
    std::string ns, name;
    auto operator<=>(const HostKey&) const = default;
  };
  Rates rates_of(const ObjectRef& route, std::set<HostKey>& hosts) const;
  void spread(const HostKey& host, const std::string& subset, double rate, Rates& rates) const;
  void recount(const ObjectRef& route);
  void note_service(const StoreEvent& event, const HostKey& host);
  void note_pod(const StoreEvent& event, const ObjectRef& pod);
  std::vector<Object> ready_pods(const std::string& ns, const LabelSelector& selector) const;

  Records& records_;
  double requests_per_second_;
  const ResourceType* routes_;
  const ResourceType* rules_;
  const ResourceType* services_;
  const ResourceType* pods_;
  std::map<SeriesLabels, Counter> series_;
  std::map<ObjectRef, Rates> rates_;                       // by route
  std::map<ObjectRef, std::set<HostKey>> hosts_;           // services a route sends to
  std::map<HostKey, std::set<ObjectRef>> routes_to_;       // and back
  std::map<std::string, std::set<HostKey>> selecting_;     // services by namespace and first label of their selector
  std::map<std::string, std::set<std::string>> labelled_;  // pod names by namespace and label
  std::set<ObjectRef> stale_;
};

}  // namespace reconciler
