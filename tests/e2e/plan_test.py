#!/usr/bin/env python3
"""serin plan with a cluster: what a revision would do to live objects, asked by reads and dry runs alone.

usage: plan_test.py SERIN [TEST...]
"""
import json
import os
import subprocess

import harness
from harness import World, eventually

PLAIN = """apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: shop}}
data: {{greeting: {greeting}, colour: blue}}
---
apiVersion: v1
kind: Secret
metadata: {{name: password, namespace: shop}}
stringData: {{password: {password}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: worker, namespace: shop}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}}}}}
    spec: {{containers: [{{name: worker, image: "registry.example.com/worker:v1"}}]}}
"""
STEPS = "[{setWeight: 50}, {pause: {}}]"


def plan(world, *words, code=0, env=None):
    done = subprocess.run([world.serin, "plan", *words], cwd=world.path("work"), env=env or harness.GIT, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout if code == 0 or done.stdout else done.stderr


def asked(world, *words, code=0):
    """The plan as JSON, and what it asked the cluster. Nothing may have been written by it."""
    before = len(requests(world))
    said = json.loads(plan(world, "--kubeconfig", world.kubeconfig, "--output", "json", *words, code=code))
    mine = requests(world)[before:]
    for line in mine:
        verb = line.split()[1]
        assert verb == "GET" or (verb == "PATCH" and "dryRun=All" in line), f"a write: {line}"
        assert "watch=" not in line, line
    return said, mine


def requests(world):
    return [line for line in world.requests() if "serin/" in line]


def canary_in_mid_flight(world):
    """v2 has half of the traffic, and the daemon is gone."""
    world.push("Plain objects", {"shop/plain.yaml": PLAIN.format(greeting="hello", password="hunter2", app="worker")})
    world.run_daemon()
    world.deploy("v1")
    world.wait_subject("promoted v1")
    world.deploy("v2", steps=STEPS)
    world.wait_subject("canary 50% (step 1/2)")
    eventually("the weight is written", lambda: world.weights() == [50, 50])
    world.kill_daemon()
    world.git("fetch", "-q")
    world.git("checkout", "-q", "-B", "feature", "origin/main")


def commit(world, files):
    for name, text in files.items():
        path = world.path("work", name)
        if text is None:
            os.remove(path)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").write(text)
    world.git("add", "-A")
    world.git("commit", "-q", "-m", "feature")


def objects_of(said):
    return {f"{o['kind']}/{o['name']}": o for o in said["objects"]}


def paths(change):
    return [field["path"] for field in change.get("fields", [])]


def live_objects_are_compared(path):
    with World(path) as world:
        canary_in_mid_flight(world)
        # Somebody has changed a live object that the revision changes too.
        world.patch("/api/v1/namespaces/shop/configmaps/settings", {"data": {"colour": "red", "mine": "yes"}})
        commit(world, {
            "shop/till/services.yaml": harness.SERVICES.format(name="till", ns="shop").replace("5s", "7s").replace(
                "port: 80,", "port: 81,"),
            "shop/plain.yaml": PLAIN.format(greeting="goodbye", password="hunter3", app="worker"),
            "shop/more.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more, namespace: shop}\ndata: {a: b}\n"})
        versions = world.versions()
        said, _ = asked(world)
        assert world.versions() == versions
        assert said["problems"] == [], said["problems"]
        found = objects_of(said)
        assert found["ConfigMap/more"]["change"] == "created", found
        settings = {f["path"]: (f.get("before"), f.get("after")) for f in found["ConfigMap/settings"]["fields"]}
        assert settings == {"data.greeting": ("hello", "goodbye"), "data.colour": ("red", "blue")}, settings
        # What the rollout owns stays as it is: no weight and no selector moves.
        assert [p for p in paths(found["VirtualService/till"])] == ["spec.http[primary].timeout"], found
        for service in ("Service/till", "Service/till-canary"):
            assert all("port" in p and "selector" not in p for p in paths(found[service])), found[service]
        assert "hunter" not in json.dumps(said) and "aHVudGVy" not in json.dumps(said)
        assert "data.password" in paths(found["Secret/password"]), found["Secret/password"]
        assert "Deployment/worker" not in found
        markdown = plan(world, "--kubeconfig", world.kubeconfig, "--output", "markdown")
        assert "<details><summary>Objects: 1 created, 5 changed</summary>" in markdown, markdown
        assert "Against the live objects of `context" in markdown, markdown
        text = plan(world, "--kubeconfig", world.kubeconfig)
        assert 'spec.http[primary].timeout: "5s" -> "7s"' in text, text


def refusals_are_named_with_their_file(path):
    with World(path) as world:
        canary_in_mid_flight(world)
        commit(world, {
            "shop/plain.yaml": PLAIN.format(greeting="goodbye", password="hunter2", app="other"),
            "shop/odd.yaml": "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: odd, namespace: shop}\n",
            "new/there.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: there, namespace: nowhere}\n"})
        said, mine = asked(world, code=1)
        assert any(p.startswith("shop/plain.yaml: ") and "immutable" in p and "worker" in p for p in said["problems"]), said
        assert any(p.startswith("shop/odd.yaml: ") and p.endswith("the cluster does not know Gadget of example.com/v1") for p in said["problems"]), said
        assert len(said["problems"]) == 2, said["problems"]
        found = objects_of(said)
        assert "namespace is not there yet" in found["ConfigMap/there"]["note"], found["ConfigMap/there"]
        assert "data.greeting" in paths(found["ConfigMap/settings"]), "one refusal stopped the others"
        assert not any("/namespaces/nowhere/" in line for line in mine), mine


def what_would_go_and_what_would_stay(path):
    with World(path) as world:
        canary_in_mid_flight(world)
        world.call("DELETE", "/api/v1/namespaces/shop/secrets/password")
        world.patch("/api/v1/namespaces/shop/configmaps/settings", {"metadata": {"labels": {"serin.dev/owner": "another"}}})
        commit(world, {"shop/plain.yaml": None})
        said, _ = asked(world)
        found = objects_of(said)
        assert found["Secret/password"]["note"] == "it is not in the cluster", found
        assert "belongs to the owner another" in found["ConfigMap/settings"]["held"], found
        assert "held" not in found["Deployment/worker"] and found["Deployment/worker"]["change"] == "deleted", found


def no_cluster_is_asked_unless_told(path):
    with World(path) as world:
        canary_in_mid_flight(world)
        commit(world, {"shop/plain.yaml": PLAIN.format(greeting="goodbye", password="hunter2", app="worker")})
        before = requests(world)
        env = dict(harness.GIT, KUBECONFIG=world.kubeconfig)
        assert "1 changed" in plan(world, env=env)
        assert requests(world) == before
        context = [line.split()[-1] for line in open(world.kubeconfig) if line.startswith("current-context")][0].strip('"')
        assert "against the live objects of" in plan(world, "--context", context, env=env)
        assert len(requests(world)) > len(before)
        world.cluster.kill()
        world.cluster.wait()
        said = plan(world, "--kubeconfig", world.kubeconfig, code=1)
        assert said.startswith("serin: ") and said.count("\n") == 1, said


TESTS = {test.__name__: test for test in (live_objects_are_compared, refusals_are_named_with_their_file,
                                          what_would_go_and_what_would_stay, no_cluster_is_asked_unless_told)}

if __name__ == "__main__":
    harness.main(TESTS)
