#!/usr/bin/env python3
"""serin audit beside a script that reads the same history with plain git and knows nothing of Serin but what a status
commit looks like. Every deployment and all four figures must agree.

usage: audit_test.py SERIN
"""
import csv
import datetime
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
import recorded_history
import yaml

SERIN = Path(sys.argv[1]).resolve()
KEYS = ("Rollout", "Rollout-Cluster", "Rollout-Weight", "Rollout-Revision", "Rollout-Image", "Rollout-Commit")


def git(folder, *words, **more):
    return subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True,
                          env=recorded_history.GIT, **more).stdout


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class PlainGit:
    """What git itself says, folded into deployments."""

    def __init__(self, folder):
        self.files = subprocess.Popen(["git", "-C", folder, "cat-file", "--batch"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, env=recorded_history.GIT)
        self.folder = folder
        self.deployments = []
        self.running, self.stable, self.promoted = {}, {}, {}
        for fields in self.log():
            self.take(*fields)

    def log(self):
        trailers = "".join(f"%x1f%(trailers:key={key},valueonly,separator=%x20)" for key in KEYS)
        text = git(self.folder, "log", "--first-parent", "--reverse", f"--format=%x1e%H%x1f%at%x1f%s%x1f%b{trailers}", "main",
                   "--", "status")
        for entry in text.split("\x1e")[1:]:
            commit, time, subject, body, *values = entry.rstrip("\n").split("\x1f")
            yield commit, int(time), subject, body, dict(zip(KEYS, (value.strip() for value in values)))

    def take(self, commit, time, subject, body, trailers):
        if not trailers["Rollout"]:
            return
        key = (trailers["Rollout-Cluster"], trailers["Rollout"])
        what = subject.removeprefix(trailers["Rollout"] + ": ")
        if what.startswith("deploying "):
            self.begin(key, time, trailers)
        if what == "removed":
            self.stable.pop(key, None)
            self.promoted.pop(key, None)
        run = self.running.get(key)
        if run is None:
            return
        if int(trailers["Rollout-Weight"]) > 0 and "exposed" not in run:
            run["exposed"] = time
        if approver := self.approver(key, commit, run):
            if approver not in run["approvedBy"]:
                run["approvedBy"].append(approver)
        if what.startswith("promoted "):
            self.end(key, time, "promoted")
            run.setdefault("exposed", time)
            before = self.stable.get(key)
            if before and before["outcome"] == "reverted" and "restored" not in before:
                before["restored"] = time
            self.stable[key] = run
            self.promoted.setdefault(key, set()).add(run["revision"])
        elif what.startswith("rolled back to "):
            self.end(key, time, "rolled back")
            run["restored"] = time
        elif what == "removed":
            self.end(key, time, "removed")

    def begin(self, key, time, trailers):
        if key in self.running:
            self.end(key, time, "superseded")
        revision, before = trailers["Rollout-Revision"], self.stable.get(key)
        if before and revision in self.promoted.get(key, ()) and before["revision"] != revision:
            before["outcome"] = "reverted"
        run = {"cluster": key[0], "rollout": key[1], "revision": revision, "image": trailers["Rollout-Image"],
               "commit": trailers["Rollout-Commit"], "began": time, "outcome": "running", "approvedBy": []}
        if before:
            run["from"] = before["image"]
        self.running[key] = run
        self.deployments.append(run)

    def end(self, key, time, outcome):
        run = self.running.pop(key)
        run["ended"], run["outcome"] = time, outcome

    def approver(self, key, commit, run):
        path = f"status/{key[0]}/{key[1]}.yaml"
        decision = self.status(f"{commit}:{path}").get("decision")
        if decision and decision["action"].startswith("promote") and decision["revision"] == run["revision"]:
            at = decision["at"]
            if (at.timestamp() if isinstance(at, datetime.datetime) else seconds(at)) >= run["began"]:
                return decision["by"]
        return None

    def status(self, name):
        self.files.stdin.write(name.encode() + b"\n")
        self.files.stdin.flush()
        header = self.files.stdout.readline().split()
        if header[-1] == b"missing":
            return {}
        return yaml.safe_load(self.files.stdout.read(int(header[2]) + 1))["status"]

    def request(self, commit):
        """Who wrote it, who merged it, and when the first of it was written."""
        parents = git(self.folder, "log", "-1", "--format=%P", commit).split()
        author = git(self.folder, "log", "-1", "--format=%an <%ae>", commit).strip()
        wanted = [commit] if len(parents) == 1 else [f"{parents[0]}..{parents[1]}"] if parents else [commit]
        lines = git(self.folder, "log", *(["-1"] if len(parents) < 2 else ["--first-parent"]), "--format=%at %an <%ae>",
                    *wanted).splitlines()
        authors = list(dict.fromkeys(line.split(" ", 1)[1] for line in lines))
        first = min(int(line.split(" ", 1)[0]) for line in lines)
        return ", ".join(authors), author if len(parents) > 1 else None, first

    def finished(self):
        for run in self.deployments:
            run["author"], merger, run["committed"] = self.request(run["commit"])
            if merger:
                run["mergedBy"] = merger
            if run["outcome"] in ("promoted", "reverted"):
                run["leadTimeSeconds"] = max(0, run["ended"] - run["committed"])
            if run["outcome"] in ("rolled back", "reverted") and "restored" in run:
                run["timeToRestoreSeconds"] = run["restored"] - run.get("exposed", run["began"])
            run.pop("restored", None)
        self.files.communicate()
        return self.deployments


def figures(deployments, since, until):
    outcomes = [run["outcome"] for run in deployments]
    bad, good = outcomes.count("rolled back") + outcomes.count("reverted"), outcomes.count("promoted")
    return {"deployments": len(deployments), "deploymentsPerDay": len(deployments) / ((until - since) / 86400),
            "leadTimeSeconds": int(statistics.median(run["leadTimeSeconds"] for run in deployments if "leadTimeSeconds" in run)),
            "changeFailureRate": bad / (good + bad),
            "timeToRestoreSeconds": int(statistics.median(
                run["timeToRestoreSeconds"] for run in deployments if "timeToRestoreSeconds" in run))}


def as_numbers(entry):
    out = {key: seconds(value) if key in ("began", "committed", "exposed", "ended") else value
           for key, value in entry.items()}
    out.pop("why")
    return out


class Audit(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = os.path.join(cls.temporary.name, "repo.git")
        cls.world = recorded_history.make(cls.folder, 1500, 30, notes_for_each=0.3, seed=7)
        cls.expected = PlainGit(cls.folder).finished()

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def serin(self, *words, code=0):
        done = subprocess.run([SERIN, *words, "--repo", self.folder], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def test_every_deployment_and_every_figure_agrees(self):
        outcomes = {run["outcome"] for run in self.expected}
        self.assertEqual(outcomes, {"promoted", "rolled back", "reverted", "superseded", "running", "removed"})
        self.assertTrue(any("mergedBy" in run for run in self.expected))
        self.assertTrue(any(run["approvedBy"] for run in self.expected))
        until = recorded_history.utc(self.world.now)
        said = json.loads(self.serin("audit", "--until", until, "--output", "json"))
        self.assertEqual(len(said["deployments"]), len(self.expected))
        for entry, run in zip(said["deployments"], self.expected):
            self.assertEqual(as_numbers(entry), run)
        self.compare_figures(said["figures"], self.expected, self.expected[0]["began"], self.world.now)

    def compare_figures(self, said, deployments, since, until):
        expected = figures(deployments, since, until)
        self.assertEqual(set(said), set(expected))
        for name, value in expected.items():
            self.assertAlmostEqual(said[name], value, 6, name)

    def test_only_what_began_within_a_time_counts(self):
        eighth = (self.world.now - recorded_history.BEGAN) // 8
        since, until = recorded_history.BEGAN + eighth, self.world.now - eighth
        within = [run for run in self.expected if since <= run["began"] <= until]
        self.assertLess(0, len(within))
        said = json.loads(self.serin("audit", "--since", recorded_history.utc(since), "--until", recorded_history.utc(until),
                                     "--output", "json"))
        self.assertEqual([as_numbers(entry) for entry in said["deployments"]], within)
        self.compare_figures(said["figures"], within, since, until)

    def test_the_table_for_a_spreadsheet_has_the_same(self):
        rows = list(csv.DictReader(io.StringIO(self.serin("audit", "--output", "csv"))))
        self.assertEqual([(row["commit"], row["outcome"], row["author"], row["merged_by"], row["lead_time_seconds"],
                           row["time_to_restore_seconds"]) for row in rows],
                         [(run["commit"], run["outcome"], run["author"], run.get("mergedBy", ""),
                           str(run.get("leadTimeSeconds", "")), str(run.get("timeToRestoreSeconds", "")))
                          for run in self.expected])

    def test_history_and_at_agree_with_git(self):
        rollout = self.world.rollouts[3]
        log = git(self.folder, "log", "--first-parent", "--reverse", "--format=%H %at", "main", "--", rollout.path())
        commits = [line.split() for line in log.splitlines()]
        said = json.loads(self.serin("history", f"{rollout.ns}/{rollout.name}", "--output", "json"))["transitions"]
        self.assertEqual([(t["commit"], seconds(t["time"])) for t in said],
                         [(commit, int(time)) for commit, time in commits][-100:])
        for commit, time in commits[:: len(commits) // 7]:
            moment = recorded_history.utc(int(time))
            shown = subprocess.run(["git", "-C", self.folder, "show", f"{commit}:{rollout.path()}"], capture_output=True,
                                   text=True)
            entries = json.loads(self.serin("at", moment, "--output", "json"))["rollouts"]
            entry = [e for e in entries if e["rollout"] == f"{rollout.ns}/{rollout.name}"]
            if shown.returncode != 0:  # removed
                self.assertEqual(entry, [])
                continue
            status = yaml.safe_load(shown.stdout)["status"]
            percent = {share["image"]: share["percent"] for share in entry[0]["served"]}
            expected = {status["stable"]["image"]: 100 - status["weight"]} if "stable" in status else {}
            if status["weight"] > 0:
                expected[status["canary"]["image"]] = status["weight"]
            self.assertEqual(percent, {image: share for image, share in expected.items() if share > 0})

    def test_a_message_that_lies_is_not_believed_and_is_named(self):
        rollout = next(rollout for rollout in self.world.rollouts if rollout.stable)
        with tempfile.TemporaryDirectory() as folder:
            forged = os.path.join(folder, "forged.git")
            git(folder, "clone", "-q", "--bare", self.folder, forged)
            tree = git(forged, "rev-parse", "main^{tree}").strip()
            message = (f"{rollout.ns}/{rollout.name}: promoted v99\n\nlive agrees\n\nRollout: {rollout.ns}/{rollout.name}\n"
                       "Rollout-Cluster: default\nRollout-Phase: Healthy\nRollout-Weight: 0\n"
                       "Rollout-Image: registry.example.com/evil:v99\n")
            commit = git(forged, "-c", "user.name=Serin", "-c", "user.email=serin@localhost", "commit-tree", "-p", "main",
                         "-m", message, tree).strip()
            git(forged, "update-ref", "refs/heads/main", commit)
            self.assertIn("whole and in order", self.serin("verify"))
            self.folder, self_folder = forged, self.folder
            self.addCleanup(setattr, self, "folder", self_folder)
            self.assertIn("forged: a status commit that changes no status file", self.serin("verify", code=1))
            for words in (("audit", "--output", "csv"), ("history", rollout.name), ("at", "2090-01-01", rollout.name)):
                self.assertNotIn("v99", self.serin(*words))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
