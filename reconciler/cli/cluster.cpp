// `serin cluster`: the embedded cluster alone, until a signal.
#include <iostream>
#include <semaphore>

#include "base/format.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/private_file.h"
#include "cli/signals.h"
#include "daemon/system_clock.h"
#include "sim/embedded_cluster.h"

namespace reconciler {
namespace {

const Syntax& cluster_syntax() {
  static const Syntax made{
      .usage = "serin cluster [OPTIONS]",
      .summary =
          "Runs a small Kubernetes API in memory, with Istio's routes, pods that become ready, and traffic.\n"
          "kubectl works against it. It is for demos and tests, never for production.",
      .options =
          {
              {.name = "listen",
               .operand = "ADDRESS",
               .help = "address and port; port 0 is any free one",
               .type = AddressOption{},
               .otherwise = "127.0.0.1:0"},
              {.name = "write-kubeconfig", .operand = "FILE", .help = "write a kubeconfig for it to FILE"},
              {.name = "ready-after",
               .operand = "TIME",
               .help = "how long a new pod takes to become ready",
               .type = DurationOption{},
               .otherwise = "1s"},
              {.name = "request-rate",
               .operand = "N",
               .help = "requests per second for each route of a VirtualService; 0: none",
               .type = IntegerOption{.least = 0, .most = 1000000},
               .otherwise = "10"},
              {.name = "log-requests", .operand = "FILE", .help = "append one line per answered request to FILE"},
              {.name = "allow-remote",
               .help = "listen on an address other than loopback: anybody who reaches it may do everything",
               .type = FlagOption{}},
          },
  };
  return made;
}

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

int serve(const Options& options) {
  SocketAddress listen = options.address("listen");
  if (!is_loopback(listen.host) && !options.flag("allow-remote"))
    return usage_error(format("--listen {}: not a loopback address (see: --allow-remote)", options.text("listen")));
  StopSignals::block();
  SystemClock clock;
  auto cluster = EmbeddedCluster::start({.address = listen.host == "localhost" ? "127.0.0.1" : listen.host,
                                         .port = listen.port,
                                         .ready_after = options.duration("ready-after"),
                                         .requests_per_second = double(options.integer("request-rate")),
                                         .request_log = options.text("log-requests")},
                                        clock);
  if (!cluster) return failed(cluster.error());
  if (std::string file = options.text("write-kubeconfig"); !file.empty())
    if (auto written = write_private_file(file, (*cluster)->kubeconfig()); !written) return failed(written.error());
  std::cout << "listening on " << (*cluster)->url() << std::endl;
  std::counting_semaphore<> stop(0);
  StopSignals signals([&] { stop.release(); });
  stop.acquire();
  return 0;
}

}  // namespace

int cluster(const std::vector<std::string>& arguments) { return with_options(cluster_syntax(), arguments, serve); }

}  // namespace reconciler
