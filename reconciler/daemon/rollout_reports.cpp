#include "daemon/rollout_reports.h"

#include <algorithm>

namespace reconciler {
namespace {

constexpr size_t kChunkMax = 128;

bool comes_before(const std::shared_ptr<const RolloutReport>& report, const RolloutKey& key) {
  return report->key < key;
}

RolloutCounts counts_of(const RolloutReport& report) {
  const bool known = report.status != nullptr;
  const bool moves = known && (report.status->phase == Phase::Progressing || report.status->phase == Phase::Paused);
  const bool works = !known || report.status->phase == Phase::Progressing;
  return {.under_way = moves,
          .in_trouble = !report.trouble.empty() || (known && report.status->phase == Phase::Degraded),
          .unknown = !known,
          .at_work = report.trouble.empty() && works && !report.frozen};
}

RolloutCounts operator+(const RolloutCounts& a, const RolloutCounts& b) {
  return {a.under_way + b.under_way, a.in_trouble + b.in_trouble, a.unknown + b.unknown, a.at_work + b.at_work};
}

RolloutCounts operator-(const RolloutCounts& a, const RolloutCounts& b) {
  return {a.under_way - b.under_way, a.in_trouble - b.in_trouble, a.unknown - b.unknown, a.at_work - b.at_work};
}

}  // namespace

RolloutReports::RolloutReports(std::initializer_list<RolloutReport> reports) {
  for (const RolloutReport& report : reports) put(report);
}

/// The chunk in which that key stands, or would.
RolloutReports::Chunks::iterator RolloutReports::chunk_of(const RolloutKey& key) {
  auto after = std::upper_bound(chunks_.begin(), chunks_.end(), key,
                                [](const RolloutKey& wanted, auto& chunk) { return wanted < chunk->front()->key; });
  return after == chunks_.begin() ? after : std::prev(after);
}

void RolloutReports::put(RolloutReport report) {
  auto place = chunk_of(report.key);
  Chunk chunk = place == chunks_.end() ? Chunk() : **place;
  auto at = std::lower_bound(chunk.begin(), chunk.end(), report.key, comes_before);
  counts_ = counts_ + counts_of(report);
  if (at != chunk.end() && (*at)->key == report.key) {
    counts_ = counts_ - counts_of(**at);
    *at = std::make_shared<const RolloutReport>(std::move(report));
  } else {
    chunk.insert(at, std::make_shared<const RolloutReport>(std::move(report)));
    ++size_;
  }
  if (place == chunks_.end()) place = chunks_.insert(place, nullptr);
  if (chunk.size() > kChunkMax) {
    auto middle = chunk.begin() + kChunkMax / 2;
    place = chunks_.insert(place, std::make_shared<const Chunk>(chunk.begin(), middle)) + 1;
    chunk.erase(chunk.begin(), middle);
  }
  *place = std::make_shared<const Chunk>(std::move(chunk));
}

void RolloutReports::erase(const RolloutKey& key) {
  auto place = chunk_of(key);
  if (place == chunks_.end()) return;
  Chunk chunk = **place;
  auto at = std::lower_bound(chunk.begin(), chunk.end(), key, comes_before);
  if (at == chunk.end() || (*at)->key != key) return;
  counts_ = counts_ - counts_of(**at);
  --size_;
  chunk.erase(at);
  if (chunk.empty())
    chunks_.erase(place);
  else
    *place = std::make_shared<const Chunk>(std::move(chunk));
}

}  // namespace reconciler
