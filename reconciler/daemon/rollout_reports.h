// What is said about all rollouts, as a value. A copy shares with its original whatever has not changed since, so that
// keeping it up to date costs the change, and handing it to another thread next to nothing.
#pragma once

#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rollout/live_phase.h"
#include "rollout/status.h"

namespace reconciler {

/// A status is large, seldom changes, and is looked at by several.
using SharedStatus = std::shared_ptr<const Status>;

/// One rollout as others may see it.
struct RolloutReport {
  RolloutKey key;
  SharedStatus status;  ///< null when there is none yet
  std::string why;      ///< what it waits for, or why the last transition happened
  std::string trouble;  ///< why nothing is decided or done: held, refused, a failed action; empty when all is well
  LivePhase live;       ///< follows the pods too
  bool settled = false;
  bool frozen = false;  ///< nothing but the end of a freeze, or a person, moves it
};

/// How many rollouts there are of a sort, counted as reports come and go.
struct RolloutCounts {
  size_t under_way = 0;   ///< Progressing or Paused
  size_t in_trouble = 0;  ///< held, refused, a failed action, or Degraded
  size_t unknown = 0;     ///< without a status yet
  size_t at_work = 0;     ///< neither Healthy, Degraded or Paused, nor in trouble
  bool operator==(const RolloutCounts&) const = default;
};

/// The reports of all rollouts, in order of key.
class RolloutReports {
  // A tree of two levels: changing one report copies the pointers of its chunk, copying the whole those to the chunks.
  using Chunk = std::vector<std::shared_ptr<const RolloutReport>>;
  using Chunks = std::vector<std::shared_ptr<const Chunk>>;

 public:
  RolloutReports() = default;
  RolloutReports(std::initializer_list<RolloutReport> reports);

  void put(RolloutReport report);
  void erase(const RolloutKey& key);

  size_t size() const { return size_; }
  const RolloutCounts& counts() const { return counts_; }

  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = const RolloutReport;
    using difference_type = std::ptrdiff_t;
    using pointer = const RolloutReport*;
    using reference = const RolloutReport&;

    Iterator() = default;
    explicit Iterator(Chunks::const_iterator chunk) : chunk_(chunk) {}
    reference operator*() const { return *(**chunk_)[index_]; }
    pointer operator->() const { return &**this; }
    Iterator& operator++() {
      if (++index_ < (*chunk_)->size()) return *this;
      ++chunk_;
      index_ = 0;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator&) const = default;

   private:
    Chunks::const_iterator chunk_;
    size_t index_ = 0;
  };
  Iterator begin() const { return Iterator(chunks_.begin()); }
  Iterator end() const { return Iterator(chunks_.end()); }

 private:
  Chunks::iterator chunk_of(const RolloutKey& key);

  Chunks chunks_;  // none is empty
  RolloutCounts counts_;
  size_t size_ = 0;
};

}  // namespace reconciler
