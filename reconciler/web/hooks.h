// `POST /hooks/<provider>/<id>`: a forge says that something was pushed. All it can do is to make us look sooner: who
// it is is proved by its signature, and nothing else that it says is believed.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/server.h"
#include "ports.h"
#include "web/hook_file.h"
#include "web/token_buckets.h"

namespace reconciler {

class Hooks {
 public:
  struct Options {
    std::string file;               ///< which hooks there are, see `parse_hooks`; read anew when it changes
    std::vector<std::string> refs;  ///< full names of what is watched; one that ends with / stands for all below it
    HooksWithoutSecret without_secret = HooksWithoutSecret::Refused;
  };

  /// `wake` is called, from any thread, when a hook asks for a poll. `Invalid` when the file cannot be used.
  static Result<std::unique_ptr<Hooks>> open(Options options, Clock& clock, std::function<void()> wake);

  /// What is decided on the header alone: 404 for what is no hook, 429 for who asks too often.
  std::optional<ServerResponse> refuse(const ServerRequest& head);
  /// 202 whatever a hook is about; 403 for an unknown id and a wrong signature alike; 400 for what cannot be read.
  ServerResponse answer(const ServerRequest& request);

  /// Moves with each hook that asks for a poll: whoever polls compares it with the one before.
  uint64_t sequence() const { return sequence_; }

  /// How many requests came to which end, by provider.
  using Counts = std::map<std::pair<std::string, std::string>, uint64_t>;
  Counts counts() const;

  /// Told of each request about a provider what became of it: `accepted`, `refused`, `throttled`...; from any thread.
  /// Set before the first one.
  std::function<void(std::string_view provider, std::string_view result)> on_ended;

  Hooks(Options options, Clock& clock, std::function<void()> wake);  ///< for `open`

 private:
  Result<void> read_file();
  void read_file_now_and_then();
  std::optional<Hook> find_hook(std::string_view provider, std::string_view id) const;
  bool is_new(const std::string& delivery);
  bool concerns_us(const std::vector<std::string>& refs) const;
  ServerResponse ended(HookProvider provider, std::string_view result, ServerResponse response);

  const Options options_;
  Clock& clock_;
  const std::function<void()> wake_;
  std::atomic<uint64_t> sequence_ = 0;
  mutable std::mutex mutex_;  ///< guards all below
  std::vector<Hook> hooks_;
  Duration read_at_{0};
  std::string trouble_;
  TokenBuckets buckets_{{}};
  std::deque<std::string> deliveries_;  ///< the last ones, oldest first
  std::set<std::string> known_deliveries_;
  Counts counts_;
};

/// A server of its own for hooks alone, so that a flood of them never keeps a health check waiting.
Result<std::unique_ptr<HttpServer>> serve_hooks(Hooks& hooks, const std::string& host, uint16_t port);

}  // namespace reconciler
