// Keeps one kind of object in the cache: lists it once in pages, then follows its watch, for ever.
//
//   list --ok--> watch --ends, lost, silent--> watch again from the last version seen
//    ^             '--410: that version is too old--.
//    '--- back-off with jitter <--- refused <-------+--> list
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "cluster/api.h"
#include "cluster/cache.h"

namespace reconciler {

struct Watched {
  WatchedKind kind;
  std::string version = {};  ///< `v1`; empty: the one that the server prefers, looked for again while there is none
  Selection selection = Selection::All;
  /// A kind that nothing depends on: one that we may not read counts as one that does not exist.
  bool optional = false;
  int page = 500;  ///< objects a page of the list
  /// Called, on the reflector's thread, with each object that the list or the watch shows.
  std::function<void(const Json&)> on_seen = {};
};

class Reflector {
 public:
  Reflector(KubernetesApi& api, ClusterCache& cache, std::string owner, Watched watched);
  ~Reflector() { stop(); }

  /// Ends the watch at once; the thread is joined by the destructor.
  void stop();

  /// Its thread has nothing more to do: the destructor will not wait.
  bool is_finished() const { return finished_; }
  /// A first list was asked for, whatever came of it.
  bool has_tried() const { return tried_; }

  const Watched& watched() const { return watched_; }
  bool is_about(const Json& object) const;

  /// A kind that did not exist may soon: look for it often for a while. Nothing for a kind that exists.
  void expect_kind();

  /// What went wrong last; empty while all is well.
  std::string trouble() const;

 private:
  enum class Next { Watch, List };

  void run(std::stop_token stop);
  Result<void> list(std::stop_token stop);
  Next watch(std::stop_token stop);
  Next take_event(std::string_view line, bool& go_on);
  Result<std::optional<Resource>> find_resource();
  bool is_readable();
  void sleep(std::stop_token stop, Duration time);
  void wait_for_kind(std::stop_token stop);
  std::string selector_query() const;
  void show(const Json& object);
  void set_trouble(const std::string& text);
  Duration jittered(Duration time);

  KubernetesApi& api_;
  ClusterCache& cache_;
  const std::string owner_;
  const Watched watched_;
  bool unreadable_ = false;           ///< and that was said
  std::optional<Resource> resource_;  ///< nothing while the server does not know the kind
  std::string version_;               ///< resourceVersion to go on from
  std::minstd_rand jitter_;

  std::atomic<bool> tried_ = false;
  std::atomic<bool> finished_ = false;
  mutable std::mutex mutex_;
  std::condition_variable_any woken_;
  int looks_left_ = 0;  ///< quick ones for an absent kind
  std::string trouble_;
  std::jthread thread_;
};

}  // namespace reconciler
