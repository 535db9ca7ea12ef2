#!/usr/bin/env python3
"""Rollouts over every router but Istio, as users of Argo Rollouts and its Gateway API plugin have them: each validates, runs to
its end, makes its header route and takes it away again.

On the embedded cluster, or a real one when with-cluster.sh has started it. `routers_test.py SERIN [TEST...]`
"""
import json
import subprocess

import harness
from harness import World, eventually

SERVICES = """apiVersion: v1
kind: Service
metadata: {name: NAME-stable}
spec: {ports: [{port: 80, targetPort: http, protocol: TCP, name: http}], selector: {app: NAME}}
---
apiVersion: v1
kind: Service
metadata: {name: NAME-canary}
spec: {ports: [{port: 80, targetPort: http, protocol: TCP, name: http}], selector: {app: NAME}}
---
"""

ROLLOUT = """apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: NAME}
spec:
  replicas: 2
  revisionHistoryLimit: 2
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
      - name: rollouts-demo
        image: argoproj/rollouts-demo:COLOR
        ports: [{name: http, containerPort: 8080, protocol: TCP}]
        resources: {requests: {memory: 16Mi, cpu: 5m}}
  strategy:
    canary:
      stableService: NAME-stable
      canaryService: NAME-canary
      scaleDownDelaySeconds: 1
"""

HEADER_STEPS = """      steps:
      - setCanaryScale: {replicas: 1}
      - setHeaderRoute:
          name: NAME-header
          match: [{headerName: X-Test, headerValue: {exact: test}}]
      - pause: {}
      - setHeaderRoute: {name: NAME-header}
      - setWeight: 50
      - pause: {duration: 1s}
"""

WEIGHT_STEPS = """      steps:
      - setWeight: 5
      - pause: {}
"""

HTTP_ROUTE = """apiVersion: gateway.networking.k8s.io/v1beta1
kind: HTTPRoute
metadata: {name: NAME-route}
spec:
  parentRefs: [{group: core, kind: Service, name: argo-rollouts-service, port: 80}]
  rules:
  - matches: [{path: {type: PathPrefix, value: /products}}]
    backendRefs:
    - {name: NAME-stable, group: core, kind: Service, port: 80}
    - {name: NAME-canary, group: core, kind: Service, port: 80}
  - matches: [{path: {type: PathPrefix, value: /orders}}]
    backendRefs:
    - {name: NAME-stable, kind: Service, port: 80, weight: 100}
    - {name: NAME-canary, kind: Service, port: 80, weight: 0}
---
"""

APISIX_ROUTE = """apiVersion: apisix.apache.org/v2
kind: ApisixRoute
metadata: {name: NAME-route}
spec:
  http:
  - name: rollouts-apisix
    match: {paths: [/*], methods: [GET, POST, PUT, DELETE, PATCH], hosts: [rollouts-demo.apisix.local]}
    backends:
    - {serviceName: NAME-stable, servicePort: 80, weight: 100}
    - {serviceName: NAME-canary, servicePort: 80, weight: 0}
---
"""

INGRESS = """apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: NAME-ingress, annotations: {kubernetes.io/ingress.class: alb}}
spec:
  rules:
  - http:
      paths: [{path: /*, pathType: ImplementationSpecific,
               backend: {service: {name: BACKEND, port: {name: use-annotation}}}}]
---
"""

TRAEFIK_SERVICE = """apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: NAME-weighted}
spec:
  weighted:
    services: [{name: NAME-stable, port: 80}, {name: NAME-canary, port: 80}]
---
"""

MAPPING = """apiVersion: getambassador.io/v2
kind: Mapping
metadata: {name: NAME-mapping}
spec: {prefix: /echo, rewrite: /echo, service: "NAME-stable:80"}
---
"""

GATEWAY_ROUTING = """      trafficRouting:
        managedRoutes: [{name: NAME-header}]
        plugins:
          argoproj-labs/gatewayAPI: {httpRoute: NAME-route, useHeaderRoutes: true}
"""

MIRROR_STEPS = """      steps:
      - setWeight: 0
      - setCanaryScale: {replicas: 1}
      - setMirrorRoute:
          name: NAME-header
          percentage: 50
          match: [{method: {exact: GET}, path: {prefix: /products}}]
      - pause: {}
      - setMirrorRoute: {name: NAME-header}
      - setWeight: 100
"""

EXPERIMENT_STEPS = """      steps:
      - experiment:
          duration: 1s
          templates:
          - {name: baseline, specRef: stable, service: {name: NAME-exp-baseline}, weight: 10,
             metadata: {labels: {app: NAME}}}
          - {name: canary, specRef: canary, service: {name: NAME-exp-canary}, weight: 15, metadata: {labels: {app: NAME}}}
      - setWeight: 30
      - pause: {}
"""

# Objects, routing, steps.
CASES = {
    "gateway": (HTTP_ROUTE, GATEWAY_ROUTING, HEADER_STEPS),
    "gateway-mirror": (HTTP_ROUTE, GATEWAY_ROUTING, MIRROR_STEPS),
    "gateway-experiment": (HTTP_ROUTE, GATEWAY_ROUTING, EXPERIMENT_STEPS),
    "apisix": (APISIX_ROUTE, """      trafficRouting:
        managedRoutes: [{name: NAME-header}]
        apisix: {route: {name: NAME-route, rules: [rollouts-apisix]}}
""", HEADER_STEPS),
    "alb": (INGRESS.replace("BACKEND", "action1"), """      trafficRouting:
        managedRoutes: [{name: NAME-header}]
        alb: {ingress: NAME-ingress, rootService: action1, servicePort: 80}
""", HEADER_STEPS),
    "nginx": (INGRESS.replace("BACKEND", "NAME-stable"), """      trafficRouting:
        maxTrafficWeight: 1000
        nginx: {stableIngress: NAME-ingress, additionalIngressAnnotations: {canary-by-header: X-Canary}}
""", WEIGHT_STEPS),
    "smi": ("", "      trafficRouting: {smi: {trafficSplitName: NAME-split}}\n", WEIGHT_STEPS),
    "traefik": (TRAEFIK_SERVICE, "      trafficRouting: {traefik: {weightedTraefikServiceName: NAME-weighted}}\n",
                WEIGHT_STEPS),
    "ambassador": (MAPPING, "      trafficRouting: {ambassador: {mappings: [NAME-mapping]}}\n", WEIGHT_STEPS),
}

KINDS = [("gateway.networking.k8s.io", "HTTPRoute", ("v1", "v1beta1")), ("apisix.apache.org", "ApisixRoute", ("v2",)),
         ("split.smi-spec.io", "TrafficSplit", ("v1alpha1",)), ("traefik.io", "TraefikService", ("v1alpha1",)),
         ("getambassador.io", "Mapping", ("v2",))]


def files(color):
    return {f"{name}.yaml": (SERVICES + objects + ROLLOUT + routing + steps).replace("NAME", name).replace("COLOR", color)
            for name, (objects, routing, steps) in CASES.items()}


def know_routers(world):
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    for group, kind, versions in KINDS:
        plural = kind.lower() + "s"
        served = [{"name": version, "served": True, "storage": version == versions[0], "schema": schema}
                  for version in versions]
        world.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "versions": served,
                     "names": {"kind": kind, "plural": plural, "singular": kind.lower()}}})
        eventually(f"{kind}s are known", lambda: world.api(f"/apis/{group}/{versions[0]}/{plural}"))


def last(world, name):
    return (world.subjects(name, world.team) or [""])[-1]


def route(world, group, version, plural, name):
    return world.api(f"/apis/{group}/{version}/namespaces/{world.team}/{plural}/{name}")


def http_route(world, name):
    return route(world, "gateway.networking.k8s.io", "v1", "httproutes", f"{name}-route")


def weights_of(rule):
    return [backend.get("weight", 1) for backend in rule["backendRefs"]]


def revision_of(world, name, color):
    for item in world.api(f"/apis/apps/v1/namespaces/{world.team}/replicasets")["items"]:
        labels = item["metadata"]["labels"]
        image = item["spec"]["template"]["spec"]["containers"][0]["image"]
        if labels.get("serin.dev/rollout") == name and "serin.dev/experiment" not in labels and image.endswith(color):
            return labels["rollouts-pod-template-hash"]
    return None


def all_validate(serin):
    with World(serin) as world:
        world.push("Manifests", files("blue"))
        done = subprocess.run([serin, "validate", world.path("work")], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def each_takes_a_canary_to_its_end(serin):
    with World(serin) as world:
        know_routers(world)
        world.push("Blue", files("blue"))
        world.run_daemon("--namespace", world.team)
        for name in CASES:
            eventually(f"{name} is up", lambda: last(world, name) == "promoted blue", deadline=60)
        world.push("Yellow", files("yellow"))
        paused_at = {HEADER_STEPS: "canary 0% (step 2/6)", MIRROR_STEPS: "canary 0% (step 3/6)",
                     EXPERIMENT_STEPS: "canary 30% (step 2/3)", WEIGHT_STEPS: "canary 5% (step 1/2)"}
        for name, (_, routing, steps) in CASES.items():
            subject = paused_at[steps]
            if "maxTrafficWeight" in routing:
                subject = "canary 5 of 1000 (step 1/2)"
            eventually(f"{name} says {subject}", lambda: last(world, name) == subject, deadline=60)
        eventually("the routes are written", lambda: not missing(world))
        for name in CASES:
            world.decide("promote", revision_of(world, name, "yellow"), name=name, ns=world.team)
        for name in CASES:
            eventually(f"{name} is promoted", lambda: last(world, name) == "promoted yellow", deadline=60)
        eventually("no route of a step is left", lambda: not left(world))
        assert [weights_of(rule) for rule in http_route(world, "gateway")["spec"]["rules"]] == [[100, 0], [100, 0]]
        experiment = http_route(world, "gateway-experiment")
        assert [weights_of(rule) for rule in experiment["spec"]["rules"]] == [[100, 0], [100, 0]], experiment
        settled = len(route_writes(world))
        eventually("the old pods are gone", lambda: pods_asked_for(world) == 2 * len(CASES))
        assert len(route_writes(world)) == settled, route_writes(world)[settled:]


def route_writes(world):
    return [line for line in world.writes() if "/replicasets/" not in line and "/events/" not in line]


def pods_asked_for(world):
    return sum(item["spec"]["replicas"] for item in world.api(f"/apis/apps/v1/namespaces/{world.team}/replicasets")["items"])


def missing(world):
    """What is not there while all canaries pause."""
    out = []
    rules = http_route(world, "gateway")["spec"]["rules"]
    if [rule.get("name") for rule in rules] != ["gateway-header", "gateway-header-1", None, None]:
        out.append(rules)
    elif [backend["name"] for backend in rules[0]["backendRefs"]] != ["gateway-canary"]:
        out.append(rules[0])
    mirror = http_route(world, "gateway-mirror")["spec"]["rules"][0]
    if mirror.get("filters", [{}])[-1].get("requestMirror", {}).get("backendRef", {}).get("name") != "gateway-mirror-canary":
        out.append(mirror)
    header = route(world, "apisix.apache.org", "v2", "apisixroutes", "apisix-header")
    if not header or [b["serviceName"] for b in header["spec"]["http"][0]["backends"]] != ["apisix-canary"]:
        out.append(header)
    elif header["metadata"]["labels"].get("serin.dev/owner") != "serin":
        out.append(header)
    alb = route(world, "networking.k8s.io", "v1", "ingresses", "alb-ingress")
    if "alb.ingress.kubernetes.io/conditions.alb-header" not in alb["metadata"]["annotations"]:
        out.append(alb)
    nginx = route(world, "networking.k8s.io", "v1", "ingresses", "nginx-nginx-ingress-canary")
    prefix = "nginx.ingress.kubernetes.io/canary"
    if [nginx["metadata"]["annotations"].get(prefix + end) for end in ("-weight", "-weight-total")] != ["5", "1000"]:
        out.append(nginx)
    split = route(world, "split.smi-spec.io", "v1alpha1", "trafficsplits", "smi-split")
    if [backend["weight"] for backend in split["spec"]["backends"]] != [5, 95]:
        out.append(split)
    return out


def left(world):
    out = [name for name in ("gateway", "gateway-mirror") if len(http_route(world, name)["spec"]["rules"]) != 2]
    if route(world, "apisix.apache.org", "v2", "apisixroutes", "apisix-header"):
        out.append("apisix")
    if "alb-header" in json.dumps(route(world, "networking.k8s.io", "v1", "ingresses", "alb-ingress")):
        out.append("alb")
    return out


TESTS = {"all_validate": all_validate, "each_takes_a_canary_to_its_end": each_takes_a_canary_to_its_end}

if __name__ == "__main__":
    harness.main(TESTS)
