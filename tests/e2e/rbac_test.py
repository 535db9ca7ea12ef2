#!/usr/bin/env python3
"""The rights that manifests-schema/kubernetes gives are enough, and what is missing is said. Real cluster only.

    with-cluster.sh rbac_test.py SERIN [TEST...]
"""
import os
import re
import subprocess

import harness
from harness import World, eventually

MANIFESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "manifests-schema", "kubernetes")
SETTINGS = """apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {greeting: hello}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker, namespace: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec: {containers: [{name: worker, image: "registry.example.com/worker:v1"}]}
"""
SECRET = """apiVersion: v1
kind: Secret
metadata: {name: password, namespace: shop}
stringData: {password: %s}
"""
SECRETS_TOO = """apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: serin-apply-secrets, labels: {serin.dev/apply: "true"}}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get, list, watch, create, patch, delete]}]
"""
KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{name: k, cluster: {server: "%s", certificate-authority: %s}}]
users: [{name: u, user: {token: %s}}]
contexts: [{name: k, context: {cluster: k, user: u, namespace: serin}}]
current-context: k
"""


def kubectl(*arguments, text=None):
    done = subprocess.run(["kubectl", "--kubeconfig", os.environ["SERIN_TEST_KUBECONFIG"], *arguments], input=text,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done


def manifest(name):
    return open(os.path.join(MANIFESTS, name)).read()


class RestrictedWorld(World):
    """The daemon is the user `gitops` of the test's control plane, with the rights of a Serin outside the cluster."""

    def __init__(self, serin):
        super().__init__(serin)
        kubectl("apply", "-f", "-", text=manifest("rbac.yaml"))
        outside, users = re.subn(r"kind: User, name: serin\b", "kind: User, name: gitops", manifest("outside.yaml"))
        assert users == 3, outside
        kubectl("apply", "-f", "-", text=outside)
        eventually("the roles are added up", lambda: self.api(
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/serin-apply")["rules"])
        self.kubeconfig = self.path("restricted")
        with open(self.kubeconfig, "w") as out:
            out.write(KUBECONFIG % (self.url, os.environ["KUBE_CA"], os.environ["KUBE_GITOPS_TOKEN"]))


def these_rights_are_enough(serin):
    with RestrictedWorld(serin) as world:
        world.push("Settings", {"shop/settings.yaml": SETTINGS})
        world.deploy("v1")
        world.run_daemon()
        world.wait_subject("promoted v1")
        world.deploy("v2")
        world.wait_subject("promoted v2")
        eventually("the old pods go", lambda: sorted(
            item["spec"]["replicas"] for item in world.api("/apis/apps/v1/namespaces/shop/replicasets")["items"]
            if item["metadata"]["name"].startswith("till-")) == [0, 2])
        assert world.api("/api/v1/namespaces/shop/configmaps/settings")["data"] == {"greeting": "hello"}
        assert world.api("/apis/apps/v1/namespaces/shop/deployments/worker")
        lease = world.api("/apis/coordination.k8s.io/v1/namespaces/serin/leases/serin-serin")
        assert lease["spec"]["holderIdentity"] == open(world.path("state", "identity")).read().strip()
        assert "forbidden" not in world.log_text(), world.log_text()
        # Another daemon on this machine may have the usual port.
        warned = [line for line in world.log_text().splitlines() if " warning " in line and "no endpoints" not in line]
        assert not warned, warned


def a_missing_right_is_said_and_stops_nothing_else(serin):
    with RestrictedWorld(serin) as world:
        world.deploy("v1")
        world.run_daemon()
        world.wait_subject("promoted v1")
        world.push("Secret", {"shop/secret.yaml": SECRET % "hunter2"})
        eventually("the refusal is said", lambda: "cannot apply Secret shop/password" in world.log_text())
        world.deploy("v2")
        world.wait_subject("promoted v2")
        lines = [line for line in world.log_text().splitlines() if "Secret shop/password" in line]
        assert len(lines) == 1 and "file=shop/secret.yaml" in lines[0], lines
        assert "hunter2" not in world.log_text()
        # With the right in place the next change goes through.
        kubectl("apply", "-f", "-", text=SECRETS_TOO)
        eventually("the roles are added up", lambda: "secrets" in str(world.api(
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/serin-apply")["rules"]))
        world.push("Secret", {"shop/secret.yaml": SECRET % "hunter3"})
        eventually("the Secret is there", lambda: world.api("/api/v1/namespaces/shop/secrets/password"))


def the_pods_keep_the_restricted_standard(serin):
    with World(serin):
        kubectl("apply", "-f", "-", text=manifest("rbac.yaml"))
        done = kubectl("apply", "--dry-run=server", "-f", "-", text=manifest("in-cluster.yaml"))
        assert "Warning" not in done.stderr, done.stderr
        assert "statefulset.apps/serin created" in done.stdout, done.stdout


TESTS = {f.__name__: f for f in (these_rights_are_enough, a_missing_right_is_said_and_stops_nothing_else,
                                 the_pods_keep_the_restricted_standard)}

if __name__ == "__main__":
    harness.main(TESTS)
