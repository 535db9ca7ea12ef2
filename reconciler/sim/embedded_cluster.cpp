#include "sim/embedded_cluster.h"

#include <fstream>
#include <mutex>

#include "base/format.h"
#include "http/server.h"
#include "sim/api_server.h"
#include "sim/prometheus_api.h"

namespace reconciler {
namespace {

/// One line per answered request, flushed: tests read the file while the cluster runs.
class RequestLog {
 public:
  explicit RequestLog(const std::string& path) : on_(!path.empty()) {
    if (on_) file_.open(path, std::ios::app);
  }
  bool is_usable() const { return !on_ || file_.is_open(); }

  void write(TimePoint now, const ServerRequest& request, int status) {
    if (!on_) return;
    auto field = [](std::string text) {
      for (char& c : text)
        if (c == '\t' || c == '\n' || c == '\r') c = ' ';
      return text.empty() ? std::string("-") : text;
    };
    std::lock_guard lock(mutex_);
    file_ << format_time(now) << '\t' << field(request.method) << '\t' << field(request.target) << '\t' << status
          << '\t' << field(request.header("user-agent")) << '\n'
          << std::flush;
  }

 private:
  bool on_;
  std::mutex mutex_;
  std::ofstream file_;
};

/// Pages of the web that make a browser talk to this port under another name are turned away.
bool is_local_host(const std::string& host) {
  std::string name = host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
  return name.empty() || name == "localhost" || name == "[::1]" || name.starts_with("127.");
}

}  // namespace

struct EmbeddedCluster::Parts {
  Parts(const EmbeddedClusterOptions& asked, Clock& time)
      : options(asked),
        clock(time),
        world({.ready_after = asked.ready_after, .now = time.now(), .requests_per_second = asked.requests_per_second}),
        kubernetes(world, time),
        log(asked.request_log) {}

  ServerAnswer route(const ServerRequest& request) {
    if (loopback && !is_local_host(request.header("host")))
      return ServerResponse{.status = 403, .content_type = "text/plain", .body = "unknown host\n"};
    const std::string& path = request.path;
    if (path == "/healthz" || path == "/livez" || path == "/readyz")
      return ServerResponse{.content_type = "text/plain", .body = "ok"};
    if (path == "/metrics" || path.starts_with("/prometheus/")) {
      ServerResponse response;
      kubernetes.with_world([&](World& present) { response = answer_prometheus(request, present); });
      return response;
    }
    return kubernetes.answer(request);
  }

  ServerAnswer answer(const ServerRequest& request) {
    ServerAnswer answer = route(request);
    auto* whole = std::get_if<ServerResponse>(&answer);
    log.write(clock.now(), request, whole ? whole->status : 200);
    return answer;
  }

  EmbeddedClusterOptions options;
  Clock& clock;
  World world;
  ApiServer kubernetes;
  RequestLog log;
  bool loopback = true;
  std::unique_ptr<HttpServer> server;
  std::jthread ticker;
};

EmbeddedCluster::EmbeddedCluster(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

EmbeddedCluster::~EmbeddedCluster() {
  parts_->server.reset();
  parts_->ticker.request_stop();
  parts_->kubernetes.wake();
}

Result<std::unique_ptr<EmbeddedCluster>> EmbeddedCluster::start(const EmbeddedClusterOptions& options, Clock& clock) {
  auto parts = std::make_unique<Parts>(options, clock);
  if (!parts->log.is_usable()) return transient(format("{}: cannot be written", options.request_log));
  parts->loopback = is_local_host(options.address) || options.address == "::1";
  HttpServerOptions listening{.address = options.address, .port = options.port, .connections_max = 4096};
  listening.stream_bytes_max = size_t{256} << 20;  // a watch may begin with all objects of a large cluster
  auto server = HttpServer::start(listening, [raw = parts.get()](const ServerRequest& r) { return raw->answer(r); });
  if (!server) return server.error();
  parts->server = std::move(*server);
  parts->ticker = std::jthread([raw = parts.get()](std::stop_token stop) {
    while (!stop.stop_requested()) raw->kubernetes.wait(raw->kubernetes.tick());
  });
  return std::make_unique<EmbeddedCluster>(std::move(parts));
}

uint16_t EmbeddedCluster::port() const { return parts_->server->port(); }

std::string EmbeddedCluster::url() const {
  const std::string& address = parts_->options.address;
  return format(address.find(':') == address.npos ? "http://{}:{}" : "http://[{}]:{}", address, port());
}

std::string EmbeddedCluster::kubeconfig() const {
  return format(R"(apiVersion: v1
kind: Config
clusters:
- name: embedded
  cluster:
    server: {}
users:
- name: embedded
  user: {}
contexts:
- name: embedded
  context:
    cluster: embedded
    user: embedded
    namespace: default
current-context: embedded
)",
                url(), "{}");
}

void EmbeddedCluster::with_world(const std::function<void(World&)>& use) { parts_->kubernetes.with_world(use); }

}  // namespace reconciler
