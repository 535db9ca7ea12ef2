#!/usr/bin/env python3
"""What the daemon tells whoever watches over it: `promtool check metrics` likes it, the numbers are true, and readiness
follows the world. `metrics_test.py SERIN [TEST...]`"""
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness  # noqa: E402
from harness import World, eventually  # noqa: E402


class Watched(World):
    """A world whose daemon listens."""

    def run_daemon(self, *more):
        before = self.log_text().count(" listening ") if os.path.exists(self.path("daemon.log")) else 0
        super().run_daemon("--listen", "127.0.0.1:0", *more)
        eventually("it listens", lambda: self.log_text().count(" listening ") > before)
        self.port = int(re.findall(r"listening .*port=(\d+)", self.log_text())[-1])

    def get(self, path):
        """Status and text."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, series):
        """The value of a sample, None when it is absent."""
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(series + " "):
                return float(line.split()[-1])
        return None

    def total(self, name, *labels):
        """The sum of all samples of a name that carry these labels."""
        return sum(float(line.split()[-1]) for line in self.get("/metrics")[1].splitlines()
                   if re.match(re.escape(name) + r"[{ ]", line) and all(label in line for label in labels))


def check(text):
    if not shutil.which("promtool"):
        print("skipped: no promtool here (package prometheus)")
        sys.exit(77)
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def numbers_are_true(serin):
    with Watched(serin) as world:
        world.deploy("v1")
        world.run_daemon()
        world.wait_subject("promoted v1")
        world.deploy("v2", steps="[{setWeight: 50}, {pause: {}}]")
        world.wait_subject("canary 50% (step 1/2)")
        name = 'namespace="shop",name="till"'
        eventually("the weight is shown", lambda: world.metric(f"serin_rollout_weight{{{name}}}") == 50)
        assert world.metric(f'serin_rollout_phase{{{name},phase="Paused"}}') == 1
        assert world.metric(f'serin_rollout_step{{{name}}}') == 1
        assert world.metric(f'serin_rollout_info{{{name},role="canary",image="registry.example.com/till:v2"}}') == 1
        assert world.metric(f"serin_rollout_promotions_total{{{name}}}") == 1
        head = world.git("rev-parse", "main", cwd=world.bare).strip()
        text = world.get("/metrics")[1]
        assert "serin_git_head_info" in text and "canary 50%" not in text, text
        for line in text.splitlines():
            assert "_info" in line.split("{")[0] or head[:12] not in line, line
        assert world.total("serin_reconcile_total", 'result="transition"') == len(world.subjects())
        assert world.total("serin_reconcile_duration_seconds_count") == world.total("serin_reconcile_total")
        assert world.total("serin_git_poll_total", 'result="success"') >= 1
        assert world.total("serin_git_push_total", 'result="success"') >= 1
        assert world.total("serin_objects_applied_total", 'kind="Service"', 'result="applied"') == 2
        log = open(world.path("requests.log")).read().splitlines()
        # The lease is renewed over a connection of its own, which is not counted.
        created = [line for line in log if line.split()[1] == "POST" and line.split()[3] == "201" and "/leases" not in line]
        assert world.total("serin_kube_requests_total", 'verb="create"', 'code="201"') == len(created)
        assert world.total("serin_commit_to_healthy_seconds_count") == 1
        eventually("no job is left", lambda: world.metric("serin_queue_depth") == 0 == world.metric("serin_inflight"))
        check(text)
        world.decide("abort", world.revision_of("v2"))
        world.wait_subject("rolled back to v1: aborted by Ann <ann@example.com>: looks good")
        assert world.metric(f'serin_rollout_aborts_total{{{name},reason="decision"}}') == 1
        assert world.metric(f"serin_rollout_rollback_seconds_count{{{name}}}") == 1
        # The report behind it is made at most once a second.
        eventually("Git asks for what was rejected",
                   lambda: world.metric(f"serin_rollout_git_diverged{{{name}}}") == 1)
        check(world.get("/metrics")[1])


def readiness_follows_the_world(serin):
    with Watched(serin) as world:
        world.deploy("v1")
        world.run_daemon()
        world.wait_subject("promoted v1")
        eventually("ready", lambda: world.get("/readyz")[0] == 200)
        away = world.bare + ".away"
        os.rename(world.bare, away)
        eventually("not ready without git", lambda: "the last good poll" in world.get("/readyz")[1])
        assert world.get("/readyz")[0] == 503 and world.get("/livez")[0] == 200
        eventually("the poll is counted", lambda: world.total("serin_git_poll_total", 'result="unreachable"') +
                   world.total("serin_git_poll_total", 'result="refused"') > 0)
        os.rename(away, world.bare)
        eventually("ready again", lambda: world.get("/readyz")[0] == 200)
        world.cluster.kill()
        eventually("not ready without the cluster", lambda: world.get("/readyz")[1].startswith("cluster: "))
        assert world.get("/healthz") == (200, "ok\n")


TESTS = {f.__name__: f for f in (numbers_are_true, readiness_follows_the_world)}

if __name__ == "__main__":
    harness.main(TESTS)
