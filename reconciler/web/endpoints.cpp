#include "web/endpoints.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "http/server.h"
#include "web/hooks.h"
#include "web/pages.h"

namespace reconciler {
namespace {

constexpr Duration kBetweenReports = 1s;
/// How long a fresh report is waited for; then the last one is good enough.
constexpr Duration kReportPatience = 500ms;

}  // namespace

struct Endpoints::State {
  State(const Options& options, const Sources& sources, Clock& clock)
      : options(options), sources(sources), clock(clock), beat(clock.monotonic()) {}

  bool is_hook(const ServerRequest& request) const { return options.hooks && request.path.starts_with("/hooks/"); }

  ServerResponse answer(const ServerRequest& request) {
    if (is_hook(request)) return options.hooks->answer(request);
    if (request.method != "GET" && request.method != "HEAD")
      return {.status = 405, .content_type = "text/plain", .body = "only GET\n", .headers = {{"Allow", "GET, HEAD"}}};
    if (shows_report(request.path)) wait_for_report();
    std::optional<Page> page = page_at(request.path, published());
    if (!page)
      return {.status = 404,
              .content_type = "text/plain",
              .body = "here are /healthz /livez /readyz /metrics /status.json\n"};
    return {.status = page->status, .content_type = std::move(page->content_type), .body = std::move(page->body)};
  }

  void wait_for_report() {
    std::unique_lock lock(mutex);
    if (report && clock.monotonic() - reported < kBetweenReports) return;
    wanted = true;
    lock.unlock();
    if (options.wake) options.wake();
    lock.lock();
    came.wait_for(lock, kReportPatience, [this] { return !wanted; });
  }

  Published published() {
    const Duration now = clock.monotonic();
    Published out{.since_beat = now - beat.load(),
                  .version = options.version,
                  .repo = sources.git.names().repo,
                  .ref = sources.git.names().ref,
                  .health = sources.health.facts(),
                  .polls_due = options.polls_due,
                  .measurements = &sources.measurements};
    if (out.health.last_good_poll) out.since_good_poll = now - *out.health.last_good_poll;
    if (auto since = sources.git.unpushed_since()) out.status_lag = std::max<Duration>(0ms, clock.now() - *since);
    std::lock_guard lock(mutex);
    out.report = report;
    return out;
  }

  const Options options;
  const Sources sources;
  Clock& clock;
  std::atomic<Duration> beat;
  mutable std::mutex mutex;
  std::condition_variable came;
  bool wanted = false;
  Duration reported{0};
  std::shared_ptr<const Report> report;
  std::unique_ptr<HttpServer> server;  ///< last: its handlers use the rest
};

Result<std::unique_ptr<Endpoints>> Endpoints::start(const Options& options, const Sources& sources, Clock& clock) {
  auto state = std::make_unique<State>(options, sources, clock);
  auto refuse = [state = state.get()](const ServerRequest& head) -> std::optional<ServerResponse> {
    return state->is_hook(head) ? state->options.hooks->refuse(head) : std::nullopt;
  };
  // Two threads: whoever waits for a report does not keep /livez from answering.
  auto server = HttpServer::start(
      {.address = options.host, .port = options.port, .connections_max = 64, .threads = 2, .refuse = refuse},
      [state = state.get()](const ServerRequest& request) -> ServerAnswer { return state->answer(request); });
  if (!server) return server.error();
  state->server = std::move(*server);
  return std::make_unique<Endpoints>(std::move(state));
}

Endpoints::Endpoints(std::unique_ptr<State> state) : state_(std::move(state)) {}
Endpoints::~Endpoints() = default;

uint16_t Endpoints::port() const { return state_->server->port(); }

void Endpoints::beat() { state_->beat = state_->clock.monotonic(); }

bool Endpoints::report_is_wanted() const {
  std::lock_guard lock(state_->mutex);
  return state_->wanted;
}

void Endpoints::publish(Report report) {
  auto shared = std::make_shared<const Report>(std::move(report));
  {
    std::lock_guard lock(state_->mutex);
    state_->reported = state_->clock.monotonic();
    state_->report = std::move(shared);
    state_->wanted = false;
  }
  state_->came.notify_all();
}

}  // namespace reconciler
