#!/usr/bin/env python3
"""serin status, history, at and plan, run as a person would in a clone made with git.

usage: git_commands_test.py SERIN EXAMPLES
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SERIN, EXAMPLES = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()

STATUS = """apiVersion: serin.dev/v1alpha1
kind: RolloutStatus
metadata: {{name: checkout, namespace: shop}}
status:
  phase: {phase}
  commit: {commit}
  stable: {{revision: 5d8f7c9b4, image: "registry.example.com/checkout:v1", since: 2026-11-20T09:14:03Z}}
{canary}  weight: {weight}
"""
CANARY = """  canary: {revision: 6d4c9f7b8d, image: "registry.example.com/checkout:v2", since: 2026-11-22T10:00:02Z}
  step: {index: 1, count: 8, since: 2026-11-22T10:00:20Z}
"""


class Repository:
    def __init__(self, folder):
        self.folder = Path(folder)
        shutil.copytree(EXAMPLES, self.folder, dirs_exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.deploy = self.commit("Deploy the shop", "2026-11-20T09:00:00Z")

    def git(self, *words, **env):
        names = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "x",
                 "GIT_COMMITTER_EMAIL": "x@example.com", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        done = subprocess.run(["git", "-C", self.folder, *words], check=True, capture_output=True, text=True,
                              env={**os.environ, **names, **env})
        return done.stdout.strip()

    def commit(self, message, date):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message, GIT_AUTHOR_DATE=date)
        return self.git("rev-parse", "HEAD")

    def write(self, path, text):
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def change_image(self, to):
        path = self.folder / "shop/checkout/rollout.yaml"
        path.write_text(path.read_text().replace("checkout:v1", f"checkout:{to}"))

    def record(self, subject, why, phase, weight, date, canary=""):
        self.write("status/default/shop/checkout.yaml",
                   STATUS.format(phase=phase, commit=self.deploy, canary=canary, weight=weight))
        return self.commit(f"shop/checkout: {subject}\n\n{why}\n\nRollout: shop/checkout\nRollout-Cluster: default\n"
                           f"Rollout-Phase: {phase}\nRollout-Weight: {weight}\nRollout-Commit: {self.deploy}\n", date)

    def serin(self, *words, code=0):
        done = subprocess.run([SERIN, *words], cwd=self.folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout if code == 0 else done.stdout + done.stderr


class GitCommands(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.repository = Repository(self.folder.name)
        self.repository.record("promoted v1", "live agrees", "Healthy", 0, "2026-11-20T09:14:03Z")
        self.repository.record("canary 20% (step 1/8)", "1 of 1 canary pods available", "Paused", 20,
                               "2026-11-22T10:00:20Z", CANARY)
        self.serin = self.repository.serin

    def test_status_as_table_tree_and_json(self):
        table = self.serin("status").splitlines()
        self.assertEqual(table[0].split()[:3], ["ROLLOUT", "PHASE", "STEP"])
        self.assertEqual(table[1].split()[:6], ["shop/checkout", "Paused", "1/8", "20%", "v1", "v2"])
        tree = self.serin("status", "checkout")
        self.assertIn("canary 20% (step 1/8): 1 of 1 canary pods available", tree)
        self.assertIn("80% of traffic", tree)
        entry = json.loads(self.serin("status", "--output", "json"))["rollouts"][0]
        self.assertEqual((entry["phase"], entry["weight"]), ("Paused", 20))

    def test_status_of_another_folder_by_url(self):
        with tempfile.TemporaryDirectory() as elsewhere:
            done = subprocess.run([SERIN, "status", "--repo", f"file://{self.folder.name}"], cwd=elsewhere,
                                  capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("shop/checkout", done.stdout)

    def test_history_tells_who_asked_and_how_long(self):
        text = self.serin("history", "shop/checkout")
        self.assertIn("2026-11-20T09:14:03Z  Healthy     0%   for 48h46m17s", text)
        self.assertIn("asked for by Ann <ann@example.com>", text)
        self.assertIn("Deploy the shop", text)
        transitions = json.loads(self.serin("history", "shop/checkout", "--output", "json"))["transitions"]
        self.assertEqual([t["phase"] for t in transitions], ["Healthy", "Paused"])

    def test_history_of_what_was_removed(self):
        self.repository.git("rm", "-q", "status/default/shop/checkout.yaml")
        self.repository.commit("shop/checkout: removed\n\ngone\n\nRollout: shop/checkout\nRollout-Cluster: default\nRollout-Phase: Healthy", "2026-11-23T00:00:00Z")
        self.assertIn("removed", self.serin("history", "shop/checkout"))

    def test_at_tells_what_served_then(self):
        self.assertIn("100% registry.example.com/checkout:v1", self.serin("at", "2026-11-21"))
        self.assertIn("80% registry.example.com/checkout:v1, 20% registry.example.com/checkout:v2",
                      self.serin("at", "2026-11-22T10:01Z", "checkout"))
        self.assertIn("nothing was recorded before", self.serin("at", "2020-01-01T00:00:00Z"))
        served = json.loads(self.serin("at", "2026-11-22T11:00:00+00:30", "--output", "json"))["rollouts"][0]["served"]
        self.assertEqual([share["percent"] for share in served], [80, 20])

    def test_at_does_not_trust_the_order_of_pushes(self):
        # Decided before, pushed after: daemons of two clusters share a branch.
        self.repository.write("status/west/shop/till.yaml", STATUS.format(
            phase="Healthy", commit=self.repository.deploy, canary="", weight=0).replace("checkout", "till"))
        self.repository.commit("shop/till: promoted v1\n\nx\n\nRollout: shop/till\nRollout-Cluster: west\nRollout-Phase: Healthy", "2026-11-21T00:00:00Z")
        text = self.serin("at", "2026-11-22")
        self.assertIn("shop/till", text)
        self.assertRegex(text, r"shop/checkout +Healthy +100% registry.example.com/checkout:v1 ")

    def test_plan_shows_fields_and_steps(self):
        self.repository.git("checkout", "-q", "-b", "feature")
        self.repository.change_image("v3")
        self.repository.write("shop/extra.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra, namespace: shop}\n")
        (self.repository.folder / "shop/till/config.yaml").unlink()
        self.repository.commit("v3", "2026-11-22T12:00:00Z")
        text = self.serin("plan")
        self.assertIn("1 created, 1 changed, 1 deleted", text)
        self.assertIn('containers[checkout].image: "registry.example.com/checkout:v1" -> "registry.example.com/checkout:v3"', text)
        self.assertIn("canary 10% (step 1/8)", text)
        self.assertIn("a canary of v2 with 20% of the traffic is under way", text)
        changes = json.loads(self.serin("plan", "--revision", "feature", "--against", "main", "--output", "json"))
        self.assertEqual(sorted(o["change"] for o in changes["objects"]), ["changed", "created", "deleted"])
        self.assertIn("| after | transition | canary |", self.serin("plan", "--output", "markdown"))
        self.assertIn("nothing changes", self.serin("plan", "--revision", "main"))

    def test_plan_of_an_invalid_revision_fails_and_says_where(self):
        self.repository.write("shop/broken.yaml", "kind: ConfigMap\n  x: [\n")
        self.repository.commit("broken", "2026-11-22T12:00:00Z")
        self.assertIn("shop/broken.yaml:", self.serin("plan", "--against", "HEAD~1", code=1))

    def test_what_is_not_there_is_one_line(self):
        for words in [("status", "nowhere"), ("history", "shop/nowhere"), ("plan", "--revision", "nowhere"),
                      ("status", "--branch", "nowhere"), ("status", "--repo", "/nowhere")]:
            output = self.serin(*words, code=1)
            self.assertEqual(output.count("\n"), 1, output)
            self.assertTrue(output.startswith("serin: "), output)
        self.serin("at", "yesterday", code=2)
        self.serin("history", code=2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
