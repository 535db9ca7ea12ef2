// What every API server must do for a lease: one record, replaced only by who has seen it as it is.
#include <unistd.h>

#include "cluster/contract/world.h"
#include "cluster/kubernetes_lease.h"

#include "catch.h"

using namespace reconciler;

namespace {

std::unique_ptr<KubernetesLease> open_lease(const LeaseName& name) {
  auto lease = KubernetesLease::open(test_settings().http, name);
  REQUIRE(lease);
  return *std::move(lease);
}

LeaseRecord first_record() {
  const TimePoint time = TimePoint{} + 24h * 20000 + 1234ms;
  return {.holder = "a", .last_holder = "a", .duration = 15s, .acquired = time, .renewed = time};
}

LeaseName new_lease(const std::string& name) { return {.ns = new_namespace(*open_cluster()), .name = name}; }

}  // namespace

TEST_CASE("a lease comes back as it was written", "[contract][lease]") {
  auto lease = open_lease(new_lease("serin-serin"));
  auto none = lease->read();
  REQUIRE(none);
  CHECK_FALSE(*none);
  auto written = lease->write(first_record());
  INFO((written ? "" : written.error().message));
  REQUIRE(written);
  CHECK_FALSE(written->version.empty());
  LeaseRecord expected = first_record();
  expected.version = written->version;
  CHECK(*written == expected);
  auto read = lease->read();
  REQUIRE(read);
  CHECK(*read == std::optional(*written));
}

TEST_CASE("only the record that was seen can be replaced", "[contract][lease]") {
  const LeaseName name = new_lease("serin-serin");
  auto a = open_lease(name), b = open_lease(name);
  auto first = a->write(first_record());
  REQUIRE(first);
  auto again = b->write(first_record());
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::Conflict);

  LeaseRecord renewed = *first;
  renewed.renewed += 2s;
  auto second = a->write(renewed);
  REQUIRE(second);
  LeaseRecord stolen = *first;
  stolen.holder = stolen.last_holder = "b";
  auto late = b->write(stolen);
  REQUIRE_FALSE(late);
  CHECK(late.error().kind == ErrorKind::Conflict);
  CHECK((*b->read())->holder == "a");
}

TEST_CASE("a released lease says whose it was", "[contract][lease]") {
  auto lease = open_lease(new_lease("serin-serin"));
  auto first = lease->write(first_record());
  REQUIRE(first);
  LeaseRecord free = *first;
  free.holder.clear();
  REQUIRE(lease->write(free));
  CHECK((*lease->read())->holder.empty());
  CHECK((*lease->read())->last_holder == "a");
}

TEST_CASE("a lease in a namespace that does not exist makes it", "[contract][lease]") {
  const std::string ns = "lease-" + std::to_string(::getpid());
  auto lease = open_lease({.ns = ns, .name = "serin-serin"});
  auto written = lease->write(first_record());
  INFO((written ? "" : written.error().message));
  REQUIRE(written);
  CHECK(Backdoor().get("/api/v1/namespaces/" + ns) != Json());
}
