#!/usr/bin/env python3
"""What people do to Serin through its own commands, and what they can ask a clone: approve and its like while a daemon
runs, then audit and verify over the history that it left, compared with what plain git says.

usage: people_test.py SERIN [TEST...]
"""
import csv
import io
import json
import subprocess

import harness
from harness import World

STEPS = "[{setWeight: 50}, {pause: {}}, {setWeight: 80}, {pause: {}}]"


def serin(world, *words, code=0):
    done = subprocess.run([world.serin, *words], cwd=world.path("work"), env=harness.GIT, capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def person(world, name):
    world.git("config", "user.name", name)
    world.git("config", "user.email", f"{name.lower()}@example.com")


def canary_at_rest(world):
    world.run_daemon()
    world.deploy("v1")
    world.wait_subject("promoted v1")
    world.deploy("v2", steps=STEPS)
    world.wait_subject("canary 50% (step 1/4)")
    world.git("fetch", "-q")


def verbs(path):
    with World(path) as world:
        person(world, "Bo")
        canary_at_rest(world)
        assert "nothing to retry" in serin(world, "retry", "till", code=1)
        head = world.git("rev-parse", "HEAD")
        assert "promote v2 at step 1/4" in serin(world, "approve", "till", "--reason", "looks good")
        world.wait_subject("canary 80% (step 3/4)")
        author = world.git("log", "-1", "--format=%an <%ae>", "--", "decisions", cwd=world.bare).strip()
        assert author == "Bo <bo@example.com>", author
        assert world.git("rev-parse", "HEAD") == head and not world.git("status", "--porcelain"), "work tree was touched"
        # The clone is behind by now, and somebody else pushes: the abort goes in all the same.
        world.git("fetch", "-q")
        world.push("Unrelated", {"notes.txt": "hello\n"})
        serin(world, "abort", "shop/till", "--reason", "too slow")
        world.wait_subject("rolled back to v1: aborted by Bo <bo@example.com>: too slow")
        world.git("fetch", "-q")
        serin(world, "retry", "till", "--repo", world.bare, "--author", "Cy <cy@example.com>")
        world.wait_subject("canary 50% (step 1/4)")
        world.git("fetch", "-q")
        serin(world, "pause", "till")
        world.wait_subject("paused at 50% (step 1/4)")
        world.git("fetch", "-q")
        serin(world, "resume", "till")
        world.wait_subject("resumed at 50% (step 1/4)")
        world.git("fetch", "-q")
        serin(world, "approve", "--full", "till")
        world.wait_subject("promoted v2")
        world.git("fetch", "-q")
        assert "no canary is under way, it is Healthy at v2" in serin(world, "approve", "till", code=1)
        assert "no rollout nobody" in serin(world, "approve", "nobody", code=1)
        check_history(world)


def check_history(world):
    """What audit and verify say, beside plain git."""
    assert "whole and in order" in serin(world, "verify")
    audit = json.loads(serin(world, "audit", "--output", "json"))
    outcomes = [(d["image"].split(":")[1], d["outcome"]) for d in audit["deployments"]]
    assert outcomes == [("v1", "promoted"), ("v2", "rolled back"), ("v2", "promoted")], outcomes
    assert audit["figures"]["changeFailureRate"] == 1 / 3, audit["figures"]
    assert audit["deployments"][2]["approvedBy"] == ["Bo <bo@example.com>"], audit["deployments"][2]

    log = world.git("log", "--reverse", "--first-parent", "--format=%s%x00%ad%x00%(trailers:key=Rollout-Commit,valueonly)",
                    "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "origin/main", "--", "status")
    rows = [line.split("\0") for line in log.replace("\n\n", "\n").splitlines() if line]
    began = [(row[1], row[2].strip()) for row in rows if row[0].startswith("shop/till: deploying")]
    assert began == [(d["began"], d["commit"]) for d in audit["deployments"]], (began, audit)
    for d in audit["deployments"]:
        committed = world.git("log", "-1", "--format=%ad", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", d["commit"]).strip()
        assert committed == d["committed"], (committed, d)

    table = list(csv.DictReader(io.StringIO(serin(world, "audit", "--output", "csv"))))
    assert [row["outcome"] for row in table] == [outcome for _, outcome in outcomes]
    assert "no deployments" in serin(world, "audit", "--until", "2020-01-01")


def tampering(path):
    with World(path) as world:
        person(world, "Mallory")
        canary_at_rest(world)
        world.kill_daemon()
        status = "status/default/shop/till.yaml"
        good = world.git("show", f"origin/main:{status}")
        assert "whole and in order" in serin(world, "verify")
        world.git("pull", "-q", "--rebase", "origin", "main")
        # An edit, a forged commit that brings the old bytes back, and a gap where a commit was left out.
        world.push("Tidy", {status: good.replace("weight: 50", "weight: 5")})
        world.git("fetch", "-q")
        assert "edited by Ann <ann@example.com>: Tidy" in serin(world, "verify", code=1)
        message = world.git("log", "-1", "--format=%B", "origin/main~1")
        world.push(message, {status: good})
        world.git("fetch", "-q")
        assert "forged: a status commit by Ann" in serin(world, "verify", code=1)
        world.git("checkout", "-q", "-B", "gap", "origin/main~2")
        ids = world.git("log", "--reverse", "--format=%H", "gap", "--", status).split()
        world.git("checkout", "-q", "-B", "rebuilt", f"{ids[0]}~1")
        for commit in ids[:-2] + ids[-1:]:
            world.git("checkout", "-q", commit, "--", status)
            subprocess.run(["git", "commit", "-q", "-C", commit], cwd=world.path("work"), check=True,
                           env=dict(harness.GIT, GIT_COMMITTER_NAME="Serin", GIT_COMMITTER_EMAIL="serin@localhost"))
        said = serin(world, "verify", "--branch", "rebuilt", code=1)
        assert "begins at step 1/4" in said or "follows step" in said, said


TESTS = {test.__name__: test for test in (verbs, tampering)}

if __name__ == "__main__":
    harness.main(TESTS)
