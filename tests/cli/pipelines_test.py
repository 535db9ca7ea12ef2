#!/usr/bin/env python3
"""The example pipelines: they parse, their commands do what they say when they are run by hand, and the pre-receive hook
stands before a real `git push`.

usage: pipelines_test.py SERIN EXAMPLES
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import yaml

SERIN, EXAMPLES = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
PIPELINES = EXAMPLES / "pipelines"
GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good, namespace: shop}\ndata: {a: b}\n"
BAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad, namespace: shop}\ndata: [\n"


class Repositories(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        tools = self.folder / "tools"
        tools.mkdir()
        (tools / "serin").symlink_to(SERIN)
        # What only the service behind a pipeline has.
        (tools / "gh").write_text(f'#!/bin/sh\necho "$@" > {self.folder}/gh.txt\ncat "$7" > {self.folder}/comment.md\n')
        (tools / "gh").chmod(0o755)
        self.environment = {
            "PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "Ann",
            "GIT_COMMITTER_EMAIL": "ann@example.com"}
        self.bare, self.work = self.folder / "repo.git", self.folder / "work"
        self.git("init", "-q", "--bare", "-b", "main", self.bare, where=self.folder)
        self.git("clone", "-q", self.bare, self.work, where=self.folder)
        shutil.copytree(EXAMPLES, self.work, dirs_exist_ok=True)
        self.git("checkout", "-q", "-B", "main")
        self.commit("Deploy the shop")
        self.git("push", "-q", "origin", "main")

    def run_here(self, words, where=None, **more):
        return subprocess.run(words, cwd=where or self.work, capture_output=True, text=True, timeout=120,
                              env={**self.environment, **more})

    def git(self, *words, where=None, **more):
        done = self.run_here(["git", *words], where, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message, files=None, **more):
        for name, text in (files or {}).items():
            (self.work / name).parent.mkdir(parents=True, exist_ok=True)
            (self.work / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message, **more)


class Pipelines(Repositories):
    def shell(self, command, **more):
        return self.run_here(["sh", "-euc", command], **more)

    def change(self, files):
        """As a pipeline checks a request out: a detached merge with the target."""
        self.git("checkout", "-q", "-b", "feature")
        self.commit("Change", files)
        self.git("checkout", "-q", "--detach")
        self.git("branch", "-q", "-D", "feature", "main")

    def check(self, commands, environment):
        rollout = (EXAMPLES / "shop/checkout/rollout.yaml").read_text().replace("checkout:v1", "checkout:v2")
        self.change({"shop/checkout/rollout.yaml": rollout})
        for command in commands:
            done = self.shell(command, **environment)
            self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}")
        self.assertIn("checkout:v2", (self.work / "plan.md").read_text())
        self.commit("Break it", {"shop/bad.yaml": BAD})
        done = self.shell(commands[0], **environment)
        self.assertEqual(done.returncode, 1)
        self.assertIn("shop/bad.yaml:", done.stdout)

    def test_github_actions(self):
        workflow = yaml.safe_load((PIPELINES / "github-actions.yaml").read_text())
        self.assertEqual(workflow["on"], "pull_request")
        steps = workflow["jobs"]["check"]["steps"]
        self.assertEqual(steps[0]["with"]["fetch-depth"], 0)
        self.check([step["run"] for step in steps if "run" in step], {"GITHUB_BASE_REF": "main", "PULL_REQUEST": "7"})
        self.assertIn("checkout:v2", (self.folder / "comment.md").read_text())
        self.assertIn("pr comment 7", (self.folder / "gh.txt").read_text())

    def test_gitlab_ci(self):
        job = yaml.safe_load((PIPELINES / "gitlab-ci.yaml").read_text())["serin"]
        self.assertEqual(job["variables"]["GIT_DEPTH"], 0)
        self.assertEqual(job["artifacts"]["paths"], ["plan.md"])
        self.check(job["script"], {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"})

    def test_they_are_no_manifests(self):
        done = self.run_here(["serin", "validate", "."])
        self.assertEqual((done.returncode, "pipelines" in done.stdout), (0, False), done.stdout)
        self.change({"pipelines/github-actions.yaml": "name: another\n"})
        self.assertIn("nothing changes", self.git_plan())

    def git_plan(self):
        done = self.run_here(["serin", "plan"])
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


class PreReceive(Repositories):
    def setUp(self):
        super().setUp()
        shutil.copy(PIPELINES / "pre-receive", self.bare / "hooks" / "pre-receive")

    def push(self, code=0, refs=("HEAD:main",)):
        done = self.run_here(["git", "push", "origin", *refs])
        self.assertEqual(done.returncode, code, done.stderr)
        return [line.removeprefix("remote: ").rstrip() for line in done.stderr.splitlines() if line.startswith("remote: ")]

    def tip(self):
        return self.git("rev-parse", "main", where=self.bare)

    def test_a_good_push_goes_through_and_says_nothing(self):
        self.commit("Good", {"shop/good.yaml": GOOD})
        self.assertEqual(self.push(), [])
        self.assertEqual(self.tip(), self.git("rev-parse", "HEAD"))

    def test_a_bad_push_is_refused_with_the_place(self):
        before = self.tip()
        self.commit("Bad", {"shop/bad.yaml": BAD, "shop/good.yaml": GOOD})
        said = self.push(code=1)
        self.assertTrue(any(line.startswith("shop/bad.yaml:5:") for line in said), said)
        self.assertEqual(self.tip(), before)
        self.commit("Mended", {"shop/bad.yaml": BAD.replace("[", "{}")})
        self.push()

    def test_one_line_for_each_error(self):
        rollout = (EXAMPLES / "shop/till/rollout.yaml").read_text()
        self.commit("Two", {"shop/bad.yaml": BAD, "shop/till/rollout.yaml": rollout.replace("setWeight: ", "setWeight: 9")})
        said = self.push(code=1)
        self.assertTrue(any(line.startswith("shop/bad.yaml:5:") for line in said), said)
        self.assertTrue(any(line.startswith("shop/till/rollout.yaml:") for line in said), said)

    def test_attributes_and_symlinks_hide_nothing(self):
        self.commit("Hidden", {"shop/bad.yaml": BAD, ".gitattributes": "*.yaml export-ignore\n"})
        self.assertTrue(any(line.startswith("shop/bad.yaml:") for line in self.push(code=1)))
        self.git("reset", "-q", "--hard", "HEAD~1")
        os.symlink("/etc/passwd", self.work / "shop" / "link.yaml")
        self.commit("A link")
        self.push()

    def test_other_branches_and_deletions_are_nobodys_business(self):
        self.commit("Bad", {"shop/bad.yaml": BAD})
        self.assertEqual(self.push(refs=("HEAD:refs/heads/try",)), [])
        self.push(refs=(":refs/heads/try",))
        self.git("config", "serin.branch", "live", where=self.bare)
        self.push()
        self.push(code=1, refs=("HEAD:refs/heads/live",))

    def test_status_is_for_one_author_when_that_is_configured(self):
        status = "status/default/shop/till.yaml"
        text = ("apiVersion: serin.dev/v1alpha1\nkind: RolloutStatus\nmetadata: {name: till, namespace: shop}\n"
                "status:\n  phase: Healthy\n  weight: 0\n")
        self.git("config", "serin.statusAuthor", "Serin <serin@localhost>", where=self.bare)
        self.commit("By Serin", {status: text}, GIT_AUTHOR_NAME="Serin", GIT_AUTHOR_EMAIL="serin@localhost")
        self.assertEqual(self.push(), [])
        self.commit("By hand", {status: text.replace("Healthy", "Degraded")})
        said = self.push(code=1)
        self.assertTrue(any("Ann <ann@example.com>" in line and "Serin <serin@localhost>" in line for line in said), said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
