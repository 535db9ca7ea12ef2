#!/usr/bin/env python3
"""Rollouts as their users wrote them for Argo Rollouts: each validates unmodified and runs to its end.

On the embedded cluster, or a real one when with-cluster.sh has started it. `argo_manifests_test.py SERIN [TEST...]`
"""
import re
import subprocess

import harness
from harness import World, eventually

SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: {0}
spec:
  ports:
  - port: 80
    targetPort: http
    protocol: TCP
    name: http
  selector:
    app: {1}
---
"""

BASIC_CANARY = """# This example demonstrates a Rollout using the canary update strategy with a customized rollout plan.
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: rollout-canary
spec:
  replicas: 5
  revisionHistoryLimit: 2
  selector:
    matchLabels:
      app: rollout-canary
  template:
    metadata:
      labels:
        app: rollout-canary
    spec:
      containers:
      - name: rollouts-demo
        image: argoproj/rollouts-demo:blue
        imagePullPolicy: Always
        ports:
        - containerPort: 8080
  strategy:
    canary:
      steps:
      - setWeight: 20
      # The following pause step will pause the rollout indefinitely until manually resumed.
      - pause: {}
      - setWeight: 40
      - pause: {duration: 1s}
      - setWeight: 60
      - pause: {duration: 1s}
      - setWeight: 80
      - pause: {duration: 1s}
"""

ROLLING_UPDATE = """# Without steps a canary is a rolling update.
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: rollout-rolling-update
spec:
  replicas: 5
  revisionHistoryLimit: 2
  selector:
    matchLabels:
      app: rollout-rolling-update
  template:
    metadata:
      labels:
        app: rollout-rolling-update
    spec:
      containers:
      - name: rollouts-demo
        image: argoproj/rollouts-demo:blue
        imagePullPolicy: Always
        ports:
        - containerPort: 8080
  strategy:
    canary:
      maxSurge: 1
      maxUnavailable: 0
"""

WITH_HPA = """apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: hpa-rollout
spec:
  revisionHistoryLimit: 1
  replicas: 3
  selector:
    matchLabels:
      app: hpa-rollout
  template:
    metadata:
      labels:
        app: hpa-rollout
    spec:
      containers:
      - name: nginx
        image: argoproj/rollouts-demo:blue
        ports:
        - containerPort: 80
        resources:
          requests:
            memory: 32Mi
            cpu: 5m
  strategy:
    canary:
      steps:
      - setWeight: 20
      - pause: {duration: 1}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: hpa-rollout
spec:
  maxReplicas: 6
  minReplicas: 2
  scaleTargetRef:
    apiVersion: argoproj.io/v1alpha1
    kind: Rollout
    name: hpa-rollout
  metrics:
  - type: Resource
    resource:
      name: cpu
      target:
        type: Utilization
        averageUtilization: 16
"""

BLUE_GREEN = """# This example demonstrates a Rollout using the blue-green update strategy.
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: rollout-bluegreen
spec:
  replicas: 2
  revisionHistoryLimit: 2
  selector:
    matchLabels:
      app: rollout-bluegreen
  template:
    metadata:
      labels:
        app: rollout-bluegreen
    spec:
      containers:
      - name: rollouts-demo
        image: argoproj/rollouts-demo:blue
        imagePullPolicy: Always
        ports:
        - name: http
          containerPort: 8080
          protocol: TCP
  strategy:
    blueGreen:
      activeService: rollout-bluegreen-active
      previewService: rollout-bluegreen-preview
      autoPromotionEnabled: false
---
""" + SERVICE.format("rollout-bluegreen-active", "rollout-bluegreen") + SERVICE.format("rollout-bluegreen-preview",
                                                                                    "rollout-bluegreen")

ISTIO_SUBSETS = """apiVersion: networking.istio.io/v1alpha3
kind: DestinationRule
metadata:
  name: istio-subset-split
spec:
  host: istio-subset-split
  subsets:
  - name: stable
    labels:
      app: istio-subset-split
  - name: canary
    labels:
      app: istio-subset-split
---
apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata:
  name: istio-subset-split
spec:
  hosts:
  - istio-subset-split
  http:
  - route:
    - destination:
        host: istio-subset-split
        subset: stable
      weight: 100
    - destination:
        host: istio-subset-split
        subset: canary
      weight: 0
---
""" + SERVICE.format("istio-subset-split", "istio-subset-split") + """apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: istio-subset-split
spec:
  replicas: 1
  strategy:
    canary:
      trafficRouting:
        istio:
          virtualService:
            name: istio-subset-split
          destinationRule:
            name: istio-subset-split
            canarySubsetName: canary
            stableSubsetName: stable
      steps:
      - setWeight: 50
      - pause: {duration: 1s}
  selector:
    matchLabels:
      app: istio-subset-split
  template:
    metadata:
      labels:
        app: istio-subset-split
    spec:
      containers:
      - name: istio-subset-split
        image: argoproj/rollouts-demo:blue
        ports:
        - name: http
          containerPort: 80
          protocol: TCP
        resources:
          requests:
            memory: 16Mi
            cpu: 5m
"""

ISTIO_SEVERAL = """apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata:
  name: istio-host-multiple-split-vsvc
spec:
  hosts:
  - istio-host-multiple-split
  http:
  - name: primary
    route:
    - destination:
        host: istio-host-multiple-split-stable
      weight: 100
    - destination:
        host: istio-host-multiple-split-canary
      weight: 0
---
apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata:
  name: istio-host-multiple-split-vsvc-two
spec:
  hosts:
  - istio-host-multiple-split-two
  http:
  - route:
    - destination:
        host: istio-host-multiple-split-stable
      weight: 100
    - destination:
        host: istio-host-multiple-split-canary
      weight: 0
---
""" + SERVICE.format("istio-host-multiple-split-canary", "istio-host-multiple-split") + SERVICE.format(
    "istio-host-multiple-split-stable", "istio-host-multiple-split") + """apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: istio-host-multiple-split
spec:
  replicas: 1
  strategy:
    canary:
      canaryService: istio-host-multiple-split-canary
      stableService: istio-host-multiple-split-stable
      trafficRouting:
        istio:
          virtualServices:
          - name: istio-host-multiple-split-vsvc
            routes:
            - primary
          - name: istio-host-multiple-split-vsvc-two
      steps:
      - setWeight: 50
      - pause: {duration: 1s}
  selector:
    matchLabels:
      app: istio-host-multiple-split
  template:
    metadata:
      labels:
        app: istio-host-multiple-split
    spec:
      containers:
      - name: istio-host-multiple-split
        image: argoproj/rollouts-demo:blue
        ports:
        - name: http
          containerPort: 80
          protocol: TCP
"""


def istio(name, more, steps):
    """A Rollout over one VirtualService, with what `more` says of its strategy."""
    return f"""apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata:
  name: {name}-vsvc
spec:
  gateways:
  - istio-rollout-gateway
  hosts:
  - {name}.dev.example.com
  http:
  - name: primary
    route:
    - destination:
        host: {name}-stable
        port:
          number: 80
      weight: 100
    - destination:
        host: {name}-canary
        port:
          number: 80
      weight: 0
---
""" + SERVICE.format(name + "-canary", name) + SERVICE.format(name + "-stable", name) + f"""apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: {name}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      containers:
      - name: app
        image: argoproj/rollouts-demo:blue
        ports:
        - name: http
          containerPort: 8080
          protocol: TCP
  strategy:
    canary:
      canaryService: {name}-canary
      stableService: {name}-stable
{more}      trafficRouting:
        managedRoutes:
        - name: set-header
        - name: mirror-route
        istio:
          virtualService:
            name: {name}-vsvc
            routes:
            - primary
      steps:
{steps}"""


HEADER_ROUTE = istio("istio-header", "", """      - setWeight: 20
      - setHeaderRoute:
          name: set-header
          match:
          - headerName: Custom-Header1
            headerValue:
              exact: Mozilla
          - headerName: Custom-Header1
            headerValue:
              regex: Mozilla*
      - pause: {duration: 1s}
      - setHeaderRoute:
          name: set-header
""")

MIRROR_ROUTE = istio("istio-mirror", "", """      - setCanaryScale:
          weight: 25
      - setMirrorRoute:
          name: mirror-route
          percentage: 35
          match:
          - method:
              exact: GET
            path:
              prefix: /
      - pause:
          duration: 1s
      - setMirrorRoute:
          name: mirror-route # removes mirror based traffic route
""")

SCALE_DOWN_DELAY = istio("canary-scaledowndelay", "      scaleDownDelaySeconds: 2\n", """      - setWeight: 50
      - pause: {duration: 1s}
""")

EPHEMERAL_METADATA = istio("canary-metadata", """      canaryMetadata:
        annotations:
          role: canary
        labels:
          role: canary
      stableMetadata:
        labels:
          role: stable
""", """      - setWeight: 50
      - pause: {duration: 1s}
""")

ANTI_AFFINITY = istio("anti-affinity", """      antiAffinity:
        preferredDuringSchedulingIgnoredDuringExecution:
          weight: 1 # Between 1 - 100
""", """      - setWeight: 50
      - pause: {duration: 1s}
""")

DYNAMIC_SCALE = istio("dynamic-stable-scale", "      dynamicStableScale: true\n", """      - setWeight: 50
      - pause: {duration: 1s}
""")

EXPERIMENT_STEP = istio("experiment-weights", "", """      - setWeight: 20
      - experiment:
          duration: 2s
          templates:
          - name: baseline
            specRef: stable
            weight: 5
          - name: canary
            specRef: canary
            replicas: 1
            weight: 5
      - setWeight: 40
      - pause: {duration: 1s}
""")

EXPERIMENT_UNROUTED = """apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: rollout-experiment-step
spec:
  replicas: 2
  strategy:
    canary:
      steps:
      - experiment:
          templates:
          - name: baseline
            specRef: stable
            metadata:
              labels:
                app: rollout-experiment-step
          - name: canary
            specRef: canary
            replicas: 2
          duration: 1s
  selector:
    matchLabels:
      app: rollout-experiment-step
  template:
    metadata:
      labels:
        app: rollout-experiment-step
    spec:
      containers:
      - name: rollouts-demo
        image: argoproj/rollouts-demo:blue
        resources:
          requests:
            memory: 16Mi
            cpu: 1m
"""

WORKLOAD_REF = """apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    app.kubernetes.io/instance: rollout-canary
  name: rollout-ref-deployment
spec:
  replicas: 0
  selector:
    matchLabels:
      app: rollout-ref-deployment
  template:
    metadata:
      labels:
        app: rollout-ref-deployment
    spec:
      containers:
      - name: rollouts-demo
        image: argoproj/rollouts-demo:blue
        imagePullPolicy: Always
        ports:
        - containerPort: 8080
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: rollout-ref-deployment
spec:
  replicas: 2
  revisionHistoryLimit: 2
  selector:
    matchLabels:
      app: rollout-ref-deployment
  workloadRef:
    apiVersion: apps/v1
    kind: Deployment
    name: rollout-ref-deployment
  strategy:
    canary:
      steps:
      - setWeight: 20
      - pause: {duration: 1s}
"""

# name of the Rollout -> its manifests
MANIFESTS = {"rollout-canary": BASIC_CANARY, "rollout-rolling-update": ROLLING_UPDATE, "hpa-rollout": WITH_HPA,
             "rollout-bluegreen": BLUE_GREEN, "istio-subset-split": ISTIO_SUBSETS,
             "istio-host-multiple-split": ISTIO_SEVERAL, "istio-header": HEADER_ROUTE, "istio-mirror": MIRROR_ROUTE,
             "canary-scaledowndelay": SCALE_DOWN_DELAY, "canary-metadata": EPHEMERAL_METADATA,
             "anti-affinity": ANTI_AFFINITY, "dynamic-stable-scale": DYNAMIC_SCALE,
             "experiment-weights": EXPERIMENT_STEP, "rollout-experiment-step": EXPERIMENT_UNROUTED,
             "rollout-ref-deployment": WORKLOAD_REF}


def files(color):
    return {f"{name}.yaml": re.sub("rollouts-demo:[a-z]+", f"rollouts-demo:{color}", text)
            for name, text in MANIFESTS.items()}


def last(world, name):
    return (world.subjects(name, world.team) or [""])[-1]


def all_validate(serin):
    with World(serin) as world:
        world.push("Manifests", files("blue"))
        done = subprocess.run([serin, "validate", world.path("work")], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def all_run_to_their_end(serin):
    """A first deploy of each, then V2; those that wait for a person get a decision."""
    with World(serin) as world:
        world.push("Manifests", files("blue"))
        world.run_daemon("--namespace", world.team)
        for name in MANIFESTS:
            eventually(f"{name} is up", lambda: last(world, name) == "promoted blue")
        world.push("Yellow", files("yellow"))
        eventually("the canary pauses", lambda: last(world, "rollout-canary") == "canary 20% (step 1/8)")
        eventually("the preview waits", lambda: last(world, "rollout-bluegreen") == "previewing yellow")
        eventually("the experiment has its share", lambda: "experimenting at 20% (step 1/4)" in
                   world.subjects("experiment-weights", world.team))
        for name in ("rollout-canary", "rollout-bluegreen"):
            canary = eventually("its revision", lambda: revision_of(world, name, "yellow"))
            world.decide("promote", canary, name=name, ns=world.team)
        for name in MANIFESTS:
            eventually(f"{name} is promoted", lambda: last(world, name) == "promoted yellow")
        eventually("nothing is left of experiments", lambda: not left_of_experiments(world), deadline=60)
        route = world.api(f"/apis/networking.istio.io/v1/namespaces/{world.team}/virtualservices/experiment-weights-vsvc")
        assert [d["weight"] for d in route["spec"]["http"][0]["route"]] == [100, 0], route
        assert "serin.dev/experiments" not in route["metadata"].get("annotations", {}), route


def superseded_in_the_middle(serin):
    """V1 -> V2 -> V3 in the middle, and an abort of V3, for one of each kind: all of it goes back to V1."""
    names = ("rollout-canary", "rollout-bluegreen", "istio-subset-split", "experiment-weights")

    def chosen(color):
        return {f"{name}.yaml": re.sub("duration: [12]s", "duration: 10m", files(color)[f"{name}.yaml"])
                for name in names}

    with World(serin) as world:
        world.push("Blue", chosen("blue"))
        world.run_daemon("--namespace", world.team)
        for name in names:
            eventually(f"{name} is up", lambda: last(world, name) == "promoted blue")
        for color in ("yellow", "green"):
            world.push(color, chosen(color))
            for name in names:
                eventually(f"{name} is under way with {color}",
                           lambda: any(f"deploying {color}" in s for s in world.subjects(name, world.team)))
            eventually("it is in the experiment", lambda: last(world, "experiment-weights").startswith("experimenting"))
        for name in names:
            canary = eventually("its revision", lambda: revision_of(world, name, "green"))
            world.decide("abort", canary, name=name, ns=world.team)
        for name in names:
            eventually(f"{name} is back", lambda: last(world, name).startswith("rolled back to blue"))
        eventually("nothing is left of experiments", lambda: not left_of_experiments(world))
        route = world.api(f"/apis/networking.istio.io/v1/namespaces/{world.team}/virtualservices/experiment-weights-vsvc")
        assert [d["weight"] for d in route["spec"]["http"][0]["route"]] == [100, 0], route


def revision_of(world, name, color):
    for item in world.api(f"/apis/apps/v1/namespaces/{world.team}/replicasets")["items"]:
        labels = item["metadata"]["labels"]
        image = item["spec"]["template"]["spec"]["containers"][0]["image"]
        if labels.get("serin.dev/rollout") == name and "serin.dev/experiment" not in labels and image.endswith(color):
            return labels["rollouts-pod-template-hash"]
    return None


def left_of_experiments(world):
    out = []
    for path in (f"/apis/apps/v1/namespaces/{world.team}/replicasets", f"/api/v1/namespaces/{world.team}/services"):
        out += [item["metadata"]["name"] for item in world.api(path)["items"]
                if "serin.dev/experiment" in item["metadata"].get("labels", {})]
    return out


def no_write_more_than_wanted_states(serin):
    """Each VirtualService is written once per state that it was wanted to have, and a settled one never."""
    with World(serin) as world:
        text = files("blue")["experiment-weights.yaml"]
        world.push("Blue", {"a.yaml": text})
        world.run_daemon("--namespace", world.team)
        eventually("it is up", lambda: last(world, "experiment-weights") == "promoted blue")
        before = len(route_writes(world))
        world.push("Yellow", {"a.yaml": text.replace("demo:blue", "demo:yellow")})
        eventually("it is promoted", lambda: last(world, "experiment-weights") == "promoted yellow")
        eventually("nothing is left of experiments", lambda: not left_of_experiments(world), deadline=60)
        # 20; 20 and the experiment; 20; 40; 100; 0
        writes = route_writes(world)[before:]
        assert len(writes) == 6, writes


def what_is_named_no_more_is_given_back(serin):
    """The stable Service gets another name, then the Rollout goes: neither Service nor DestinationRule keeps a hash."""
    with World(serin) as world:
        text, subsets = files("blue")["istio-header.yaml"], files("blue")["istio-subset-split.yaml"]
        world.push("Blue", {"a.yaml": text, "b.yaml": subsets, "other.yaml": SERVICE.format("other", "other")})
        world.run_daemon("--namespace", world.team)
        for name in ("istio-header", "istio-subset-split"):
            eventually(f"{name} is up", lambda: last(world, name) == "promoted blue")
        assert world.service_hash("istio-header-stable", world.team)
        world.push("Rename", {"a.yaml": SERVICE.format("istio-header-stable", "istio-header") +
                              text.replace("istio-header-stable", "istio-header-main")})
        eventually("the new name has the hash", lambda: world.service_hash("istio-header-main", world.team))
        eventually("the old one has none", lambda: not world.service_hash("istio-header-stable", world.team))
        rule = f"/apis/networking.istio.io/v1/namespaces/{world.team}/destinationrules/istio-subset-split"
        assert hashes_in(world.api(rule)), world.api(rule)
        world.push("Only the Rollout goes", {"b.yaml": subsets[:subsets.index("apiVersion: argoproj.io")]})
        world.push("Let it\n\nSerin-Prune: allow")
        eventually("the rule is as Git has it", lambda: not hashes_in(world.api(rule)))
        assert "argo-rollouts.argoproj.io/managed-by-rollouts" not in world.api(rule)["metadata"].get("annotations", {})


def a_rule_outside_git_is_given_back(serin):
    """The only Rollout that uses a DestinationRule goes while nobody looks, and Git never named the rule."""
    with World(serin) as world:
        rule, rest = files("blue")["istio-subset-split.yaml"].split("---\n", 1)
        rules = f"/apis/networking.istio.io/v1/namespaces/{world.team}/destinationrules"
        subsets = [{"name": name, "labels": {"app": "istio-subset-split"}} for name in ("stable", "canary")]
        world.push("Blue", {"b.yaml": rest, "other.yaml": SERVICE.format("other", "other")})
        world.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.team}})
        world.post(rules, {"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
                           "metadata": {"name": "istio-subset-split"},
                           "spec": {"host": "istio-subset-split", "subsets": subsets}})
        world.run_daemon("--namespace", world.team)
        eventually("it is up", lambda: last(world, "istio-subset-split") == "promoted blue")
        assert hashes_in(world.api(rules + "/istio-subset-split"))
        world.kill_daemon()
        world.push("Only the Rollout goes", {"b.yaml": rest[:rest.index("apiVersion: argoproj.io")]})
        world.push("Let it\n\nSerin-Prune: allow")
        world.run_daemon("--namespace", world.team)
        eventually("the rule is as it was", lambda: not hashes_in(world.api(rules + "/istio-subset-split")))
        live = world.api(rules + "/istio-subset-split")
        assert live["spec"]["subsets"] == subsets, live
        assert "argo-rollouts.argoproj.io/managed-by-rollouts" not in live["metadata"].get("annotations", {}), live


def hashes_in(rule):
    return [s["labels"]["rollouts-pod-template-hash"] for s in rule["spec"]["subsets"]
            if "rollouts-pod-template-hash" in s.get("labels", {})]


def route_writes(world):
    return [line for line in world.writes() if "/virtualservices" in line]


TESTS = {"all_validate": all_validate, "all_run_to_their_end": all_run_to_their_end,
         "superseded_in_the_middle": superseded_in_the_middle,
         "what_is_named_no_more_is_given_back": what_is_named_no_more_is_given_back,
         "a_rule_outside_git_is_given_back": a_rule_outside_git_is_given_back,
         "no_write_more_than_wanted_states": no_write_more_than_wanted_states}

if __name__ == "__main__":
    harness.main(TESTS)
