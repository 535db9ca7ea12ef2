// Does this process decide now? Kept by the elector, asked before every write.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "ports.h"

namespace reconciler {

/// Safe from any thread.
class Leadership {
 public:
  struct Standing {
    bool leads = false;
    /// Counts the times this process became the leader: what was decided in an earlier term is void.
    uint64_t term = 0;
    /// Somebody else led since this daemon did, so what it knows may be out of date.
    bool inherited = false;
    std::string leader;   ///< its identity; empty: nobody, or not known
    std::string trouble;  ///< why the lease cannot be read or renewed; empty when it can
    bool is_known() const { return leads || !leader.empty(); }
  };
  enum class Inherited { No, Yes };

  explicit Leadership(Clock& clock) : clock_(clock) {}
  /// Without an election: leads, for ever.
  static Leadership sole(Clock& clock);

  Standing standing() const;

  /// The loop has taken over everything that the leader of this term must know; from here on it may write.
  void accept(uint64_t term);
  /// Did it, in the term that is on?
  bool has_taken_over() const;
  /// May something be written now? Only in the term that the loop accepted, and while the lease surely holds.
  Result<void> permits() const;

  // By the elector.
  void won(const std::string& me, Duration until, Inherited inherited);
  void renewed(Duration until);
  void lost(const std::string& leader);
  void troubled(const std::string& why);
  /// `changed` is called, from the elector's thread, when somebody else leads than before. It must return at once.
  void on_change(std::function<void()> changed);

  Leadership(Leadership&& other) noexcept;

 private:
  bool leads() const { return clock_.monotonic() < until_; }

  Clock& clock_;
  mutable std::mutex mutex_;
  Duration until_{0};
  uint64_t term_ = 0;
  uint64_t accepted_ = 0;
  bool inherited_ = false;
  std::string leader_;
  std::string trouble_;
  std::function<void()> changed_;
};

}  // namespace reconciler
