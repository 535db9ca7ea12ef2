#include "daemon/event_recorder.h"

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "base/log.h"

namespace reconciler {
namespace {

constexpr size_t kWaitingMax = 1000;
constexpr size_t kKnownMax = 4096;
constexpr size_t kSentAtOnce = 50;
constexpr size_t kMessageBytesMax = 1000;  // the API server takes 1024
constexpr Duration kSameEvent = 10min;

std::string_view to_text(EventType type) { return type == EventType::Warning ? "Warning" : "Normal"; }

/// Cut between characters, not inside one.
std::string shortened(std::string text) {
  if (text.size() <= kMessageBytesMax) return text;
  size_t end = kMessageBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

}  // namespace

/// The object that stands for this event. One that was seen lately is written again with a higher count.
EventRecorder::Known& EventRecorder::known(const RolloutKey& rollout, const RolloutEvent& event) {
  const TimePoint now = clock_.now();
  if (known_.size() > kKnownMax) std::erase_if(known_, [&](auto& each) { return now - each.second.last > kSameEvent; });
  if (known_.size() > kKnownMax) known_.clear();
  Known& entry = known_[rollout.text() + "\n" + std::string(event.reason) + "\n" + event.message];
  if (entry.count == 0 || now - entry.last > kSameEvent) {
    // As the field names them: `<object>.<something unique>`.
    entry.name = format("{}.{}-{}", rollout.name.substr(0, 220), now.time_since_epoch().count(), ++serial_);
    entry.first = now;
    entry.count = 0;
  }
  entry.last = now;
  ++entry.count;
  return entry;
}

Json EventRecorder::object_for(const Subject& about, const RolloutEvent& event) {
  const Known& entry = known(about.key, event);
  Json involved = {{"apiVersion", "argoproj.io/v1alpha1"},
                   {"kind", about.kind},
                   {"namespace", about.key.ns},
                   {"name", about.key.name}};
  if (!about.uid.empty()) involved["uid"] = about.uid;
  return {{"apiVersion", "v1"},
          {"kind", "Event"},
          {"metadata", {{"name", entry.name}, {"namespace", about.key.ns}}},
          {"involvedObject", std::move(involved)},
          {"type", to_text(event.type)},
          {"reason", event.reason},
          {"message", shortened(event.message)},
          {"source", {{"component", "serin"}}},
          {"reportingComponent", "serin"},
          {"firstTimestamp", format_time(entry.first)},
          {"lastTimestamp", format_time(entry.last)},
          {"count", entry.count}};
}

void EventRecorder::record(const Subject& about, const std::vector<RolloutEvent>& events) {
  for (const RolloutEvent& event : events) waiting_.push_back(object_for(about, event));
  while (waiting_.size() > kWaitingMax) waiting_.pop_front();
  if (!sending_) send();
}

void EventRecorder::send() {
  if (waiting_.empty()) return;
  sending_ = true;
  const auto end = waiting_.begin() + std::ptrdiff_t(std::min(waiting_.size(), kSentAtOnce));
  std::vector<Json> batch(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  workers_.run(Lane::Events, [this, batch = std::move(batch)]() -> Completion {
    std::string trouble;
    for (const Json& event : batch) {
      auto written = cluster_.apply(event, ApplyMode::Write);
      if (written) continue;
      trouble = written.error().message;
      // A server that does not answer would hold this job for the length of the batch.
      if (written.error().kind == ErrorKind::Transient) break;
    }
    return [this, trouble] { finish(trouble); };
  });
}

/// The first failure of a row is told; the events are lost.
void EventRecorder::finish(const std::string& trouble) {
  sending_ = false;
  if (!trouble.empty() && trouble_.empty()) log_warn("events cannot be written", {{"error", trouble}});
  trouble_ = trouble;
  send();
}

}  // namespace reconciler
