#!/usr/bin/env python3
"""The main job, from outside: a push, a canary, status commits, a revert. `daemon_test.py SERIN [TEST...]`"""
import random
import signal
import subprocess
import time

import harness
from harness import World, eventually

WALK = ["deploying v2 (step 0/2)", "canary 50% (step 1/2)", "canary 50% (step 2/2)", "canary 100% (step 2/2)",
        "promoting v2 (step 2/2)", "promoted v2"]


def first_deploy(world, **more):
    world.deploy("v1", **more)
    world.run_daemon()
    world.wait_subject("promoted v1")


def canary_walks(serin):
    with World(serin) as world:
        first_deploy(world)
        asked = world.deploy("v2")
        eventually("weights 50/50", lambda: world.weights() == [50, 50])
        assert world.service_hash("till-canary") == world.revision_of("v2")
        assert world.service_hash("till") == world.revision_of("v1")
        world.wait_subject("promoted v2")
        assert world.weights() == [100, 0]
        assert world.service_hash("till") == world.revision_of("v2")
        assert world.subjects()[-6:] == WALK, world.subjects()
        eventually("the old pods go", lambda: world.replica_sets() == {"v1": 0, "v2": 2})
        trailers = world.git("log", "-1", "--format=%(trailers:key=Rollout-Phase,valueonly)"
                             "%(trailers:key=Rollout-Commit,valueonly)%(trailers:key=Rollout-Image,valueonly)", "main",
                             cwd=world.bare).split()
        assert trailers == ["Healthy", asked, "registry.example.com/till:v2"], trailers
        vs = world.api("/apis/networking.istio.io/v1/namespaces/shop/virtualservices/till")
        assert vs["spec"]["http"][0]["timeout"] == "5s" and vs["metadata"]["labels"]["serin.dev/owner"] == "serin"


def settled_world_is_left_alone(serin):
    with World(serin) as world:
        first_deploy(world)
        commits, writes = world.git("rev-list", "--count", "main", cwd=world.bare), world.writes()
        world.push("Nothing that matters", {"README.md": "hello\n"})
        time.sleep(3)  # several polls: there is nothing to wait for when nothing may happen
        assert world.writes() == writes, world.writes()[len(writes):]
        assert int(world.git("rev-list", "--count", "main", cwd=world.bare)) == int(commits) + 1
        world.kill_daemon()
        world.run_daemon()
        eventually("the daemon is back", lambda: world.log_text().count(" ready ") == 2)
        time.sleep(2)
        assert world.writes() == writes, world.writes()[len(writes):]


def revert_in_mid_canary(serin):
    with World(serin) as world:
        first_deploy(world)
        bad = world.deploy("v2", steps="[{setWeight: 50}, {pause: {}}]")
        eventually("weights 50/50", lambda: world.weights() == [50, 50])
        world.wait_subject("canary 50% (step 1/2)")
        world.revert(bad)
        eventually("the traffic is back", lambda: world.weights() == [100, 0], 10)
        world.wait_subject("rolled back to v1: Git asks for v1 again")
        eventually("the canary goes", lambda: world.replica_sets() == {"v1": 2, "v2": 0})
        assert world.service_hash("till-canary") == world.revision_of("v1")


def revert_after_promotion(serin):
    with World(serin) as world:
        first_deploy(world)
        bad = world.deploy("v2")
        world.wait_subject("promoted v2")
        world.revert(bad)
        world.wait_subject("promoted v1")
        assert world.subjects()[-4:] == ["deploying v1 (step 2/2)", "canary 100% (step 2/2)",
                                         "promoting v1 (step 2/2)", "promoted v1"], world.subjects()


def decisions(serin):
    with World(serin) as world:
        first_deploy(world)
        world.deploy("v2", steps="[{setWeight: 50}, {pause: {}}, {setWeight: 80}, {pause: {}}]")
        world.wait_subject("canary 50% (step 1/4)")
        revision = world.revision_of("v2")
        world.decide("promote", revision, 0)
        eventually("the stale decision is answered", lambda: world.subjects()[-1].startswith("ignored promote of "))
        assert "is stale: it is about step 0" in world.log_text()
        world.decide("promote", revision, 1)
        world.wait_subject("canary 80% (step 3/4)")
        world.decide("abort", revision)
        eventually("the traffic is back", lambda: world.weights() == [100, 0])
        world.wait_subject("rolled back to v1: aborted by Ann <ann@example.com>: looks good")
        world.decide("retry", revision)
        world.wait_subject("canary 50% (step 1/4)")
        world.decide("promote-full", revision)
        world.wait_subject("promoted v2")


ALONE = """apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: till, namespace: shop}}
spec:
  replicas: 4
  {template}
  strategy: {{canary: {{steps: [{{setWeight: 50}}, {{pause: {{}}}}]}}}}
"""

TEMPLATE = """selector: {{matchLabels: {{app: till}}}}
  template:
    metadata: {{labels: {{app: till}}}}
    spec: {{containers: [{{name: till, image: "registry.example.com/till:{tag}"}}]}}"""


def canary_without_routing(serin):
    with World(serin) as world:
        def deploy(tag):
            return world.push(f"Deploy {tag}", {"till.yaml": ALONE.format(template=TEMPLATE.format(tag=tag))})
        deploy("v1")
        world.run_daemon()
        world.wait_subject("promoted v1")
        bad = deploy("v2")
        world.wait_subject("canary 50% (step 1/2)")
        assert world.replica_sets() == {"v1": 2, "v2": 2}, world.replica_sets()
        world.revert(bad)
        world.wait_subject("rolled back to v1: Git asks for v1 again")
        assert world.replica_sets() == {"v1": 4, "v2": 0}, world.replica_sets()


def workload_in_the_cluster(serin):
    """workloadRef to a Deployment that is not in Git: its pods go as ours come, a change of it is a canary."""
    with World(serin) as world:
        world.post("/api/v1/namespaces", {"metadata": {"name": "shop"}})
        labels = {"app": "till"}
        container = {"name": "till", "image": "registry.example.com/till:v1"}
        deployments = "/apis/apps/v1/namespaces/shop/deployments"
        world.post(deployments, {"metadata": {"name": "till"}, "spec": {
            "replicas": 3, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}})
        ref = "workloadRef: {apiVersion: apps/v1, kind: Deployment, name: till, scaleDown: onsuccess}"
        world.push("Take over", {"till.yaml": ALONE.format(template=ref)})
        world.run_daemon()
        world.wait_subject("promoted v1")
        eventually("the Deployment's pods go", lambda: world.api(deployments + "/till")["spec"]["replicas"] == 0)
        container["image"] = "registry.example.com/till:v2"
        world.patch(deployments + "/till", {"spec": {"template": {"spec": {"containers": [container]}}}})
        world.wait_subject("canary 50% (step 1/2)")
        # The other two kinds, one of which is waited for.
        other = ALONE.replace("name: till", "name: {name}").replace("app: till", "app: {name}")
        refs = {"cart": "apiVersion: apps/v1, kind: ReplicaSet", "shelf": "apiVersion: v1, kind: PodTemplate"}
        world.push("Two more", {f"{name}.yaml": other.format(name=name, template=f"workloadRef: {{{ref}, name: {name}}}")
                                for name, ref in refs.items()})
        eventually("the PodTemplate is missed", lambda: "PodTemplate shop/shelf is missing" in world.log_text())
        for name in refs:
            template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [dict(container, name=name)]}}
            if name == "cart":
                world.post("/apis/apps/v1/namespaces/shop/replicasets", {"metadata": {"name": name}, "spec": {
                    "replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template}})
            else:
                world.post("/api/v1/namespaces/shop/podtemplates", {"metadata": {"name": name}, "template": template})
        for name in refs:
            world.wait_subject("promoted v2", name=name)


BLUE_GREEN = harness.ROLLOUT[:harness.ROLLOUT.index("    canary:")] + """    blueGreen:
      activeService: {name}
      previewService: {name}-preview
      previewReplicaCount: 1
      autoPromotionEnabled: false
      scaleDownDelaySeconds: 300
"""


def blue_green(serin):
    with World(serin) as world:
        def push(tag):
            return world.push(f"Deploy {tag}", {
                "blue/rollout.yaml": BLUE_GREEN.format(name="blue", ns="shop", tag=tag, replicas=2),
                "blue/services.yaml": harness.SERVICES[:harness.SERVICES.index("---\napiVersion: networking")].format(
                    name="blue", ns="shop").replace("blue-canary", "blue-preview")})

        def serves(active, preview):
            return [world.service_hash(name) for name in ("blue", "blue-preview")] == [
                world.revision_of(active), world.revision_of(preview)]

        world.run_daemon()
        push("v1")
        world.wait_subject("promoted v1", name="blue")
        assert serves("v1", "v1")
        deployed = push("v2")
        world.wait_subject("previewing v2", name="blue")
        eventually("the preview Service shows v2, the active one v1", lambda: serves("v1", "v2"))
        assert world.replica_sets() == {"v1": 2, "v2": 1}
        world.git("pull", "-q", "--rebase", "origin", "main")
        table = subprocess.run([serin, "status"], cwd=world.path("work"), capture_output=True, text=True).stdout
        assert "preview" in table and "Paused" in table, table
        approved = subprocess.run([serin, "approve", "shop/blue", "--author", "Bo <bo@example.com>"],
                                  cwd=world.path("work"), env=harness.GIT, capture_output=True, text=True)
        assert approved.returncode == 0, approved.stderr
        world.wait_subject("promoted v2", name="blue")
        assert serves("v2", "v2") and world.replica_sets() == {"v1": 2, "v2": 2}
        assert world.subjects("blue")[-5:] == ["previewing v2", "promote v2", "accepted v2", "promoting v2", "promoted v2"]
        # Back while the old pods are there: no preview, and nothing to wait for.
        world.revert(deployed)
        world.wait_subject("promoted v1", name="blue")
        assert serves("v1", "v1") and world.replica_sets() == {"v1": 2, "v2": 2}
        assert world.subjects("blue")[-3:] == ["deploying v1", "promoting v1", "promoted v1"]


def bad_manifests_beside_good_ones(serin):
    with World(serin) as world:
        world.push("Junk", {"broken.yaml": "a: [1, 2\n", "huge.yaml": "x: " + "y" * (2 << 20) + "\n",
                            "bomb.yaml": "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\napiVersion: v1\n",
                            "latin.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: caf\x01}\n",
                            ".hidden/x.yaml": "nonsense: [", "notes.txt": "not yaml: ["})
        blue = harness.ROLLOUT.format(name="blue", ns="shop", tag="v1", steps="[]", replicas=1)
        blue = blue[:blue.index("  strategy:")] + "  strategy: {blueGreen: {activeService: blue, prePromotionAnalysis: {}}}\n"
        world.push("Not supported", {"blue.yaml": blue})
        first_deploy(world)
        log = world.log_text()
        assert "broken.yaml:" in log and "huge.yaml" in log and ".hidden" not in log and "notes.txt" not in log, log
        eventually("the refusal is recorded", lambda: world.subjects("blue"))
        assert "strategy.blueGreen.prePromotionAnalysis is not supported yet" in world.subjects("blue")[0]
        # A good rollout whose file breaks goes on as it was.
        world.push("Break it", {"shop/till/rollout.yaml": "kind: Rollout\n  bad"})
        eventually("the broken file is named", lambda: "keeps its last good content" in world.log_text())
        world.deploy("v2")
        world.wait_subject("promoted v2")
        # What runs for a rollout that is refused is kept as it was.
        world.deploy("v3", replicas=-1)
        eventually("the refusal is recorded", lambda: world.subjects()[-1].startswith("refused: "))
        routes = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices/till"
        http = world.api(routes)["spec"]["http"]
        http[0]["route"][0]["weight"], http[0]["route"][1]["weight"] = 50, 50
        world.patch(routes, {"spec": {"http": http}})
        name = f"/apis/apps/v1/namespaces/shop/replicasets/till-{world.revision_of('v2')}"
        world.patch(name, {"spec": {"replicas": 0}})
        eventually("the weights are back", lambda: world.weights() == [100, 0])
        eventually("the pods are back", lambda: world.api(name)["spec"]["replicas"] == 2)
        assert "v3" not in world.replica_sets(), world.replica_sets()


def killed_at_random_moments(serin, seed=None):
    seed = seed or int(time.time())
    print(f"  seed {seed}", flush=True)
    chance = random.Random(seed)
    with World(serin, ready_after="50ms") as world:
        first_deploy(world)
        world.deploy("v2", steps="[{setWeight: 20}, {pause: {duration: 1s}}, {setWeight: 60}, {pause: {duration: 1s}}]")
        n = 0
        end = time.monotonic() + harness.DEADLINE
        while world.subjects()[-1] != "promoted v2":
            assert time.monotonic() < end, world.subjects()
            time.sleep(chance.uniform(0.05, 1.2))
            n += 1
            world.push(f"Somebody else's work {n}", {f"docs/{n}.md": f"{n}\n"})
            if n <= 8:
                world.kill_daemon()
                world.run_daemon()
        history = world.subjects()
        run = history[history.index("deploying v2 (step 0/4)"):]
        expected = ["deploying v2 (step 0/4)", "canary 20% (step 1/4)", "canary 20% (step 2/4)",
                    "canary 60% (step 3/4)", "canary 60% (step 4/4)", "canary 100% (step 4/4)",
                    "promoting v2 (step 4/4)", "promoted v2"]
        assert run == expected, run
        assert len(world.git("log", "--format=%s", "--grep=Somebody else", "main", cwd=world.bare).splitlines()) == n


def terminated_gently(serin):
    with World(serin) as world:
        first_deploy(world)
        world.deploy("v2", steps="[{setWeight: 50}, {pause: {}}]")
        eventually("weights 50/50", lambda: world.weights() == [50, 50])
        began = time.monotonic()
        assert world.kill_daemon(signal.SIGTERM) == 0
        assert time.monotonic() - began < 20
        assert world.subjects()[-1] == "canary 50% (step 1/2)", world.subjects()
        assert world.weights() == [50, 50]


def git_outage(serin):
    with World(serin) as world:
        first_deploy(world)
        world.deploy("v2", steps="[{setWeight: 50}, {pause: {duration: 4s}}]")
        eventually("weights 50/50", lambda: world.weights() == [50, 50])
        subprocess.run(["mv", world.bare, world.bare + ".away"], check=True)
        eventually("the rollout goes on", lambda: world.service_hash("till") == world.revision_of("v2"))
        subprocess.run(["mv", world.bare + ".away", world.bare], check=True)
        world.wait_subject("promoted v2")
        assert world.subjects()[-6:] == WALK, world.subjects()


def once(serin):
    with World(serin) as world:
        world.deploy("v1")
        common = ["run", "--once", "--repo", world.bare, "--state-dir", world.path("state"), "--kubeconfig",
                  world.kubeconfig]
        dry = subprocess.run([serin, *common, "--dry-run"], capture_output=True, text=True, timeout=60)
        assert "would apply: Service shop/till" in dry.stdout, dry
        assert world.writes() == [] and world.subjects() == []
        assert world.start(*common).wait(60) == 0
        assert world.subjects()[-1] == "promoted v1"
        world.deploy("v2-broken", replicas=1)
        world.push("Impatient", {"shop/till/rollout.yaml": open(world.path("work/shop/till/rollout.yaml")).read().replace(
            "  replicas: 1", "  replicas: 1\n  progressDeadlineSeconds: 2")})
        assert world.start(*common).wait(60) == 1
        assert world.weights() == [100, 0]
        assert world.subjects()[-1] == "stuck deploying v2-broken (step 0/2)", world.subjects()


TESTS = {f.__name__: f for f in (canary_walks, settled_world_is_left_alone, revert_in_mid_canary, revert_after_promotion,
                                 decisions, canary_without_routing, workload_in_the_cluster, blue_green,
                                 bad_manifests_beside_good_ones, killed_at_random_moments,
                                 terminated_gently, git_outage, once)}

if __name__ == "__main__":
    harness.main(TESTS)
