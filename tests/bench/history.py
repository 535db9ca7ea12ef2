#!/usr/bin/env python3
"""What an answer from a clone costs on a long history, beside plain `git log` over the same. It prints; it never fails
on time.

    tests/bench/history.py build/serin [--commits 100000] [--rollouts 1000]

Two repositories: status commits as Serin writes them with the commits that asked for them, and the same among as many
commits of people about other things. Ratios can be trusted where seconds cannot.
"""
import argparse
import os
import subprocess
import tempfile
import time

import recorded_history

GIT = recorded_history.GIT


def cost(words, folder):
    """Wall and CPU seconds, and the largest resident size in MiB."""
    began = time.monotonic()
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, env=GIT)
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, (words, status)
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def by_cpu(figures):
    """Whoever else uses the machine makes the wall clock slower, and this one hardly."""
    return figures[1]


def measure(serin, folder, world, runs):
    """Prints a line a command; returns nothing, so that nobody is tempted to compare seconds with a limit."""
    rollout = max(world.rollouts, key=lambda r: (r.deployed, r.name))
    name, path = f"{rollout.ns}/{rollout.name}", rollout.path()
    middle = recorded_history.utc((recorded_history.BEGAN + world.now) // 2)
    late = recorded_history.utc(world.now - 3600)
    week = recorded_history.utc(world.now - 7 * 86400)
    first = "--first-parent"
    tables = [
        ("all commits", ["git", "log", first, "--format=%B"], [["verify"], ["audit"], ["audit", "--since", week]]),
        ("one path", ["git", "log", first, "--format=%B", "--", path], [["history", name, "--limit", "1000000"]]),
        ("one path, last 100", ["git", "log", first, "-100", "--format=%B", "--", path], [["history", name]]),
        ("one path, last", ["git", "log", first, "-1", "--format=%B", "--until", late, "--", path],
         [["at", late, name], ["at", late]]),
        ("one path, from the middle", ["git", "log", first, "-1", "--format=%B", "--until", middle, "--", path],
         [["at", middle, name], ["at", middle]])]
    for what, git, commands in tables:
        base = min((cost(git, folder) for _ in range(runs)), key=by_cpu)
        print(f"  {'git log, ' + what:40} {base[0]:7.2f} s  {base[1]:7.2f} s CPU  {base[2]:5.0f} MiB")
        for words in commands:
            wall, cpu, memory = min((cost([serin, *words, "--repo", folder], folder) for _ in range(runs)), key=by_cpu)
            said = " ".join(words).replace(name, "NAME").replace(middle, "MIDDLE").replace(late, "LATE")
            print(f"  {'serin ' + said.replace(week, 'WEEK'):40} {wall:7.2f} s  {cpu:7.2f} s CPU  {memory:5.0f} MiB  "
                  f"x{cpu / base[1]:.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("serin")
    parser.add_argument("--commits", type=int, default=100_000)
    parser.add_argument("--rollouts", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    serin = os.path.abspath(options.serin)
    with tempfile.TemporaryDirectory(prefix="serin-history-") as folder:
        for what, notes in (("status commits and deploys", 0), ("among people's commits", 1)):
            repository = os.path.join(folder, f"with-{notes}.git")
            began = time.monotonic()
            world = recorded_history.make(repository, options.commits, options.rollouts, notes)
            size = sum(os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(repository) for name in names)
            print(f"{world.out.count} commits, {world.records} of them status commits of {options.rollouts} rollouts, {what}: "
                  f"{size >> 20} MiB, made in {time.monotonic() - began:.0f} s", flush=True)
            measure(serin, repository, world, options.runs)


if __name__ == "__main__":
    main()
