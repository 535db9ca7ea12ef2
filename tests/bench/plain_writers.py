"""What an API server accepts from 8 plain kept-alive connections: the writes of a canary, made without looking.

Each of `count` stand-ins for a rollout gets, in order and over one connection, what Serin writes for a canary of 8 steps:
a ReplicaSet, the canary Service's selector, nine rewritten routes, the stable Service's selector, the routes back, and
the old ReplicaSet's deadline. The stand-ins lie in a namespace of their own.
"""
import os
import sys
import time

from connection import Connection, Server

CONNECTIONS = 8
NAMESPACE = "bench-plain"
JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
HASH = "rollouts-pod-template-hash"


def paths(name):
    core, apps = f"/api/v1/namespaces/{NAMESPACE}", f"/apis/apps/v1/namespaces/{NAMESPACE}"
    return {"service": f"{core}/services/{name}", "canary": f"{core}/services/{name}-canary",
            "sets": f"{apps}/replicasets", "old": f"{apps}/replicasets/{name}-old",
            "routes": f"/apis/networking.istio.io/v1/namespaces/{NAMESPACE}/virtualservices/{name}"}


def service(name, app):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"selector": {"app": app, HASH: "old"},
                     "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]}}


def routes(name):
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"hosts": [name], "http": [{"name": "primary", "timeout": "5s", "route": [
                {"destination": {"host": name}, "weight": 100},
                {"destination": {"host": f"{name}-canary"}, "weight": 0}]}]}}


def replica_set(name, revision):
    labels = {"app": name, HASH: revision}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": f"{name}-{revision}", "namespace": NAMESPACE, "labels": labels},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [
                         {"name": name, "image": f"registry.example.com/{name}:{revision}"}]}}}}


def prepare(connection, names):
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    if connection.call("GET", f"/api/v1/namespaces/{NAMESPACE}") is None:
        connection.call("POST", "/api/v1/namespaces", space)
    for name in names:
        at = paths(name)
        connection.call("POST", at["service"].rsplit("/", 1)[0], service(name, name))
        connection.call("POST", at["service"].rsplit("/", 1)[0], service(f"{name}-canary", name))
        connection.call("POST", at["routes"].rsplit("/", 1)[0], routes(name))
        connection.call("POST", at["sets"], replica_set(name, "old"))


def select(server, path):
    return server.message("PATCH", path, [{"op": "test", "path": f"/spec/selector/{HASH}", "value": "old"},
                                          {"op": "add", "path": f"/spec/selector/{HASH}", "value": "new"}], JSON_PATCH)


def shift(server, path, before, after):
    patch = []
    for i, (old, new) in enumerate([(100 - before, 100 - after), (before, after)]):
        place = f"/spec/http/0/route/{i}/weight"
        patch += [{"op": "test", "path": place, "value": old}, {"op": "replace", "path": place, "value": new}]
    return server.message("PATCH", path, patch, JSON_PATCH)


def canary(server, name):
    """The messages of one stand-in, in order."""
    at, weights = paths(name), [0, 10, 20, 30, 40, 50, 60, 70, 80, 100]
    deadline = {"metadata": {"annotations": {"scale-down-deadline": "2030-01-01T00:00:00Z"}}}
    return [server.message("POST", at["sets"], replica_set(name, "new")), select(server, at["canary"]),
            *(shift(server, at["routes"], a, b) for a, b in zip(weights, weights[1:])),
            select(server, at["service"]), shift(server, at["routes"], 100, 0),
            server.message("PATCH", at["old"], deadline, MERGE_PATCH)]


def write_all(server, messages):
    """In a process of its own; the exit code tells whether each write was accepted."""
    pid = os.fork()
    if pid:
        return pid
    connection = Connection(server)
    for message in messages:
        status, body = connection.exchange(message)
        if not 200 <= status <= 299:
            print(f"the plain writers: {status} {body[:300]}", file=sys.stderr)
            os._exit(1)
    os._exit(0)


def writes_per_second(kubeconfig, count):
    server = Server(kubeconfig)
    names = [f"plain-{n:05d}" for n in range(count)]
    connection = Connection(server)
    prepare(connection, names)
    parts = [[m for name in names[i::CONNECTIONS] for m in canary(server, name)] for i in range(CONNECTIONS)]
    began = time.monotonic()
    writers = [write_all(server, part) for part in parts]
    codes = [os.waitpid(pid, 0)[1] for pid in writers]
    took = time.monotonic() - began
    if any(codes):
        raise SystemExit("a plain writer was refused")
    connection.call("DELETE", f"/api/v1/namespaces/{NAMESPACE}")
    return sum(len(part) for part in parts) / took
