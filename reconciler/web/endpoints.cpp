#include "web/endpoints.h"

#include <atomic>
#include <mutex>

#include "http/server.h"
#include "web/pages.h"

namespace reconciler {
namespace {

constexpr Duration kBetweenReports = 1s;

}  // namespace

struct Endpoints::State {
  State(Clock& clock, std::string version) : clock(clock), version(std::move(version)), beat(clock.monotonic()) {}

  ServerResponse answer(const ServerRequest& request) {
    if (request.method != "GET" && request.method != "HEAD")
      return {.status = 405, .content_type = "text/plain", .body = "only GET\n", .headers = {{"Allow", "GET, HEAD"}}};
    Published published{.since_beat = clock.monotonic() - beat.load(), .version = version};
    {
      std::lock_guard lock(mutex);
      published.report = report;
    }
    std::optional<Page> page = page_at(request.path, published);
    if (!page)
      return {.status = 404,
              .content_type = "text/plain",
              .body = "here are /healthz /livez /readyz /metrics /status.json\n"};
    return {.status = page->status, .content_type = std::move(page->content_type), .body = std::move(page->body)};
  }

  Clock& clock;
  const std::string version;
  std::atomic<Duration> beat;
  Duration reported{-kBetweenReports};  ///< of the loop's thread only
  std::mutex mutex;
  std::shared_ptr<const Report> report;
  std::unique_ptr<HttpServer> server;  ///< last: its handlers use the rest
};

Result<std::unique_ptr<Endpoints>> Endpoints::start(const Options& options, Clock& clock) {
  auto state = std::make_unique<State>(clock, options.version);
  auto server = HttpServer::start(
      {.address = options.host, .port = options.port, .connections_max = 64, .threads = 1},
      [state = state.get()](const ServerRequest& request) -> ServerAnswer { return state->answer(request); });
  if (!server) return server.error();
  state->server = std::move(*server);
  return std::make_unique<Endpoints>(std::move(state));
}

Endpoints::Endpoints(std::unique_ptr<State> state) : state_(std::move(state)) {}
Endpoints::~Endpoints() = default;

uint16_t Endpoints::port() const { return state_->server->port(); }

void Endpoints::beat() { state_->beat = state_->clock.monotonic(); }

bool Endpoints::report_is_due() const { return state_->clock.monotonic() - state_->reported >= kBetweenReports; }

void Endpoints::publish(Report report) {
  auto shared = std::make_shared<const Report>(std::move(report));
  state_->reported = state_->clock.monotonic();
  std::lock_guard lock(state_->mutex);
  state_->report = std::move(shared);
}

}  // namespace reconciler
