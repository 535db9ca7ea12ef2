#!/usr/bin/env python3
"""A real Prometheus scrapes the embedded cluster's traffic and the daemon's own metrics: request rates follow the
weights. `prometheus_test.py SERIN [TEST...]`"""
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from metrics_test import Watched, eventually, harness  # noqa: E402

CONFIG = """global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - {{job_name: mesh, static_configs: [{{targets: ["{mesh}"]}}]}}
  - {{job_name: serin, static_configs: [{{targets: ["{serin}"]}}]}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Prometheus:
    """Debian's, over one configuration."""

    def __init__(self, world):
        if not shutil.which("prometheus"):
            print("skipped: no prometheus here (package prometheus)")
            sys.exit(77)
        with open(world.path("prometheus.yml"), "w") as out:
            out.write(CONFIG.format(mesh=world.url.split("//")[1], serin=f"127.0.0.1:{world.port}"))
        # It cannot be asked for any free port, and somebody may be faster.
        for _ in range(5):
            self.url = f"http://127.0.0.1:{free_port()}"
            process = subprocess.Popen(["prometheus", "--config.file", world.path("prometheus.yml"),
                                        "--storage.tsdb.path", world.path("tsdb"), "--web.listen-address",
                                        self.url.split("//")[1]], stderr=subprocess.DEVNULL)
            world.processes.append(process)
            eventually("prometheus is up or gone", lambda: process.poll() is not None or self.is_ready())
            if process.poll() is None:
                return
        raise AssertionError("prometheus does not start")

    def is_ready(self):
        try:
            with urllib.request.urlopen(self.url + "/-/ready", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def value(self, query):
        """The one value of an instant query; None without a result."""
        with urllib.request.urlopen(f"{self.url}/api/v1/query?" + urllib.parse.urlencode({"query": query}),
                                    timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
        return float(result[0]["value"][1]) if result else None


def rates_follow_the_weights(serin):
    with Watched(serin) as world:
        world.deploy("v1")
        world.run_daemon()
        world.wait_subject("promoted v1")
        world.deploy("v2", steps="[{setWeight: 20}, {pause: {}}, {setWeight: 80}, {pause: {}}]", replicas=5)
        world.wait_subject("canary 20% (step 1/4)")
        prometheus = Prometheus(world)
        share = ('sum(rate(istio_requests_total{destination_service_name="till-canary"}[8s])) / '
                 'sum(rate(istio_requests_total[8s]))')
        near = lambda wanted: abs((prometheus.value(share) or 0) - wanted) < 0.04  # noqa: E731
        eventually("a fifth of the requests goes to the canary", lambda: near(0.2), every=0.2)
        name = '{namespace="shop",name="till"}'
        eventually("the daemon tells its weight", lambda: prometheus.value("serin_rollout_weight" + name) == 20)
        world.decide("promote", world.revision_of("v2"), 1)
        world.wait_subject("canary 80% (step 3/4)")
        eventually("four fifths go to the canary", lambda: near(0.8), every=0.2)
        eventually("the daemon tells its weight", lambda: prometheus.value("serin_rollout_weight" + name) == 80)
        # Every family of the daemon can be queried as what it is.
        assert prometheus.value('histogram_quantile(0.9, sum by (le) (serin_kube_request_duration_seconds_bucket))') > 0
        assert prometheus.value('sum(up)') == 2


TESTS = {f.__name__: f for f in (rates_follow_the_weights,)}

if __name__ == "__main__":
    harness.main(TESTS)
