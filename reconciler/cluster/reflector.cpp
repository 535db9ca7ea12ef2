#include "cluster/reflector.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace reconciler {

namespace {

// A kind that comes is told by the watch on definitions; only those of aggregated servers come unseen.
constexpr Duration kAbsentKindWait = 10min;
constexpr Duration kQuickLookWait = 250ms;
constexpr int kQuickLooks = 40;
constexpr Duration kFirstBackOff = 500ms;
constexpr Duration kLongestBackOff = 30s;
// Where nothing happens not even bookmarks come (seen with 1.34), so the server is asked to end the watch before the
// client takes its silence for death (HttpClientSettings::stream_idle).
constexpr int kWatchSecondsMin = 45;
constexpr int kWatchSecondsMax = 75;

}  // namespace

Reflector::Reflector(KubernetesApi& api, ClusterCache& cache, std::string owner, Watched watched)
    : api_(api),
      cache_(cache),
      owner_(std::move(owner)),
      watched_(std::move(watched)),
      jitter_(std::random_device{}()),
      thread_([this](std::stop_token stop) { run(stop); }) {}

void Reflector::stop() { thread_.request_stop(); }

bool Reflector::is_about(const Json& object) const {
  return text_at(object, {"kind"}) == watched_.kind.kind &&
         group_of(text_at(object, {"apiVersion"})) == watched_.kind.group &&
         is_selected(watched_.selection, owner_, object);
}

void Reflector::expect_kind() {
  std::lock_guard lock(mutex_);
  looks_left_ = kQuickLooks;
  woken_.notify_all();
}

std::string Reflector::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_;
}

void Reflector::set_trouble(const std::string& text) {
  {
    std::lock_guard lock(mutex_);
    if (trouble_ == text) return;
    trouble_ = text;
  }
  if (!text.empty()) log_warn("watch failed", {{"kind", watched_.kind.kind}, {"why", text}});
}

void Reflector::sleep(std::stop_token stop, Duration time) {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, stop, time, [] { return false; });
}

/// Seldom, but often for a while when the kind is expected: a new CustomResourceDefinition takes a moment.
void Reflector::wait_for_kind(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (looks_left_ > 0) {
    --looks_left_;
    woken_.wait_for(lock, stop, kQuickLookWait, [] { return false; });
  } else {
    woken_.wait_for(lock, stop, kAbsentKindWait, [this] { return looks_left_ > 0; });
  }
}

/// Between half and all of it, so that many clients that lost one server do not come back as one.
Duration Reflector::jittered(Duration time) {
  return time / 2 + Duration(std::uniform_int_distribution<Duration::rep>(0, time.count() / 2)(jitter_));
}

void Reflector::run(std::stop_token stop) {
  Duration back_off = kFirstBackOff;
  Next next = Next::List;
  while (!stop.stop_requested()) {
    if (next == Next::List) {
      auto listed = list(stop);
      if (!tried_.exchange(true)) cache_.wake();
      if (!listed) {
        set_trouble(listed.error().message);
        sleep(stop, jittered(back_off));
        back_off = std::min(back_off * 2, kLongestBackOff);
        continue;
      }
      set_trouble("");
      if (!resource_) {
        wait_for_kind(stop);
        continue;
      }
    }
    auto began = std::chrono::steady_clock::now();
    next = watch(stop);
    // A watch that ended at once would otherwise be asked for again as fast as the network goes.
    if (std::chrono::steady_clock::now() - began < 1s) {
      sleep(stop, jittered(back_off));
      back_off = std::min(back_off * 2, kLongestBackOff);
    } else {
      back_off = kFirstBackOff;
    }
  }
  finished_ = true;
}

Result<std::optional<Resource>> Reflector::find_resource() {
  std::string api_version =
      watched_.kind.group.empty() ? watched_.version : watched_.kind.group + "/" + watched_.version;
  if (watched_.version.empty()) {
    auto preferred = api_.preferred_version(watched_.kind.group);
    if (!preferred) return preferred.error();
    if (!*preferred) return std::optional<Resource>();
    api_version = **preferred;
  }
  return api_.discover(api_version, watched_.kind.kind);
}

/// May we list it? Asked for one object only.
bool Reflector::is_readable() {
  const std::string& name = watched_.kind.kind;
  auto some = api_.call({.path = path_of(*resource_, "", "") + "?limit=1", .about = "list " + name + "s"});
  if (some || some.error().kind != ErrorKind::Invalid) return true;
  if (!std::exchange(unreadable_, true))
    log_warn("objects of a kind are left out", {{"kind", name}, {"why", some.error().message}});
  return false;
}

void Reflector::show(const Json& object) {
  cache_.seen(watched_.kind, object);
  if (watched_.on_seen) watched_.on_seen(object);
}

std::string Reflector::selector_query() const {
  const std::string selector = label_selector(watched_.selection, owner_);
  return selector.empty() ? "" : "&labelSelector=" + percent_encoded(selector);
}

Result<void> Reflector::list(std::stop_token stop) {
  auto resource = find_resource();
  if (!resource) return resource.error();
  resource_ = *resource;
  if (watched_.optional && resource_ && !is_readable()) resource_.reset();
  if (resource_) {
    std::lock_guard lock(mutex_);
    looks_left_ = 0;
  }
  std::unordered_set<std::string> uids;
  if (!resource_) {  // A kind that does not exist has no objects.
    cache_.listed(watched_.kind, "18446744073709551615", uids);
    return {};
  }
  std::string query = "?limit=" + std::to_string(watched_.page) + selector_query();
  std::string version;
  for (std::string token; !stop.stop_requested();) {
    std::string page_query = query + (token.empty() ? "" : "&continue=" + percent_encoded(token));
    auto page =
        api_.call({.path = path_of(*resource_, "", "") + page_query, .about = "list " + watched_.kind.kind + "s"});
    if (!page) {
      api_.forget_kinds(resource_->api_version);  // the kind may have gone
      return page.error();
    }
    if (auto items = page->find("items"); items != page->end() && items->is_array())
      for (Json& object : *items) {
        uids.insert(text_at(object, {"metadata", "uid"}));
        object["apiVersion"] = resource_->api_version;  // the items of a list of built-in kinds do not say
        object["kind"] = watched_.kind.kind;
        show(object);
      }
    version = text_at(*page, {"metadata", "resourceVersion"});
    token = text_at(*page, {"metadata", "continue"});
    if (token.empty()) {
      cache_.listed(watched_.kind, version, uids);
      version_ = version;
      return {};
    }
  }
  return transient("stopped");
}

Reflector::Next Reflector::watch(std::stop_token stop) {
  int seconds = std::uniform_int_distribution<int>(kWatchSecondsMin, kWatchSecondsMax)(jitter_);
  std::string path = path_of(*resource_, "", "") +
                     "?watch=1&allowWatchBookmarks=true&resourceVersion=" + percent_encoded(version_) +
                     "&timeoutSeconds=" + std::to_string(seconds) + selector_query();
  Next next = Next::Watch;
  auto answer = api_.watch(path, stop, [&](std::string_view line) {
    bool go_on = true;
    next = take_event(line, go_on);
    return go_on && !stop.stop_requested();
  });
  if (stop.stop_requested()) return next;
  if (!answer) {
    set_trouble(answer.error().message);
    return next;
  }
  if (answer->status != 200) {
    set_trouble(error_of(*answer, {.about = "watch " + watched_.kind.kind + "s"}).message);
    return Next::List;  // 410: too old; 404: the kind is gone; else the list says what is wrong
  }
  set_trouble("");
  return next;
}

Reflector::Next Reflector::take_event(std::string_view line, bool& go_on) {
  auto event = parse_json(line);
  const Json* object = event ? find(*event, {"object"}) : nullptr;
  if (object == nullptr) {  // Cut off in the middle: what follows cannot be trusted.
    go_on = false;
    return Next::List;
  }
  std::string type = text_at(*event, {"type"});
  if (type == "ERROR") {
    go_on = false;
    return Next::List;
  }
  if (type == "ADDED" || type == "MODIFIED") show(*object);
  if (type == "DELETED") cache_.gone(watched_.kind, *object);
  std::string version = text_at(*object, {"metadata", "resourceVersion"});
  if (!version.empty()) version_ = version;
  return Next::Watch;
}

}  // namespace reconciler
