#!/usr/bin/env python3
"""What people do to Serin through its own commands, and what they can ask a clone: approve and its like while a daemon
runs, then audit and verify over the history that it left, compared with what plain git says.

usage: people_test.py SERIN [TEST...]
"""
import csv
import io
import json
import os
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


POLICY = """apiVersion: serin.dev/v1alpha1
kind: Policy
spec:
"""
DECISION = """apiVersion: serin.dev/v1alpha1
kind: RolloutDecision
metadata: {{name: till, namespace: shop}}
spec: {{action: {verb}, revision: {revision}}}
"""


def key_of(world, name):
    """An SSH key of a person, in the file of those who may sign unless it is Mallory's."""
    key = world.path(name)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    if name != "mallory":
        with open(world.path("allowed"), "a") as out:
            out.write(f'{name}@example.com namespaces="git" {open(key + ".pub").read()}')
    return key


def decide_as(world, author, verb, key=None, beside=None):
    """A hand-written decision with real git, signed with a key or not."""
    world.git("config", "gpg.format", "ssh")
    world.git("pull", "-q", "--rebase", "origin", "main")
    path = "decisions/default/shop/till.yaml"
    revision = world.revision_of("v2")
    text = DECISION.format(verb=verb, revision=revision) + f"# {world.serial}\n"
    world.serial += 1
    harness.os.makedirs(world.path("work", "decisions/default/shop"), exist_ok=True)
    open(world.path("work", path), "w").write(text)
    for name, content in (beside or {}).items():
        open(world.path("work", name), "w").write(content)
    world.git("add", "-A")
    signing = ["-c", f"user.signingkey={key}", "commit", "-S"] if key else ["commit"]
    world.git(*signing, "-q", "-m", f"Decide {verb}", "--author", author)
    for _ in range(100):
        if subprocess.run(["git", "push", "-q", "origin", "HEAD:main"], cwd=world.path("work"), env=harness.GIT,
                          capture_output=True).returncode == 0:
            return world.git("rev-parse", "HEAD").strip()
        # Rebasing would sign anew as whoever runs this; so the commit is made again by hand.
        world.git("fetch", "-q")
        world.git("reset", "-q", "--soft", "origin/main")
        world.git("checkout", "-q", "origin/main", "--", "status")
        world.git(*signing, "-q", "-m", f"Decide {verb}", "--author", author)
    raise AssertionError("never pushed")


def ignored(world, commit, verb, why):
    world.wait_subject(f"ignored {verb} of {commit[:8]}")
    status = world.git("show", "main:status/default/shop/till.yaml", cwd=world.bare)
    line = next(line for line in status.splitlines() if line.startswith("  ignored:"))
    assert commit in line and why in line, line


def policy(path):
    """A forged, an unsigned and a replayed decision; four eyes; and nobody lets themselves in."""
    with World(path) as world:
        world.serial = 0
        ann, bo, mallory = (key_of(world, name) for name in ("ann", "bo", "mallory"))
        world.push("Policy", {"decisions/policy.yaml": POLICY + """  rules:
    - {rollouts: shop/*, authors: ["*@example.com"], signers: [ann@example.com, bo@example.com], fourEyes: true}
"""})
        world.git("config", "user.name", "Ann")
        world.git("config", "user.email", "ann@example.com")
        world.run_daemon("--allowed-signers-file", world.path("allowed"))
        world.deploy("v1")
        world.wait_subject("promoted v1")
        world.deploy("v2", steps=STEPS)
        world.wait_subject("canary 50% (step 1/4)")
        world.git("fetch", "-q")
        unsigned = decide_as(world, "Bo <bo@example.com>", "promote")
        ignored(world, unsigned, "promote", "asks for a signature: it is not signed")
        forged = decide_as(world, "Bo <bo@example.com>", "promote", mallory)
        ignored(world, forged, "promote", "it is signed by none of the allowed signers")
        own = decide_as(world, "Ann <ann@example.com>", "promote", ann)
        ignored(world, own, "promote", "asks for four eyes")
        own_key = decide_as(world, "Bo <bo@example.com>", "promote", ann)
        ignored(world, own_key, "promote", "asks for four eyes")
        folder = world.path("work", "shop", "till")
        world.push("Move", {"moved.yaml": open(os.path.join(folder, "rollout.yaml")).read(), "shop/till/rollout.yaml": None})
        moved = decide_as(world, "Ann <ann@example.com>", "promote", ann)
        ignored(world, moved, "promote", "asks for four eyes")
        decide_as(world, "Bo <bo@example.com>", "promote", bo)
        world.wait_subject("canary 80% (step 3/4)")
        assert world.weights() == [20, 80], world.weights()
        # Let in by the commit that decides: judged by the policy before it.
        let_in = decide_as(world, "Mallory <m@evil.example>", "promote-full",
                           beside={"decisions/policy.yaml": POLICY + "  rules:\n    - {rollouts: shop/*}\n"})
        ignored(world, let_in, "promote-full", "Mallory <m@evil.example> is none of the authors of decisions/policy.yaml:5")
        # The decision of another step comes back by a revert of the revert, as somebody else's commit.
        before = world.subjects()
        world.kill_daemon()
        world.run_daemon("--allowed-signers-file", world.path("allowed"))
        replayed = decide_as(world, "Bo <bo@example.com>", "retry", bo)
        ignored(world, replayed, "retry", "nothing to retry")
        assert world.subjects()[:-1] == before, "an answer was given again after a restart"
        assert "ignored   retry by Bo" in serin(world, "status", "till", "--repo", world.bare)
        assert "promote-full by Mallory <m@evil.example> in" in serin(world, "history", "till", "--repo", world.bare)
        decide_as(world, "Bo <bo@example.com>", "promote", bo)
        world.wait_subject("promoted v2")
        assert "ignored:" not in world.git("show", "main:status/default/shop/till.yaml", cwd=world.bare)
        world.git("fetch", "-q")
        assert "whole and in order" in serin(world, "verify", "--repo", world.bare)


def broken_policy(path):
    """A policy that cannot be read: nobody may decide, and the last good freeze stays in force, restarts included."""
    with World(path) as world:
        person(world, "Bo")
        world.serial = 0
        world.push("Freeze", {"decisions/policy.yaml": POLICY + """  freezes:
    - {rollouts: shop/*, start: "* * * * *", duration: 1h, zone: UTC, reason: always}
"""})
        world.run_daemon()
        world.deploy("v1")
        world.wait_subject("promoted v1")
        world.push("Break it", {"decisions/policy.yaml": POLICY + "  freezes: [{rollouts: shop/*}]\n"})
        harness.eventually("the problem is named",
                           lambda: "decisions/policy.yaml:4:13: spec.freezes[0].duration is required" in world.log_text())
        assert "decisions/policy.yaml:4:13" in serin(world, "validate", ".", code=1)
        world.kill_daemon()
        world.run_daemon()
        world.deploy("v2", steps=STEPS)
        harness.time.sleep(3)
        assert world.subjects()[-1] == "promoted v1", world.subjects()
        world.push("Mend it", {"decisions/policy.yaml": None})
        world.wait_subject("canary 50% (step 1/4)")
        world.push("Break it again", {"decisions/policy.yaml": "rules: ["})
        world.git("fetch", "-q")
        said = serin(world, "approve", "till")
        assert "warning: the daemon will ignore this: the policy cannot be read" in said, said
        harness.eventually("it is ignored", lambda: world.subjects()[-1].startswith("ignored promote"))
        status = world.git("show", "main:status/default/shop/till.yaml", cwd=world.bare)
        assert "the policy cannot be read: decisions/policy.yaml:1" in status, status


def freezes(path):
    """A freeze holds a canary up, says until when, gives way to a signed decision and never holds up the way back."""
    with World(path) as world:
        world.serial = 0
        ann = key_of(world, "ann")
        person(world, "Bo")
        world.run_daemon("--allowed-signers-file", world.path("allowed"))
        world.deploy("v1")
        world.wait_subject("promoted v1")
        world.deploy("v2", steps=STEPS)
        world.wait_subject("canary 50% (step 1/4)")
        world.push("Freeze", {"decisions/policy.yaml": POLICY + """  freezes:
    - {rollouts: "*", start: "* * * * *", duration: 1h, zone: Europe/Berlin, reason: Black Friday}
"""})
        world.git("fetch", "-q")
        said = serin(world, "approve", "till")
        assert "only a signed decision passes: give --signing-key-file" in said, said
        harness.eventually("it is ignored", lambda: world.subjects()[-1].startswith("ignored promote"))
        decide_as(world, "Ann <ann@example.com>", "promote", ann)
        world.wait_subject("canary 80% (step 3/4)")
        quiet = len(world.subjects())
        decide_as(world, "Bo <bo@example.com>", "abort")
        world.wait_subject("rolled back to v1: aborted by Bo <bo@example.com>")
        assert len(world.subjects()) == quiet + 2, world.subjects()
        world.deploy("v3", steps=STEPS)
        harness.time.sleep(3)
        assert world.subjects()[-1].startswith("rolled back to v1"), world.subjects()
        world.push("Thaw", {"decisions/policy.yaml": None})
        world.wait_subject("canary 50% (step 1/4)")


def deploy_trailers(path):
    """Honoured for those whom the policy names (here everything is pushed by Ann), said in the status and the history."""
    rules = POLICY + "  rules:\n    - {rollouts: shop/*, authors: [NAME@example.com], trailers: true}\n    - {rollouts: shop/*}\n"
    with World(path) as world:
        world.push("Policy", {"decisions/policy.yaml": rules.replace("NAME", "ann")})
        world.run_daemon()
        world.deploy("v1", steps=STEPS)
        world.wait_subject("promoted v1")
        world.deploy("v2", steps=STEPS, message="Fix\n\nRollout-Skip-Steps: yes")
        world.wait_subject("promoted v2")
        assert "deploying v2 (step 4/4)" in world.subjects(), world.subjects()
        body = world.git("log", "--format=%b", "--grep=deploying v2", "main", cwd=world.bare)
        assert "steps skipped, as Ann <ann@example.com> asks" in body, body
        world.deploy("v3", steps=STEPS, message="Careful\n\nRollout-Pause-At: 50")
        world.wait_subject("canary 50% (step 1/4)")
        world.git("fetch", "-q")
        assert "pause at 50%, by Ann <ann@example.com>" in serin(world, "status", "till")
        world.push("Policy", {"decisions/policy.yaml": rules.replace("NAME", "bo")})
        world.deploy("v4", steps=STEPS, message="Sneak\n\nRollout-Skip-Steps: yes")
        harness.eventually("v4 goes its steps", lambda: "deploying v4 (step 0/4)" in world.subjects())
        world.wait_subject("canary 50% (step 1/4)")
        world.git("fetch", "-q")
        said = serin(world, "status", "till")
        assert "trailers  of Ann <ann@example.com> ignored: Ann <ann@example.com> is none of the authors" in said, said
        assert "whole and in order" in serin(world, "verify")


TESTS = {test.__name__: test for test in (verbs, tampering, policy, broken_policy, freezes, deploy_trailers)}

if __name__ == "__main__":
    harness.main(TESTS)
