// The traffic of a world as Prometheus serves it: its query API under `/prometheus`, and `/metrics` for a real
// Prometheus to scrape. Series are known for every moment, so history is as if it had been scraped all the time.
#pragma once

#include "http/server.h"
#include "sim/world.h"

namespace reconciler {

ServerResponse answer_prometheus(const ServerRequest& request, World& world);

}  // namespace reconciler
