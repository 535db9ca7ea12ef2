#!/usr/bin/env python3
"""The same figures against a real API server. It prints; it never fails on time.

    tests/bench/real.py build/serin [--rollouts 1000] [--canaries 1000] [--kubeconfig FILE [--audit-log FILE]]

Without a kubeconfig a control plane of its own is started (tests/kubernetes/with-cluster.sh), whose audit log tells what
Serin asked for. Of a given cluster an administrator's kubeconfig is needed; without its audit log no requests are counted.
"""
import argparse
import os
import shutil
import sys
import time

import plain_writers
from bench import many_canaries, one_commit, revert, row, say
from connection import Connection, Server
from figures import cpu_seconds, median, memory_mib, wait_quiet
from worlds import ManyRollouts, harness, manifest, name_of

HERE = os.path.dirname(os.path.abspath(__file__))
RUNS = 5
SETTLED_SECONDS = 60


def definition(plural, kind):
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.networking.istio.io"},
            "spec": {"group": "networking.istio.io", "scope": "Namespaced",
                     "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
                     "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                         "type": "object", "properties": {"spec": anything, "status": anything}}}}]}}


class RealWorld(ManyRollouts):
    """The repository and the daemon are as ever; the cluster is somebody else's."""

    def __init__(self, serin, count, kubeconfig, audit_log):
        self.given, self.audit_log = kubeconfig, audit_log
        super().__init__(serin, count)

    def start_cluster(self, _):
        shutil.copy(self.given, self.path("kubeconfig"))
        self.connection = Connection(Server(self.path("kubeconfig")))
        for plural, kind in (("virtualservices", "VirtualService"), ("destinationrules", "DestinationRule")):
            path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            if self.api(f"{path}/{plural}.networking.istio.io") is None:
                self.connection.call("POST", path, definition(plural, kind))
        harness.eventually("the routes' definition", lambda: self.api("/apis/networking.istio.io/v1/virtualservices"))

    def api(self, path):
        return self.connection.call("GET", path)

    def requests(self):
        """(method, path) of what Serin asked for; watches are listed when they begin."""
        if not self.audit_log:
            return []
        time.sleep(1)  # the log is written in batches
        return [tuple(line.split("\t")[1:3]) for line in harness.audited(self.audit_log)]


def deploy_all(world):
    """Seconds until every object is there, and until every rollout is Healthy; from an empty cluster."""
    world.commit("All of them", {n: manifest(n, "v1") for n in range(world.count)})
    began = time.time()
    open(world.path("daemon.log"), "w").close()
    log = world.log_from_here()
    world.run_daemon("--log-level", "debug")
    applied = log.wait(b"applied networking.istio.io/VirtualService", world.count)
    return applied - began, log.wait(b"promoted v1", world.count) - began


def drift(world, n):
    """Milliseconds until a Service that somebody changed by hand is as Git has it again; None when it stays changed."""
    ns, name = name_of(n)
    path = f"/api/v1/namespaces/{ns}/services/{name}"
    began = time.time()
    by_hand = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 9999}
    world.connection.call("PATCH", path, {"spec": {"ports": [by_hand]}}, plain_writers.MERGE_PATCH)
    while time.time() < began + 20:
        if [port["targetPort"] for port in world.api(path)["spec"]["ports"]] == [8080]:
            return (time.time() - began) * 1000
        time.sleep(0.005)
    return None


def measure(serin, count, canaries, kubeconfig, audit_log):
    with RealWorld(serin, count, kubeconfig, audit_log) as world:
        accepted = plain_writers.writes_per_second(kubeconfig, canaries)
        applied, healthy = deploy_all(world)
        pid = world.daemon.pid
        deploy_cpu = cpu_seconds(pid)
        wait_quiet(pid)
        time.sleep(5)  # the audit log lags behind
        asked, before = world.requests(), cpu_seconds(pid)
        time.sleep(SETTLED_SECONDS)
        share = (cpu_seconds(pid) - before) / SETTLED_SECONDS * 100
        settled = [path for _, path in world.requests()[len(asked):]]
        others = [path for path in settled if "watch=1" not in path and "/leases/" not in path]
        at_rest = memory_mib(pid)
        runs = [one_commit(world, 7, f"v{i + 2}") for i in range(RUNS)]
        back = revert(world, 8)
        corrected = drift(world, 9)
        commits, writes, took = many_canaries(world, canaries)
        say("")
        version = world.api("/version")["gitVersion"]
        row(f"kube-apiserver {version}, {count} rollouts, {4 * count} objects", "measured", "wanted")
        row("all applied from nothing; all Healthy", f"{applied:.1f} s; {healthy:.1f} s", "")
        row("  CPU of Serin meanwhile", f"{deploy_cpu:.1f} s", "")
        if audit_log:
            row(f"requests of a settled minute: watches; leases; others",
                f"{sum('watch=1' in p for p in settled)}; {sum('/leases/' in p for p in settled)}; {len(others)}", "others 0")
        row("idle, polling every second", f"{share:.2f} % of a core", "< 0.5 %, at a poll a minute")
        row("memory at rest; after many canaries (RSS)", f"{at_rest:.0f}; {memory_mib(pid):.0f} MiB", "")
        row("commit noticed to first API write", f"{median([ms for ms, _ in runs]):.0f} ms", "< 100 ms")
        row("change by hand to corrected", "not corrected" if corrected is None else f"{corrected:.0f} ms", "")
        row("revert noticed to 100 % stable", f"{back:.0f} ms", "< 1000 ms")
        if audit_log:
            row(f"{canaries} canaries of 8 steps at once: API writes a second", f"{writes / took:.0f}",
                f">= 80 % of {accepted:.0f}: {writes / took / accepted:.0%}")
        row(f"  {commits / canaries:.1f} commits each, in all", f"{took:.1f} s, {commits / took:.0f} commits/s", "")


def on_a_control_plane_of_its_own():
    os.environ["APISERVER_ARGS"] = "--audit-log-mode=batch --audit-log-batch-max-wait=200ms"
    script = os.path.join(HERE, "..", "kubernetes", "with-cluster.sh")
    again = 'exec "$0" "$@" --kubeconfig "$SERIN_TEST_KUBECONFIG" --audit-log "$AUDIT_LOG"'
    os.execv(script, [script, "sh", "-c", again, *sys.argv])


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("serin")
    options.add_argument("--rollouts", type=int, default=1000)
    options.add_argument("--canaries", type=int, default=1000, help="how many begin at once")
    options.add_argument("--kubeconfig")
    options.add_argument("--audit-log")
    given = options.parse_args()
    if not given.kubeconfig:
        on_a_control_plane_of_its_own()
    measure(os.path.abspath(given.serin), given.rollouts, min(given.canaries, given.rollouts), given.kubeconfig, given.audit_log)


if __name__ == "__main__":
    main()
