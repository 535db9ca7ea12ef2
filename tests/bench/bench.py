#!/usr/bin/env python3
"""What the program costs, with the targets of the design beside it. It prints; it never fails on time.

    tests/bench/bench.py build/serin [--rollouts 10000] [--small 100]

Both sizes run in one go on this machine, against the embedded cluster, so that ratios can be trusted where seconds
cannot.
"""
import argparse
import datetime
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness

STEPS = "[{setWeight: 20}, {setWeight: 40}, {setWeight: 60}, {setWeight: 80}]"


def manifest(n, tag):
    ns, name = f"team-{n % 100:02d}", f"app-{n:05d}"
    text = harness.ROLLOUT.format(name=name, ns=ns, tag=tag, steps=STEPS, replicas=1)
    return f"apps/{ns}/{name}.yaml", text + "---\n" + harness.SERVICES.format(name=name, ns=ns)


def commit(world, message, tags):
    """One commit of many files, by fast-import: a work tree of ten thousand files would be the slow part."""
    tip = world.git("rev-parse", "-q", "--verify", "main", cwd=world.bare, check=False).strip()
    out = [f"commit refs/heads/main\ncommitter Ann <ann@example.com> {int(time.time())} +0000\n"
           f"data {len(message)}\n{message}\n" + (f"from {tip}\n" if tip else "")]
    for n, tag in tags.items():
        path, text = manifest(n, tag)
        out.append(f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n")
    subprocess.run(["git", "fast-import", "--quiet", "--force"], cwd=world.bare, env=harness.GIT,
                   input="".join(out).encode(), check=True)


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1)) / 1024


def wait_idle(pid, deadline=900):
    """Until the process has used next to no CPU for a second. Returns when that second began."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        before, began = cpu_seconds(pid), time.monotonic()
        time.sleep(1)
        if cpu_seconds(pid) - before <= 0.02:
            return began
    raise SystemExit("the daemon never came to rest")


def commits(world):
    return int(world.git("rev-list", "--count", "main", cwd=world.bare))


def log_time(world, needle, after=0):
    """When the first line with `needle` was logged, from byte `after` of the log on."""
    with open(world.path("daemon.log"), "rb") as log:
        log.seek(after)
        for line in log:
            if needle in line:
                stamp = line.split()[0].decode().rstrip("Z")
                return datetime.datetime.fromisoformat(stamp + "+00:00").timestamp()
    return None


def one_commit(world, n, tag):
    """Seconds from noticing the commit to the first API write, and CPU seconds until all is quiet again."""
    pid, at = world.daemon.pid, os.path.getsize(world.path("daemon.log"))
    before = cpu_seconds(pid)
    commit(world, f"Deploy {n} {tag}", {n: tag})
    noticed = harness.eventually("the commit is noticed", lambda: log_time(world, b"head moved", at))
    acted = harness.eventually("the first write", lambda: log_time(world, b" create app-", at))
    wait_idle(pid)
    return acted - noticed, cpu_seconds(pid) - before


def measure(serin, count):
    print(f"--- {count} rollouts, {4 * count} objects", flush=True)
    found = {}
    with harness.World(serin, ready_after="0ms") as world:
        harness.DEADLINE = 900
        commit(world, "All of them", {n: "v1" for n in range(count)})
        began = time.monotonic()
        world.run_daemon("--log-level", "debug")
        harness.eventually("all are promoted", lambda: world.log_text().count("promoted v1") == count, every=1)
        found["deploy all from nothing, s"] = time.monotonic() - began
        harness.eventually("all is pushed", lambda: commits(world) == 1 + 2 * count, every=1)
        world.kill_daemon(signal.SIGTERM)
        os.remove(world.path("daemon.log"))
        began = time.monotonic()
        writes = len(world.writes())
        world.run_daemon("--log-level", "debug")
        found["cold start with nothing to do, s"] = wait_idle(world.daemon.pid) - began
        assert len(world.writes()) == writes, "a settled world was written to"
        pid = world.daemon.pid
        found["RSS at rest, MiB"] = rss_mib(pid)
        requests = len(open(world.path("requests.log")).readlines())
        before, began = cpu_seconds(pid), time.monotonic()
        time.sleep(10)
        found["idle, % of a core (poll every second)"] = (cpu_seconds(pid) - before) / (time.monotonic() - began) * 100
        found["API requests while idle"] = len(open(world.path("requests.log")).readlines()) - requests
        runs = [one_commit(world, 7, f"w{i}") for i in range(5)]
        found["one commit: noticed to first API write, ms"] = sorted(r[0] for r in runs)[2] * 1000
        found["one commit: CPU until quiet, ms"] = sorted(r[1] for r in runs)[2] * 1000
        before, many = commits(world), min(count, 1000)
        began = time.monotonic()
        commit(world, "A thousand at once", {n: "v3" for n in range(many)})
        harness.eventually("all are promoted and pushed",
                           lambda: world.git("log", "--format=%s", f"-{9 * many}", "main",
                                             cwd=world.bare).count("promoted v3") == many, every=0.5)
        took = time.monotonic() - began
        found[f"{many} canaries of 4 steps at once, s"] = took
        found["status commits per second meanwhile"] = (commits(world) - before - 1) / took
        found["RSS after that, MiB"] = rss_mib(pid)
    for name, value in found.items():
        print(f"{name:48} {value:10.1f}", flush=True)
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("serin")
    options.add_argument("--rollouts", type=int, default=10000)
    options.add_argument("--small", type=int, default=100)
    given = options.parse_args()
    serin = os.path.abspath(given.serin)
    small, large = measure(serin, given.small), measure(serin, given.rollouts)
    ratio = large["one commit: CPU until quiet, ms"] / max(small["one commit: CPU until quiet, ms"], 0.1)
    print(f"""
targets                                              measured   wanted
cost of one commit, {given.rollouts} against {given.small} rollouts      {ratio:8.2f}   <= 1.5
noticed to first API write, ms                       {large["one commit: noticed to first API write, ms"]:8.1f}   < 100
idle, % of a core                                    {large["idle, % of a core (poll every second)"]:8.2f}   < 0.5 (poll every 60 s)
memory, MiB                                          {large["RSS at rest, MiB"]:8.1f}   < 150
cold start, s                                        {large["cold start with nothing to do, s"]:8.1f}   < 5""")


if __name__ == "__main__":
    main()
