// When Git is asked and told: polls by interval, pushes in batches, each with its own back-off. The calls themselves
// run on Git's own thread; this only keeps the times.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/backoff.h"
#include "daemon/workers.h"
#include "ports.h"

namespace reconciler {

class GitSync {
 public:
  /// `on_head` runs on the decision thread after every poll, whether the head moved or not.
  GitSync(GitRepository& git, Clock& clock, Workers& workers, Duration interval,
          std::function<void(const std::string& commit)> on_head);

  /// Starts the poll or push that is due. At most one of either is under way.
  void run_due();
  /// When `run_due` has something to do next, on the monotonic clock.
  Duration next_due() const;

  /// Do not wait for the interval; at most one poll a second.
  void poll_soon();
  /// Something was recorded; `urgent` does not wait for the batch.
  void push_soon(bool urgent);

  /// What was recorded stays where it is until `resume_pushes`: somebody else leads.
  void pause_pushes();
  void resume_pushes() { pushes_paused_ = false; }

  /// Asks the remote at once, whatever the interval and earlier failures say.
  void poll_afresh();
  /// A poll that began at `time` or later went through.
  bool fetched_since(Duration time) const { return fetched_ && *fetched_ >= time; }

  bool polled() const { return polled_; }  ///< the remote answered, or refused, at least once
  bool pushing() const { return pushing_ || push_at_; }
  bool push_is_under_way() const { return pushing_; }
  /// What is wrong with Git now, one line; empty when nothing is.
  std::string trouble() const { return !poll_trouble_.empty() ? poll_trouble_ : push_trouble_; }
  /// Far too much of what was recorded is not pushed yet.
  bool many_unpushed() const { return many_unpushed_; }
  /// Why it is not known what the newest commit is; empty when it is.
  const std::string& poll_trouble() const { return poll_trouble_; }
  bool push_refused() const { return push_refused_; }

 private:
  void finish_poll(const Result<Head>& head);
  void finish_push(const Result<PushReport>& pushed);

  GitRepository& git_;
  Clock& clock_;
  Workers& workers_;
  const Duration interval_;
  std::function<void(const std::string&)> on_head_;

  Duration poll_at_{0};
  Duration last_poll_{0};
  bool polling_ = false, polled_ = false, poll_again_ = false;
  std::optional<Duration> fetched_;  ///< when the last poll that went through began
  Backoff poll_backoff_{1s, 2.0, 5min};
  std::string poll_trouble_;

  std::optional<Duration> push_at_;
  std::optional<Duration> last_push_;
  bool pushes_paused_ = false;
  bool pushing_ = false, push_again_ = false, push_again_urgent_ = false, push_refused_ = false;
  bool many_unpushed_ = false;  ///< and that was said
  Backoff race_backoff_{500ms, 1.5, 30s};
  Backoff push_backoff_{1s, 2.0, 5min};
  std::string push_trouble_;
};

}  // namespace reconciler
