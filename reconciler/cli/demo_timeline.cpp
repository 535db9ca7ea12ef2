#include "cli/demo_timeline.h"

#include <cstdio>
#include <iostream>

#include "base/format.h"
#include "rollout/image.h"

namespace reconciler {
namespace {

constexpr int kBarWidth = 20;

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

/// `#####...............  25%`
std::string bar(int weight, bool blocks) {
  const int filled = weight * kBarWidth / 100;
  std::string out;
  for (int i = 0; i < kBarWidth; ++i) out += i < filled ? (blocks ? "█" : "#") : (blocks ? "░" : ".");
  std::string share = std::to_string(weight) + "%";
  return out + std::string(5 - share.size(), ' ') + share;
}

const char* colour(Phase phase) {
  switch (phase) {
    case Phase::Healthy: return "\033[32m";
    case Phase::Progressing: return "\033[36m";
    case Phase::Paused: return "\033[33m";
    case Phase::Degraded: return "\033[31m";
  }
  unreachable();
}

}  // namespace

std::string DemoTimeline::clock(Duration now) const {
  char text[32];
  std::snprintf(text, sizeof text, "%6.1fs", double((now - begin_).count()) / 1000.0);
  return text;
}

void DemoTimeline::clear_progress() {
  if (drawn_) std::cout << "\r\033[K";
  drawn_ = false;
}

void DemoTimeline::heading(const std::string& text) {
  clear_progress();
  const bool terminal = surface_ == Surface::Terminal;
  std::cout << "\n" << (terminal ? "\033[1m" : "") << text << (terminal ? "\033[0m" : "") << "\n" << std::flush;
}

void DemoTimeline::person(Duration now, const std::string& what) {
  clear_progress();
  std::cout << clock(now) << "  $ " << what << "\n" << std::flush;
}

void DemoTimeline::transition(Duration now, const RolloutKey& key, const Decision& decision) {
  clear_progress();
  const bool terminal = surface_ == Surface::Terminal;
  const Status& status = decision.status;
  std::cout << clock(now) << "  " << padded(key.text(), 14) << " "
            << bar(rescaled(status.weight, status.whole, 100), terminal) << "  "
            << (terminal ? colour(status.phase) : "") << padded(std::string(to_text(status.phase)), 11)
            << (terminal ? "\033[0m" : "") << "  " << decision.subject;
  // The subject of a return already ends with its reason.
  if (decision.subject.find(decision.why) == std::string::npos) std::cout << ": " << decision.why;
  std::cout << "\n" << std::flush;
}

void DemoTimeline::progress(Duration now, const RolloutKey& key, const Status& status, const std::string& why) {
  if (surface_ != Surface::Terminal) return;
  clear_progress();
  std::string line = format("{}  {} {}  {}", clock(now), padded(key.text(), 14),
                            bar(rescaled(status.weight, status.whole, 100), true), why);
  std::cout << "\033[2m" << line << "\033[0m" << std::flush;
  drawn_ = true;
}

}  // namespace reconciler
