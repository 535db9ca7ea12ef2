#!/usr/bin/env python3
"""What the program costs, with the targets of the design beside it. It prints; it never fails on time.

    tests/bench/bench.py build/serin [--rollouts 10000] [--small 100]

Both sizes run in one go on this machine, against the embedded cluster, the small one beside the large one where they are
compared: ratios can be trusted where seconds cannot. Folders lie in $TMPDIR. The same against a real API server:
real.py.
"""
import argparse
import os
import signal
import time

import plain_writers
from figures import cpu_seconds, median, memory_mib, wait_quiet
from worlds import HALFWAY, ManyRollouts, harness, manifest, name_of

RUNS = 10


def say(text):
    print(text, flush=True)


def deploy_all(world):
    world.commit("All of them", {n: manifest(n, "v1") for n in range(world.count)})
    began = time.monotonic()
    open(world.path("daemon.log"), "w").close()
    log = world.log_from_here()
    world.run_daemon("--log-level", "debug")
    log.wait(b"promoted v1", world.count)
    took = time.monotonic() - began
    harness.eventually("all is pushed", lambda: world.commits() == 1 + 2 * world.count, every=1)
    say(f"{world.count} rollouts deployed from nothing in {took:.1f} s, {cpu_seconds(world.daemon.pid):.1f} s of CPU")


def cold_start(world):
    """Seconds until all is quiet, and of CPU."""
    writes = len(world.writes())
    began = time.monotonic()
    world.run_daemon("--log-level", "debug")
    took = wait_quiet(world.daemon.pid) - began
    cpu = cpu_seconds(world.daemon.pid)
    assert len(world.writes()) == writes, "a settled world was written to"
    return took, cpu


def idle(world, seconds=20):
    """Share of a core in percent, and API requests that are no watches."""
    pid, asked = world.daemon.pid, len(world.requests())
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    share = (cpu_seconds(pid) - before) / (time.monotonic() - began) * 100
    return share, len([path for _, path in world.requests()[asked:] if "watch=1" not in path and "/leases" not in path])


def one_commit(world, n, tag):
    """From noticing the commit to the first API write, and CPU until all is quiet again; both in ms."""
    pid, log, before = world.daemon.pid, world.log_from_here(), cpu_seconds(world.daemon.pid)
    world.commit(f"Deploy {n} {tag}", {n: manifest(n, tag)})
    noticed = log.wait(b"head moved")
    acted = log.wait(b" create app-")
    log.wait(b"promoted ")
    wait_quiet(pid)
    return (acted - noticed) * 1000, (cpu_seconds(pid) - before) * 1000


def many_canaries(world, count):
    """(transitions, API writes, seconds) of `count` canaries that begin in one commit."""
    log, written, recorded = world.log_from_here(), len(world.writes()), world.commits()
    world.commit("Many at once", {n: manifest(n, "w1") for n in range(count)})
    noticed = log.wait(b"head moved")
    last = log.wait(b"promoted w1", count)
    writes = len(world.writes()) - written
    wait_quiet(world.daemon.pid)
    harness.eventually("all is pushed", lambda: world.newest_subjects(20 * count).count("promoted w1") == count, every=1)
    return world.commits() - recorded - 1, writes, last - noticed


def many_transitions(world, count):
    """Seconds to commit and push a transition each of `count` rollouts that nothing else is done about."""
    log = world.log_from_here()
    refused = {n: manifest(n, "w1").replace("    canary:", "    canary:\n      maxSurge: many") for n in range(count)}
    world.commit("Not valid", refused)
    noticed = log.wait(b"head moved")
    harness.eventually("all is pushed", lambda: world.newest_subjects(2 * count).count(": refused: ") == count, every=0.1)
    return time.time() - noticed


def revert(world, n):
    """Milliseconds from noticing a revert in mid-canary to 100 % stable in the cluster. It stands at v1."""
    ns, name = name_of(n)
    world.commit("Deploy", {n: manifest(n, "x1", HALFWAY)})
    harness.eventually("halfway", lambda: world.weights(name, ns) == [50, 50])
    wait_quiet(world.daemon.pid)
    log = world.log_from_here()
    world.commit("Revert", {n: manifest(n, "v1")})
    harness.eventually("all traffic is back", lambda: world.weights(name, ns) == [100, 0], every=0.002)
    back = time.time()
    return (back - log.wait(b"head moved")) * 1000


def row(name, figure, target):
    say(f"{name:62} {figure:>22}   {target}")


def measure(serin, small_count, count):
    with ManyRollouts(serin, small_count, ready_after="0ms") as small, \
         ManyRollouts(serin, count, ready_after="0ms") as large:
        for world in (small, large):
            deploy_all(world)
            world.kill_daemon(signal.SIGTERM)
        at_once = min(count, 1000)
        accepted = plain_writers.writes_per_second(large.path("kubeconfig"), at_once)
        cold_start(small)
        start, start_cpu = cold_start(large)
        pid = large.daemon.pid
        at_rest = memory_mib(pid)
        share, asked = idle(large)
        small_runs, runs = [], []
        for i in range(RUNS):  # in turn, so that the machine's moods hit both
            small_runs.append(one_commit(small, 7, f"v{i + 2}"))
            runs.append(one_commit(large, 7, f"v{i + 2}"))
        small.kill_daemon(signal.SIGTERM)
        back = revert(large, 8)
        commits, writes, took = many_canaries(large, at_once)
        after_canaries = memory_mib(pid)
        pushed = many_transitions(large, at_once)
        wait_quiet(pid)
        cpu = [median([ms for _, ms in each]) for each in (small_runs, runs)]
        say("")
        row(f"{count} rollouts, {4 * count} objects", "measured", "wanted")
        row("push noticed to first API write", f"{median([ms for ms, _ in runs]):.0f} ms", "< 100 ms")
        row(f"CPU of one commit and its canary, at {small_count} and at {count}",
            f"{cpu[0]:.0f}, {cpu[1]:.0f} ms: {cpu[1] / cpu[0]:.2f}", "ratio <= 1.5")
        row("idle, polling every second", f"{share:.2f} % of a core", "< 0.5 %, at a poll a minute")
        row("API requests in 20 s of idling, but watches and the lease", f"{asked}", "0")
        row("memory at rest (RSS)", f"{at_rest:.0f} MiB", "< 150 MiB")
        row("  after many canaries; at the end; at most",
            f"{after_canaries:.0f}, {memory_mib(pid):.0f}, {memory_mib(pid, 'VmHWM'):.0f} MiB", "")
        row("cold start, clone present, nothing to do", f"{start:.1f} s, CPU {start_cpu:.1f} s", "< 5 s")
        row(f"{at_once} canaries of 8 steps at once: API writes a second", f"{writes / took:.0f}",
            f">= 80 % of {accepted:.0f}: {writes / took / accepted:.0%}")
        row(f"  {writes / at_once:.1f} writes and {commits / at_once:.1f} commits each, in all",
            f"{took:.1f} s, {commits / took:.0f} commits/s", "")
        row(f"{at_once} transitions: commit and push", f"{pushed:.1f} s", "< 5 s")
        row("revert noticed to 100 % stable", f"{back:.0f} ms", "< 1000 ms")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("serin")
    options.add_argument("--rollouts", type=int, default=10000)
    options.add_argument("--small", type=int, default=100)
    given = options.parse_args()
    measure(os.path.abspath(given.serin), given.small, given.rollouts)


if __name__ == "__main__":
    main()
