#!/usr/bin/env python3
"""Rollouts as objects of the cluster: the view that autoscalers and dashboards read, and what an Argo Rollouts controller
left. On the embedded cluster, or a real one when with-cluster.sh has started it. `publish_test.py SERIN [TEST...]`"""
import json
import os
import shutil
import subprocess
import sys
import time

import harness
from harness import World, eventually

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CRD = os.path.join(ROOT, "manifests-schema", "kubernetes", "rollouts-crd.yaml")
ROLLOUTS = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/"
HASH = "rollouts-pod-template-hash"


class Published(World):
    """A world with the kind Rollout, seen through kubectl."""

    def __init__(self, serin, **more):
        super().__init__(serin, **more)
        if not shutil.which("kubectl"):
            print("skipped: no kubectl here")
            sys.exit(77)
        self.kubectl("apply", "-f", CRD)
        # A real cluster is shared by the tests of this file.
        self.kubectl("delete", "namespace", "shop", "--ignore-not-found", "--wait")
        eventually("the kind is served", lambda: self.api("/apis/argoproj.io/v1alpha1/rollouts") is not None)

    def kubectl(self, *arguments, stdin=None):
        done = subprocess.run(["kubectl", "--kubeconfig", self.kubeconfig, *arguments], input=stdin,
                              capture_output=True, text=True)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def rollout(self):
        return self.api(ROLLOUTS + "till")

    def status(self):
        return (self.rollout() or {}).get("status") or {}

    def replica_set(self, tag):
        for item in self.api("/apis/apps/v1/namespaces/shop/replicasets")["items"]:
            if item["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":" + tag):
                return item
        return None

    def pods(self):
        items = self.api("/api/v1/namespaces/shop/pods")["items"]
        return {i["metadata"]["uid"] for i in items if "deletionTimestamp" not in i["metadata"]}


def view_and_scale(serin):
    with Published(serin) as world:
        world.deploy("v1")
        world.run_daemon("--publish-rollouts")
        world.wait_subject("promoted v1")
        eventually("healthy", lambda: world.status().get("phase") == "Healthy")
        line = world.kubectl("get", "rollouts", "-n", "shop").splitlines()[1].split()
        assert line[:7] == ["till", "2", "2", "2", "2", "Healthy", "0"], line
        status, rollout = world.status(), world.rollout()
        assert status["observedGeneration"] == str(rollout["metadata"]["generation"])
        assert status["stableRS"] == status["currentPodHash"] == world.revision_of("v1")
        # As in Git, never defaulted.
        assert "revisionHistoryLimit" not in rollout["spec"] and rollout["spec"]["replicas"] == 2
        owner = world.replica_set("v1")["metadata"]["ownerReferences"][0]
        assert owner["uid"] == rollout["metadata"]["uid"] and owner["controller"], owner

        version = rollout["metadata"]["resourceVersion"]
        time.sleep(3)  # nothing may happen
        assert world.rollout()["metadata"]["resourceVersion"] == version

        commits = len(world.subjects())
        world.kubectl("scale", "rollout", "till", "-n", "shop", "--replicas=4")
        eventually("pods follow", lambda: world.replica_sets() == {"v1": 4})
        eventually("the status follows", lambda: world.status().get("HPAReplicas") == 4 and
                   world.status()["phase"] == "Healthy")
        assert world.status()["observedGeneration"] == str(world.rollout()["metadata"]["generation"])
        assert len(world.subjects()) == commits, world.subjects()

        # In mid-canary too, and Git's count does not come back with the next commit.
        world.deploy("v2", steps="[{setWeight: 50}, {pause: {}}]")
        world.wait_subject("canary 50% (step 1/2)")
        assert world.replica_sets() == {"v1": 4, "v2": 2}, world.replica_sets()
        eventually("paused", lambda: world.status().get("phase") == "Paused")
        assert world.status()["canary"]["weights"]["canary"]["weight"] == 50
        assert world.status()["pauseConditions"][0]["reason"] == "CanaryPauseStep"
        world.kubectl("scale", "rollout", "till", "-n", "shop", "--replicas=6")
        eventually("both follow", lambda: world.replica_sets() == {"v1": 6, "v2": 3})
        world.decide("promote-full", world.revision_of("v2"))
        world.wait_subject("promoted v2")
        eventually("six of the new one", lambda: world.replica_sets() == {"v1": 0, "v2": 6})
        assert world.rollout()["spec"]["replicas"] == 6


def deviation_1_spec_is_never_written(serin):
    with Published(serin) as world:
        without = harness.ROLLOUT.replace("  replicas: {replicas}\n", "").format(name="till", ns="shop", tag="v1", steps="[]")
        world.push("Deploy", {"rollout.yaml": without, "services.yaml": harness.SERVICES.format(name="till", ns="shop")})
        world.run_daemon("--publish-rollouts")
        world.wait_subject("promoted v1")
        eventually("healthy", lambda: world.status().get("phase") == "Healthy")
        assert world.replica_sets() == {"v1": 1}
        assert sorted(world.rollout()["spec"]) == ["selector", "strategy", "template"], world.rollout()["spec"]


def patches_are_undone(serin):
    with Published(serin) as world:
        world.deploy("v1")
        world.run_daemon("--publish-rollouts")
        world.wait_subject("promoted v1")
        eventually("healthy", lambda: world.status().get("phase") == "Healthy")
        world.patch(ROLLOUTS + "till", {"spec": {"replicas": 7, "strategy": {"canary": {"canaryService": "nonsense"}}}})
        eventually("the spec is Git's again", lambda: world.rollout()["spec"]["replicas"] == 2 and
                   world.rollout()["spec"]["strategy"]["canary"]["canaryService"] == "till-canary")
        assert world.replica_sets() == {"v1": 2}
        world.patch(ROLLOUTS + "till/status", {"status": {"phase": "Degraded", "stableRS": "nonsense"}})
        eventually("the status is true again", lambda: world.status().get("phase") == "Healthy" and
                   world.status()["stableRS"] == world.revision_of("v1"))
        # The object comes back, and so does what it owned.
        world.kubectl("delete", "rollout", "till", "-n", "shop", "--cascade=orphan")
        eventually("published again", lambda: world.status().get("phase") == "Healthy")
        uid = world.rollout()["metadata"]["uid"]
        eventually("owned again", lambda: [o["uid"] for o in (world.replica_set("v1") or {"metadata": {}})["metadata"].get(
            "ownerReferences", [])] == [uid])


def events_tell_what_happened(serin):
    with Published(serin) as world:
        world.deploy("v1")
        world.run_daemon()
        world.wait_subject("promoted v1")
        world.deploy("v2", steps="[{setWeight: 50}, {pause: {}}]")
        world.wait_subject("canary 50% (step 1/2)")
        world.decide("abort", world.revision_of("v2"))
        world.wait_subject("rolled back to v1: aborted by Ann <ann@example.com>: looks good")

        def reasons():
            items = world.api("/api/v1/namespaces/shop/events")["items"]
            return {i["reason"]: i for i in items if i["involvedObject"]["kind"] == "Rollout"}
        wanted = {"RolloutUpdated", "NewReplicaSetCreated", "RolloutStepCompleted", "RolloutPaused", "RolloutAborted",
                  "RolloutCompleted", "TrafficWeightUpdated", "SwitchService"}
        eventually("the events are there", lambda: wanted <= set(reasons()))
        assert reasons()["RolloutAborted"]["type"] == "Warning"
        assert reasons()["RolloutAborted"]["involvedObject"]["name"] == "till"
        listed = world.kubectl("get", "events", "-n", "shop")
        assert "RolloutAborted" in listed and "rollout/till" in listed, listed


# ---- what an Argo Rollouts controller left

def template_hash(template):
    """FNV-1a of the typed encoding, digits mapped (spec 2.1)."""
    number = 2166136261
    for byte in json.dumps(template, separators=(",", ":")).encode():
        number = ((number ^ byte) * 16777619) & 0xFFFFFFFF
    return "".join("456789bcdf"[int(digit)] for digit in str(number))


def leave_as_argo_would(world, revision):
    """A settled Rollout of two pods, its ReplicaSet and Services, as a controller left them."""
    world.kubectl("apply", "-f", "-", stdin=json.dumps(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}))
    manifest = harness.ROLLOUT.format(name="till", ns="shop", tag="v1", steps="[{setWeight: 50}, {pause: {}}]",
                                      replicas=2)
    services = harness.SERVICES.format(name="till", ns="shop").replace(
        "selector: {app: till}", f"selector: {{app: till, {HASH}: {revision}}}").replace(
        "kind: Service\nmetadata: {",
        "kind: Service\nmetadata: {annotations: {argo-rollouts.argoproj.io/managed-by-rollouts: till}, ")
    world.kubectl("apply", "-f", "-", stdin=manifest + "---\n" + services)
    labels = {"app": "till", HASH: revision}
    image = {"name": "till", "image": "registry.example.com/till:v1"}
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "till", "controller": True,
             "blockOwnerDeletion": True, "uid": world.rollout()["metadata"]["uid"]}
    world.kubectl("create", "-f", "-", stdin=json.dumps(
        {"apiVersion": "apps/v1", "kind": "ReplicaSet",
         "metadata": {"name": "till-" + revision, "namespace": "shop", "labels": labels, "ownerReferences": [owner],
                      "annotations": {"rollout.argoproj.io/revision": "1", "rollout.argoproj.io/desired-replicas": "2"}},
         "spec": {"replicas": 2, "selector": {"matchLabels": labels},
                  "template": {"metadata": {"labels": labels}, "spec": {"containers": [image]}}}}))
    world.patch(ROLLOUTS + "till/status",
                {"status": {"observedGeneration": str(world.rollout()["metadata"]["generation"]), "phase": "Healthy",
                            "currentPodHash": revision, "stableRS": revision, "replicas": 2, "availableReplicas": 2}},
                manager="rollouts-controller")
    eventually("the pods are ready", lambda: (world.replica_set("v1").get("status") or {}).get("availableReplicas") == 2)


def take_over(serin, template, stop, *options):
    revision = template_hash(template)
    with Published(serin) as world:
        leave_as_argo_would(world, revision)
        before, pods = world.replica_set("v1"), world.pods()
        world.deploy("v1", steps="[{setWeight: 50}, {pause: {}}]")
        world.run_daemon(*options)
        eventually("it is said who drives it", lambda: "another controller (rollouts-controller) drives Rollout shop/till"
                   in world.log_text())
        world.deploy("v2", steps="[{setWeight: 50}, {pause: {}}]")
        time.sleep(3)  # nothing may happen
        assert world.subjects() == [] and world.replica_sets() == {"v1": 2}, world.subjects()
        assert world.weights() in (None, [100, 0])
        assert world.status()["phase"] == "Healthy" and "serin.dev/owner" not in world.rollout()["metadata"].get("labels", {})
        world.deploy("v1", steps="[{setWeight: 50}, {pause: {}}]")
        time.sleep(1.5)
        stop(world)
        world.wait_subject("promoted v1")
        assert world.subjects() == ["adopting v1 (step 2/2)", "promoted v1"], world.subjects()
        after = world.replica_set("v1")
        assert after["metadata"]["uid"] == before["metadata"]["uid"] and world.pods() == pods
        assert world.revision_of("v1") == revision and world.replica_sets() == {"v1": 2}
        if "--publish-rollouts" not in options:
            assert not world.replica_set("v1")["metadata"].get("ownerReferences"), "its owner is gone"
        # From here on it is a rollout like any other.
        world.deploy("v2", steps="[{setWeight: 50}, {pause: {}}]")
        eventually("weights 50/50", lambda: world.weights() == [50, 50])
        assert pods <= world.pods()


NEWER = {"metadata": {"labels": {"app": "till"}},
         "spec": {"containers": [{"name": "till", "image": "registry.example.com/till:v1", "resources": {}}]}}
OLDER = {"metadata": {"creationTimestamp": None, "labels": {"app": "till"}}, "spec": NEWER["spec"]}


def orphaned(world):
    world.kubectl("delete", "rollout", "till", "-n", "shop", "--cascade=orphan")


def annotated(world):
    world.kubectl("annotate", "rollout", "till", "-n", "shop", "serin.dev/take-over=true")


def takes_over_what_was_orphaned(serin):
    take_over(serin, NEWER, orphaned)


def takes_over_what_an_older_controller_left(serin):
    take_over(serin, OLDER, annotated, "--publish-rollouts")


TESTS = {f.__name__: f for f in (view_and_scale, deviation_1_spec_is_never_written, patches_are_undone,
                                 events_tell_what_happened, takes_over_what_was_orphaned,
                                 takes_over_what_an_older_controller_left)}

if __name__ == "__main__":
    harness.main(TESTS)
