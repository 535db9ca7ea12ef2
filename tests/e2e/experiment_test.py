#!/usr/bin/env python3
"""Experiments that are manifests of their own, over real Git and the embedded cluster. `experiment_test.py SERIN [TEST...]`"""
import json
import os
import shutil
import subprocess

import harness
from harness import World, eventually

EXPERIMENT = """apiVersion: argoproj.io/v1alpha1
kind: Experiment
metadata: {{name: ab, namespace: shop}}
spec:
  scaleDownDelaySeconds: 1
{more}  templates:
  - name: baseline
    service: {{}}
    selector: {{matchLabels: {{app: ab}}}}
    template:
      metadata: {{labels: {{app: ab}}}}
      spec: {{containers: [{{name: ab, image: "registry.example.com/ab:v1", ports: [{{containerPort: 8080}}]}}]}}
  - name: trial
    replicas: 2
    selector: {{matchLabels: {{app: ab}}}}
    template:
      metadata: {{labels: {{app: ab}}}}
      spec: {{containers: [{{name: ab, image: "registry.example.com/ab:{tag}"}}]}}
"""
SETS = "/apis/apps/v1/namespaces/shop/replicasets"


class Laboratory(World):
    """A world with an experiment shop/ab."""

    def ask(self, tag="v2", **more):
        lines = "".join(f"  {name}: {value}\n" for name, value in more.items())
        return self.push(f"Try {tag}", {"ab.yaml": EXPERIMENT.format(tag=tag, more=lines)})

    def wait_for(self, subject):
        return self.wait_subject(subject, "ab")

    def pods_of(self, template):
        found = self.api(f"{SETS}/ab-{template}")
        return found["spec"]["replicas"] if found else None

    def nothing_is_left(self):
        service = self.api("/api/v1/namespaces/shop/services/ab-baseline")
        return self.pods_of("baseline") is None and self.pods_of("trial") is None and service is None

    def tell(self, *arguments, code=0):
        """What a command says, asked of the remote repository."""
        done = subprocess.run([self.serin, *arguments, "--repo", "file://" + self.bare], capture_output=True, text=True,
                              timeout=60, env=harness.GIT)
        assert done.returncode == code, done
        return done.stdout + done.stderr


def runs_to_its_end(serin):
    with Laboratory(serin) as world:
        world.ask(duration="4s")
        world.run_daemon()
        service_path = "/api/v1/namespaces/shop/services/ab-baseline"
        eventually("all is there", lambda: world.pods_of("trial") == 2 and world.api(service_path))
        assert world.pods_of("baseline") == 1
        sets = {template: world.api(f"{SETS}/ab-{template}") for template in ("baseline", "trial")}
        labels = sets["baseline"]["metadata"]["labels"]
        assert labels["serin.dev/owner"] == "serin" and labels["serin.dev/rollout"] == "ab", labels
        assert sets["baseline"]["spec"]["template"]["spec"]["containers"][0]["image"].endswith("ab:v1")
        service = world.api(service_path)
        assert service["spec"]["selector"] == sets["baseline"]["spec"]["selector"]["matchLabels"], service
        assert service["spec"]["ports"][0]["port"] == 8080, service
        world.wait_for("experiment succeeded")
        eventually("its pods go, and all that was made for them", world.nothing_is_left)
        assert world.subjects("ab") == ["experiment started", "experiment running", "experiment succeeded"]
        events = [(e["reason"], e["involvedObject"]["kind"])
                  for e in world.api("/api/v1/namespaces/shop/events")["items"] if e["involvedObject"]["name"] == "ab"]
        for reason in ("ExperimentPending", "ExperimentRunning", "ExperimentSuccessful"):
            assert (reason, "Experiment") in events, events
        written = len(world.writes())
        world.push("Something else", {"README.md": "x"})
        world.kill_daemon()
        world.run_daemon()
        world.wait_for("experiment succeeded")
        assert world.nothing_is_left()
        assert not [line for line in world.writes()[written:] if "replicasets" in line], world.writes()[written:]
        what_the_commands_say(world)


def what_the_commands_say(world):
    assert "ab  Healthy  ended" in world.tell("status"), world.tell("status")
    assert "succeeded: its 4s are over" in world.tell("status", "shop/ab")
    history = world.tell("history", "shop/ab")
    assert "experiment running" in history and "asked for by Ann <ann@example.com>" in history, history
    assert "whole and in order" in world.tell("verify")
    assert json.loads(world.tell("audit", "--output", "json"))["figures"]["deployments"] == 0
    assert "nothing" in world.tell("at", "2999-01-01T00:00:00Z", "shop/ab")
    said = world.tell("approve", "shop/ab", "--author", "Ann <ann@example.com>", code=1)
    assert "nothing to promote: the experiment succeeded: its 4s are over" in said, said
    valid = subprocess.run([world.serin, "validate", world.path("work", "ab.yaml")], capture_output=True, text=True)
    assert valid.returncode == 0, valid


def pods_do_not_come_up(serin):
    with Laboratory(serin) as world:
        world.ask("v2-broken", progressDeadlineSeconds=2)
        world.run_daemon()
        why = 'no progress for 2s: waiting for 2 of 2 pods of experiment "trial": image cannot be pulled'
        world.wait_for("experiment failed: " + why)
        eventually("its pods go", world.nothing_is_left)
        assert "failed: " + why in world.tell("status", "shop/ab")


def a_person_ends_it(serin):
    with Laboratory(serin) as world:
        world.ask()
        world.run_daemon()
        world.wait_for("experiment running")
        assert "Paused  running" in world.tell("status"), world.tell("status")
        ann = ("--author", "Ann <ann@example.com>")
        said = world.tell("pause", "shop/ab", *ann, code=1)
        assert "shop/ab: an experiment cannot pause: approve ends it, abort ends it as failed" in said, said
        world.tell("approve", "shop/ab", "--reason", "enough", *ann)
        world.wait_for("experiment succeeded")
        assert "promoted by Ann <ann@example.com>: enough" in world.tell("history", "shop/ab")
        world.ask("v3")
        world.wait_for("experiment running")
        world.tell("abort", "shop/ab", *ann)
        world.wait_for("experiment failed: aborted by Ann <ann@example.com>")
        assert "whole and in order" in world.tell("verify")


def changed_killed_terminated(serin):
    """Another spec in mid-run replaces what differs; killed in the middle it goes on; `terminate` ends it."""
    with Laboratory(serin) as world:
        world.ask()
        world.run_daemon()
        world.wait_for("experiment running")
        kept = world.api(f"{SETS}/ab-baseline")["metadata"]["uid"]
        world.ask("v3")
        eventually("the trial is replaced", lambda: world.replica_sets() == {"v1": 1, "v3": 2})
        world.kill_daemon()
        world.run_daemon()
        eventually("it runs again", lambda: world.subjects("ab") == ["experiment started", "experiment running"] * 2)
        assert world.api(f"{SETS}/ab-baseline")["metadata"]["uid"] == kept
        world.ask("v3", terminate="true")
        world.wait_for("experiment succeeded")
        eventually("its pods go", world.nothing_is_left)


def removed_in_mid_run(serin):
    with Laboratory(serin) as world:
        # Without another object it would be the last one, which is held.
        others = {f"{n}.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}, namespace: shop}}\n"
                  for n in range(3)}
        world.push("Others", others)
        world.ask(duration="1h")
        world.run_daemon()
        world.wait_for("experiment running")
        world.push("Enough", {"ab.yaml": None})
        world.wait_for("removed")
        eventually("nothing is left of it", world.nothing_is_left)


def held_beside_a_rollout_of_its_name(serin):
    with Laboratory(serin) as world:
        world.ask()
        world.deploy("v1", name="ab")
        world.run_daemon()
        said = "shop/ab stands in several files: ab.yaml and shop/ab/rollout.yaml"
        eventually("both places are named", lambda: said in world.log_text())
        assert world.subjects("ab") == []
        world.push("Only the Rollout", {"ab.yaml": None})
        world.wait_for("promoted v1")
        # Nor does it take over what a Rollout left.
        world.push("An experiment instead", {"shop/ab/rollout.yaml": None, "ab.yaml": EXPERIMENT.format(tag="v2", more="")})
        eventually("it is held", lambda: "ReplicaSets of a Rollout shop/ab are left" in world.log_text())
        assert world.replica_sets() == {"v1": 2}, world.replica_sets()


def never_applied(serin):
    """With --publish-rollouts too, an Experiment is no object of the cluster."""
    with Laboratory(serin) as world:
        if not shutil.which("kubectl"):
            return print("no kubectl here: without --publish-rollouts")
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        crd = os.path.join(root, "manifests-schema", "kubernetes", "rollouts-crd.yaml")
        subprocess.run(["kubectl", "--kubeconfig", world.kubeconfig, "apply", "-f", crd], check=True, capture_output=True)
        world.ask(duration="1s")
        world.run_daemon("--publish-rollouts")
        world.wait_for("experiment succeeded")
        eventually("its pods go", world.nothing_is_left)
        assert world.api("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts")["items"] == []
        assert not [line for line in world.writes() if "argoproj.io" in line], world.writes()


TESTS = {f.__name__: f for f in (runs_to_its_end, pods_do_not_come_up, a_person_ends_it, changed_killed_terminated,
                                 removed_in_mid_run, held_beside_a_rollout_of_its_name, never_applied)}

if __name__ == "__main__":
    harness.main(TESTS)
