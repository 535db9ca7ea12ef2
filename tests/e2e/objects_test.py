#!/usr/bin/env python3
"""All other objects, from outside: applied, followed, corrected, judged. `objects_test.py SERIN [TEST...]`

Runs against the embedded cluster, or, with tests/kubernetes/with-cluster.sh around it, against a real control plane.
"""
import base64
import json
import os
import subprocess
import time

import harness
from harness import World, eventually

POD = {"containers": [{"name": "app", "image": "registry.example.com/app:v1"}]}


def unique(prefix):
    return f"{prefix}-{os.getpid()}-{int(time.time() * 1000) % 100000}"


def workload(kind, ns, name="app", **spec):
    labels = {"app": f"{name}-{kind.lower()}"}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": ns},
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": POD},
                     **spec}}


def plain(api, kind, ns, name="app", **rest):
    metadata = {"name": name, "namespace": ns} if ns else {"name": name}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def definition(group, kind="Widget"):
    plural = kind.lower() + "s"
    return plain("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, f"{plural}.{group}", spec={
        "group": group, "scope": "Namespaced",
        "names": {"kind": kind, "listKind": kind + "List", "plural": plural, "singular": kind.lower()},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
            "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]})


def every_kind(ns):
    """(manifest, plural, an edit as somebody makes it, the pointer to look at)"""
    group = f"{ns}.serin.test"
    subject = [{"kind": "ServiceAccount", "name": "app", "namespace": ns}]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "app"}
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    other_rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "delete"]}]
    rbac = "rbac.authorization.k8s.io/v1"
    theirs = {"metadata": {"labels": {"team": "theirs"}}}
    team = "/metadata/labels/team"

    def labelled(manifest):
        manifest["metadata"]["labels"] = {"team": "ours"}
        return manifest

    return [
        (definition(group), "customresourcedefinitions", {"spec": {"names": {"shortNames": ["wdg"]}}},
         "/metadata/labels/serin.dev~1owner"),
        (labelled(plain("v1", "Namespace", None, ns)), "namespaces", theirs, team),
        (plain(rbac, "ClusterRole", None, ns, rules=rules), "clusterroles", {"rules": other_rules}, "/rules"),
        (plain(rbac, "ClusterRoleBinding", None, ns, subjects=subject, roleRef={**role, "kind": "ClusterRole", "name": ns}),
         "clusterrolebindings", {"subjects": [{**subject[0], "name": "theirs"}]}, "/subjects"),
        (plain("scheduling.k8s.io/v1", "PriorityClass", None, ns, value=1, description="ours"), "priorityclasses",
         {"description": "theirs"}, "/description"),
        (labelled(plain("storage.k8s.io/v1", "StorageClass", None, ns, provisioner="example.com/none")), "storageclasses",
         theirs, team),
        (labelled(plain("networking.k8s.io/v1", "IngressClass", None, ns, spec={"controller": "example.com/none"})),
         "ingressclasses", theirs, team),
        (plain("v1", "ConfigMap", ns, data={"key": "ours"}), "configmaps", {"data": {"key": "theirs"}}, "/data/key"),
        (plain("v1", "Secret", ns, stringData={"key": "ours"}), "secrets",
         {"data": {"key": base64.b64encode(b"theirs").decode()}}, "/data/key"),
        (plain("v1", "ServiceAccount", ns, automountServiceAccountToken=False), "serviceaccounts",
         {"automountServiceAccountToken": True}, "/automountServiceAccountToken"),
        (plain("v1", "LimitRange", ns, spec={"limits": [{"type": "Container", "default": {"cpu": "100m"}}]}),
         "limitranges", {"spec": {"limits": []}}, "/spec/limits/0/type"),
        (plain("v1", "ResourceQuota", ns, spec={"hard": {"secrets": "50"}}), "resourcequotas",
         {"spec": {"hard": {"secrets": "51"}}}, "/spec/hard/secrets"),
        (labelled(plain("v1", "PersistentVolumeClaim", ns, spec={
            "accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}})),
         "persistentvolumeclaims", theirs, team),
        (plain("v1", "Service", ns, spec={"selector": {"app": "app"}, "ports": [{"port": 80, "protocol": "TCP"}]}),
         "services", {"spec": {"selector": {"app": "theirs"}}}, "/spec/selector/app"),
        (plain(rbac, "Role", ns, rules=rules), "roles", {"rules": other_rules}, "/rules"),
        (plain(rbac, "RoleBinding", ns, subjects=subject, roleRef=role), "rolebindings", {"subjects": [{**subject[0], "name": "theirs"}]}, "/subjects"),
        (workload("Deployment", ns, replicas=1), "deployments", {"spec": {"replicas": 2}}, "/spec/replicas"),
        (workload("StatefulSet", ns, replicas=0, serviceName="app"), "statefulsets", {"spec": {"replicas": 1}},
         "/spec/replicas"),
        (workload("DaemonSet", ns, minReadySeconds=1), "daemonsets", {"spec": {"minReadySeconds": 2}},
         "/spec/minReadySeconds"),
        (plain("batch/v1", "Job", ns, spec={"suspend": True, "parallelism": 1, "template": {
            "spec": {**POD, "restartPolicy": "Never"}}}), "jobs", {"spec": {"parallelism": 2}}, "/spec/parallelism"),
        (plain("batch/v1", "CronJob", ns, spec={"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {
            "spec": {**POD, "restartPolicy": "Never"}}}}}), "cronjobs", {"spec": {"schedule": "0 1 1 1 *"}},
         "/spec/schedule"),
        (plain("policy/v1", "PodDisruptionBudget", ns, spec={"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}),
         "poddisruptionbudgets", {"spec": {"minAvailable": 2}}, "/spec/minAvailable"),
        (plain("networking.k8s.io/v1", "NetworkPolicy", ns, spec={"podSelector": {}, "policyTypes": ["Ingress"]}),
         "networkpolicies", {"spec": {"policyTypes": ["Ingress", "Egress"]}}, "/spec/policyTypes"),
        (plain("networking.k8s.io/v1", "Ingress", ns, spec={"ingressClassName": "ours", "defaultBackend": {
            "service": {"name": "app", "port": {"number": 80}}}}), "ingresses", {"spec": {"ingressClassName": "theirs"}},
         "/spec/ingressClassName"),
        (plain(f"{group}/v1", "Widget", ns, spec={"size": 1}), "widgets", {"spec": {"size": 2}}, "/spec/size"),
    ]


def path_of(manifest, plural):
    api, ns = manifest["apiVersion"], manifest["metadata"].get("namespace")
    where = "/api/v1" if api == "v1" else "/apis/" + api
    return where + (f"/namespaces/{ns}" if ns else "") + f"/{plural}/{manifest['metadata']['name']}"


def at(document, pointer):
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(step)] if isinstance(document, list) else document.get(step)
        except IndexError:
            return None
        if document is None:
            return None
    return document


def push(world, message, files):
    """Files of one manifest or several, as JSON."""
    return world.push(message, {name: None if content is None else "\n---\n".join(
        json.dumps(each) for each in (content if isinstance(content, list) else [content]))
        for name, content in files.items()})


def lines(world, text):
    return [line for line in world.log_text().splitlines() if text in line]


def drift_on_every_kind(serin):
    with World(serin) as world:
        ns = unique("drift")
        kinds = every_kind(ns)
        push(world, "Everything", {"all.yaml": [manifest for manifest, *_ in kinds]})
        world.run_daemon()
        for manifest, plural, _, pointer in kinds:
            eventually(f"{manifest['kind']} is there", lambda: at(world.api(path_of(manifest, plural)) or {}, pointer) is not None)
        assert "cannot apply" not in world.log_text(), lines(world, "cannot apply")
        uids = {plural: world.api(path_of(manifest, plural))["metadata"]["uid"] for manifest, plural, *_ in kinds}
        wanted = {plural: at(world.api(path_of(manifest, plural)), pointer) for manifest, plural, _, pointer in kinds}
        for manifest, plural, edit, pointer in kinds[1:]:
            world.patch(path_of(manifest, plural), edit, "kubectl-edit")
        for manifest, plural, edit, pointer in kinds[1:]:
            eventually(f"the drift of {manifest['kind']} is corrected",
                       lambda: at(world.api(path_of(manifest, plural)), pointer) == wanted[plural])
            line = eventually(f"the correction of {manifest['kind']} is told", lambda: [
                each for each in lines(world, "corrected ") if f"{manifest['kind']} " in each])[0]
            assert "kubectl-edit (Update, 20" in line, line
        eventually("nothing is corrected twice", lambda: len(lines(world, "corrected ")) == len(kinds) - 1, 5)
        # What is deleted comes back.
        for manifest, plural, *_ in kinds:
            if plural in ("configmaps", "services", "deployments", "roles", "widgets"):
                world.call("DELETE", path_of(manifest, plural))
                eventually(f"{manifest['kind']} is made anew", lambda: (world.api(path_of(manifest, plural)) or {}).get(
                    "metadata", {}).get("uid", uids[plural]) != uids[plural])
        # Then nothing moves, not even over a restart.
        time.sleep(3)
        versions = {plural: world.api(path_of(manifest, plural))["metadata"]["managedFields"] for manifest, plural, *_ in kinds}
        requests = [] if not hasattr(world, "cluster") else world.writes()
        world.kill_daemon()
        world.run_daemon()
        eventually("the daemon is back", lambda: world.log_text().count(" ready ") == 2)
        time.sleep(3)
        for manifest, plural, *_ in kinds:
            now = [e for e in world.api(path_of(manifest, plural))["metadata"]["managedFields"] if e["manager"] == "serin"]
            assert now == [e for e in versions[plural] if e["manager"] == "serin"], (manifest["kind"], now, versions[plural])
        if requests:
            assert world.writes() == requests, world.writes()[len(requests):]


def drift_is_reported(serin):
    with World(serin) as world:
        ns = unique("report")
        settings = plain("v1", "ConfigMap", ns, data={"key": "ours"})
        push(world, "Settings", {"a.yaml": settings})
        world.run_daemon("--drift", "report")
        path = path_of(settings, "configmaps")
        eventually("it is there", lambda: world.api(path))
        world.patch(path, {"data": {"key": "theirs"}}, "kubectl-edit")
        eventually("it is reported", lambda: "drift: kubectl-edit (Update" in world.log_text())
        assert "data.key" in lines(world, "drift: ")[0]
        time.sleep(1.5)
        assert world.api(path)["data"]["key"] == "theirs"
        settings["data"]["key"] = "new"
        push(world, "Another value", {"a.yaml": settings})
        eventually("a new manifest is applied", lambda: world.api(path)["data"]["key"] == "new")


def a_fight_is_not_fought(serin):
    with World(serin) as world:
        ns = unique("fight")
        settings = plain("v1", "ConfigMap", ns, data={"key": "ours"})
        push(world, "Settings", {"a.yaml": settings})
        world.run_daemon()
        path = path_of(settings, "configmaps")
        for _ in range(6):
            eventually("it is as Git asks for", lambda: (world.api(path) or {}).get("data", {}).get("key") == "ours")
            world.patch(path, {"data": {"key": "theirs"}}, "stubborn")
        line = eventually("the fight is told", lambda: lines(world, "DriftFight"))[0]
        assert "serin" in line and "stubborn (Update" in line, line
        time.sleep(1.5)
        assert world.api(path)["data"]["key"] == "theirs" and len(lines(world, "corrected ")) == 5
        settings["data"]["key"] = "new"
        push(world, "Another value", {"a.yaml": settings})
        eventually("a new manifest is applied", lambda: world.api(path)["data"]["key"] == "new")


def one_refused_object_stops_no_other(serin):
    with World(serin) as world:
        ns = unique("refused")
        web = workload("Deployment", ns, "web", replicas=0)
        push(world, "Web", {"web.yaml": web})
        world.run_daemon()
        path = path_of(web, "deployments")
        eventually("it is there", lambda: world.api(path))
        web["spec"]["selector"]["matchLabels"] = web["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
        settings = plain("v1", "ConfigMap", ns, data={"key": "1"})
        bad = plain("v1", "ConfigMap", ns, "bad", dta={"key": "1"})
        sealed = plain("v1", "Secret", ns, "sealed", data={"key": "ENC[AES256_GCM,data:x]"}, sops={"mac": "ENC[x]"})
        push(world, "A selector cannot change", {"web.yaml": web, "a.yaml": settings, "bad.yaml": bad, "s.yaml": sealed})
        eventually("the others are applied", lambda: world.api(path_of(settings, "configmaps")))
        eventually("the refusal is told with what to do", lambda: lines(world, "delete the live object"))
        eventually("the misfit is told", lambda: lines(world, "cannot apply ConfigMap"))
        eventually("the encrypted one is told", lambda: lines(world, "still encrypted"))
        assert "ENC[" not in world.log_text() and world.api(path_of(sealed, "secrets")) is None
        time.sleep(3)  # none of them is tried again and again
        assert len(lines(world, "cannot apply")) == 2, lines(world, "cannot apply")
        tries = [line for line in world.requests() if f"/{ns}/deployments/web" in line and "PATCH" in line]
        assert len(tries) <= 4, tries


def replaced_when_asked(serin):
    with World(serin) as world:
        ns = unique("replace")

        def marked(kind, **spec):
            out = workload(kind, ns, **spec)
            out["metadata"]["annotations"] = {"serin.dev/force": "enabled"}
            return out

        web, data = marked("Deployment", replicas=1), marked("StatefulSet", replicas=0, serviceName="app")
        push(world, "Workloads", {"web.yaml": web, "data.yaml": data})
        world.run_daemon()
        paths = [path_of(web, "deployments"), path_of(data, "statefulsets")]
        before = [eventually("it is there", lambda: world.api(path))["metadata"]["uid"] for path in paths]
        for each in (web, data):
            each["spec"]["selector"]["matchLabels"] = each["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
        web["spec"]["replicas"] = -1
        push(world, "What else is wrong must not cost the live one", {"web.yaml": web})
        told = eventually("it is told", lambda: lines(world, "could not be made anew"))
        assert "apps/Deployment" in told[0] and world.api(paths[0])["metadata"]["uid"] == before[0], told
        web["spec"]["replicas"] = 1
        push(world, "Selectors cannot change", {"web.yaml": web, "data.yaml": data})
        made = eventually("the Deployment is made anew", lambda: (live := world.api(paths[0])) and
                          live["metadata"]["uid"] != before[0] and live)
        assert made["spec"]["selector"]["matchLabels"] == {"app": "other"}, made["spec"]
        assert len(eventually("that is told", lambda: lines(world, "deleted and made anew"))) == 1
        eventually("the StatefulSet is refused", lambda: lines(world, "cannot apply apps/StatefulSet"))
        assert world.api(paths[1])["metadata"]["uid"] == before[1]


def marks(serin):
    with World(serin) as world:
        ns = unique("marks")

        def settings(name, value, **annotations):
            out = plain("v1", "ConfigMap", ns, name, data={"key": value, "more": value})
            out["metadata"]["annotations"] = {f"serin.dev/{mark}": text for mark, text in annotations.items()}
            return out

        def all_of(value):
            return {"a.yaml": [settings("plain", value), settings("disabled", value, reconcile="disabled"),
                               settings("once", value, apply="if-absent"), settings("shared", value, ignore="/data/key")]}

        def key(name, which="key"):
            return (world.api(f"/api/v1/namespaces/{ns}/configmaps/{name}") or {}).get("data", {}).get(which)

        push(world, "First", all_of("1"))
        world.run_daemon()
        eventually("the first are there", lambda: [key(n) for n in ("plain", "once", "shared")] == ["1"] * 3)
        world.patch(f"/api/v1/namespaces/{ns}/configmaps/shared", {"data": {"key": "theirs"}})
        world.patch(f"/api/v1/namespaces/{ns}/configmaps/once", {"data": {"key": "theirs"}})
        push(world, "Second", all_of("2"))
        eventually("the rest of the shared one is applied", lambda: key("shared", "more") == "2")
        eventually("the plain one is applied", lambda: key("plain") == "2")
        time.sleep(2)
        assert key("shared") == "theirs" and key("once") == "theirs" and key("once", "more") == "1"
        assert key("disabled") is None
        assert not lines(world, "corrected "), lines(world, "corrected ")


def what_kubectl_applied_is_taken_over(serin):
    with World(serin) as world:
        ns = unique("takeover")
        settings = plain("v1", "ConfigMap", ns, data={"key": "1", "old": "x"})
        world.call("POST", "/api/v1/namespaces", plain("v1", "Namespace", None, ns))
        subprocess.run(["kubectl", "--kubeconfig", world.kubeconfig, "apply", "-f", "-"], input=json.dumps(settings),
                       text=True, check=True, capture_output=True)
        del settings["data"]["old"]
        push(world, "Take it over", {"a.yaml": settings})
        world.run_daemon()
        path = path_of(settings, "configmaps")
        eventually("it is ours", lambda: "serin.dev/owner" in world.api(path)["metadata"].get("labels", {}))
        live = world.api(path)
        assert live["data"] == {"key": "1"}, live
        assert "kubectl.kubernetes.io/last-applied-configuration" not in live["metadata"].get("annotations", {}), live
        assert {e["manager"] for e in live["metadata"]["managedFields"]} == {"serin"}, live


def autoscaled_replicas_are_left_alone(serin):
    with World(serin) as world:
        ns = unique("scaled")
        web = workload("Deployment", ns, "web", replicas=1)
        push(world, "Web", {"web.yaml": web, "hpa.yaml": plain("autoscaling/v2", "HorizontalPodAutoscaler", ns, "web", spec={
            "minReplicas": 1, "maxReplicas": 5, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]})})
        world.run_daemon()
        path = path_of(web, "deployments")
        eventually("it is there", lambda: world.api(path))
        world.patch(path, {"spec": {"replicas": 3}}, "hpa")
        web["spec"]["template"]["metadata"]["annotations"] = {"release": "2"}
        push(world, "Release 2", {"web.yaml": web})
        eventually("the release is applied",
                   lambda: at(world.api(path), "/spec/template/metadata/annotations/release") == "2")
        time.sleep(1.5)
        assert world.api(path)["spec"]["replicas"] == 3 and not lines(world, "corrected ")


def once_waits_for_health(serin):
    with World(serin) as world:
        ns = unique("once")
        common = ["run", "--once", "--repo", world.bare, "--state-dir", world.path("state"), "--kubeconfig", world.kubeconfig]
        push(world, "Web", {"web.yaml": workload("Deployment", ns, "web", replicas=2)})
        assert world.start(*common).wait(60) == 0
        web = world.api(f"/apis/apps/v1/namespaces/{ns}/deployments/web")
        assert web["status"]["availableReplicas"] == 2, web["status"]
        bad = workload("Deployment", ns, "bad", replicas=1, progressDeadlineSeconds=2)
        bad["spec"]["template"]["spec"] = {"containers": [{"name": "app", "image": "registry.example.com/app:v2-broken"}]}
        bad["spec"]["template"]["metadata"]["annotations"] = {"fakekubelet/fail": "ImagePullBackOff"}
        push(world, "Bad", {"bad.yaml": bad})
        done = subprocess.run([serin, *common], capture_output=True, text=True, timeout=90)
        assert done.returncode == 1 and f"apps/Deployment {ns}/bad: Failed: ProgressDeadlineExceeded" in done.stderr, done


TESTS = {f.__name__: f for f in (drift_on_every_kind, drift_is_reported, a_fight_is_not_fought,
                                 one_refused_object_stops_no_other, replaced_when_asked, marks, what_kubectl_applied_is_taken_over,
                                 autoscaled_replicas_are_left_alone, once_waits_for_health)}

if __name__ == "__main__":
    harness.main(TESTS)
