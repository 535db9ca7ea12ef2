"""The program as its users meet it: a bare repository pushed to with git, `serin cluster`, `serin run`.

Everything lives in one temporary folder and ends with the test. Waiting is always for a condition, with a deadline.
"""
import itertools
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

DEADLINE = float(os.environ.get("SERIN_TEST_DEADLINE", "90"))
GIT = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="Ann",
           GIT_AUTHOR_EMAIL="ann@example.com", GIT_COMMITTER_NAME="Ann", GIT_COMMITTER_EMAIL="ann@example.com")

SERVICES = """apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {ns}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80, targetPort: 8080, protocol: TCP}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}-canary, namespace: {ns}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80, targetPort: 8080, protocol: TCP}}]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: {ns}}}
spec:
  hosts: [{name}]
  http:
    - name: primary
      timeout: 5s
      route:
        - {{destination: {{host: {name}}}, weight: 100}}
        - {{destination: {{host: {name}-canary}}, weight: 0}}
"""

ROLLOUT = """apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: {name}, namespace: {ns}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - {{name: {name}, image: "registry.example.com/{name}:{tag}"}}
  strategy:
    canary:
      stableService: {name}
      canaryService: {name}-canary
      scaleDownDelaySeconds: 2
      abortScaleDownDelaySeconds: 2
      trafficRouting: {{istio: {{virtualService: {{name: {name}, routes: [primary]}}}}}}
      steps: {steps}
"""


def eventually(what, condition, deadline=None, every=0.02):
    """The first true value of `condition`; fails the test when none comes in time."""
    end = time.monotonic() + (deadline or DEADLINE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what}")
        time.sleep(every)


def audited(audit_log):
    """What Serin asked of a real API server, in the form of the embedded cluster's request log."""
    methods = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE", "deletecollection": "DELETE"}
    out = []
    for event in (json.loads(line) for line in open(audit_log) if line.endswith("}\n")):
        stage = "ResponseStarted" if event["verb"] == "watch" else "ResponseComplete"
        if event["stage"] == stage and event.get("userAgent", "").startswith("serin/"):
            out.append("\t".join([event["requestReceivedTimestamp"], methods.get(event["verb"], "GET"),
                                  event["requestURI"], str(event["responseStatus"]["code"]), event["userAgent"]]))
    return out


class World:
    """One repository, one cluster, at most one daemon."""

    worlds = itertools.count(1)

    def __init__(self, serin, ready_after="100ms", interval="1s"):
        self.team = f"team-{next(World.worlds)}"  # a namespace of its own, where a real cluster is shared
        self.serin, self.interval = serin, interval
        self.folder = tempfile.mkdtemp(prefix="serin-e2e-")
        self.processes, self.servers = [], []
        self.daemon = None
        self.bare = self.path("repo.git")
        self.repo = self.bare  # what the daemon is told
        self.git("init", "-q", "--bare", "-b", "main", self.bare, cwd=self.folder)
        self.git("clone", "-q", self.bare, self.path("work"), cwd=self.folder, check=False)
        self.git("checkout", "-q", "-B", "main")
        self.kubeconfig = self.path("kubeconfig")
        self.start_cluster(ready_after)

    def start_cluster(self, ready_after):
        if os.environ.get("SERIN_TEST_KUBECONFIG"):  # one that runs already, see tests/kubernetes/with-cluster.sh
            self.kubeconfig, self.url = os.environ["SERIN_TEST_KUBECONFIG"], os.environ["KUBE_URL"]
            self.know_istio()
            self.forget_earlier_worlds()
            return
        self.cluster = self.start("cluster", "--listen", "127.0.0.1:0", "--write-kubeconfig", self.kubeconfig,
                                  "--ready-after", ready_after, "--log-requests", self.path("requests.log"),
                                  stdout=subprocess.PIPE)
        line = self.cluster.stdout.readline().decode()
        assert line.startswith("listening on http://127.0.0.1:"), line
        self.url = line.split()[-1]

    def know_istio(self):
        """A real control plane knows Istio's kinds only when it was told."""
        definitions, group = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "networking.istio.io"
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        for kind in ("VirtualService", "DestinationRule"):
            names = {"kind": kind, "plural": kind.lower() + "s", "singular": kind.lower()}
            if not self.api(f"{definitions}/{names['plural']}.{group}"):
                versions = [{"name": version, "served": True, "storage": version == "v1", "schema": schema}
                            for version in ("v1", "v1beta1", "v1alpha3")]
                self.post(definitions, {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                                        "metadata": {"name": f"{names['plural']}.{group}"},
                                        "spec": {"group": group, "scope": "Namespaced", "names": names,
                                                 "versions": versions}})
            eventually(f"{kind}s are known", lambda: self.api(f"/apis/{group}/v1/{names['plural']}"))

    def forget_earlier_worlds(self):
        """Another repository under the same owner would have to prune what the worlds before this one left."""
        leases, maps = "/apis/coordination.k8s.io/v1/namespaces/default/leases", "/api/v1/namespaces/default/configmaps"
        self.call("DELETE", f"{leases}/serin-serin")
        for item in self.api(maps)["items"]:
            if item["metadata"]["name"].startswith("serin-serin-"):
                self.call("DELETE", f"{maps}/{item['metadata']['name']}")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for server in self.servers:
            server.stdin.close()  # that ends it, and what it started
            server.wait()
        if kind:
            for log in sorted(name for name in os.listdir(self.folder) if name.endswith(".log")):
                print(f"--- {log} of {self.folder}", file=sys.stderr)
                sys.stderr.write(open(self.path(log)).read()[-8000:])
            print(self.git("log", "--reverse", "--format=%h %an: %s", "origin/main", check=False), file=sys.stderr)
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start(self, *arguments, **more):
        process = subprocess.Popen([self.serin, *arguments], cwd=self.folder, **more)
        self.processes.append(process)
        return process

    # ---- the person

    def git(self, *arguments, cwd=None, check=True):
        done = subprocess.run(["git", *arguments], cwd=cwd or self.path("work"), env=GIT, capture_output=True, text=True)
        if check and done.returncode:
            raise AssertionError(f"git {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def push(self, message, files=None):
        """Commits `files` (None removes one) on the newest tip and pushes, again when somebody was faster."""
        for name, text in (files or {}).items():
            path = self.path("work", name)
            if text is None:
                os.remove(path)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as out:
                out.write(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.push_head()

    def push_head(self):
        for _ in range(100):
            self.git("pull", "-q", "--rebase", "origin", "main", check=False)
            done = subprocess.run(["git", "push", "-q", "origin", "HEAD:main"], cwd=self.path("work"), env=GIT,
                                  capture_output=True)
            if done.returncode == 0:
                return self.git("rev-parse", "HEAD").strip()
        raise AssertionError("a person could not push in 100 tries")

    def revert(self, commit):
        self.git("pull", "-q", "--rebase", "origin", "main")
        self.git("revert", "--no-edit", commit)
        return self.push_head()

    def deploy(self, tag, name="till", ns="shop", steps="[{setWeight: 50}, {pause: {duration: 1s}}]", replicas=2,
               message=None):
        return self.push(message or f"Deploy {name} {tag}",
                         {f"{ns}/{name}/rollout.yaml": ROLLOUT.format(name=name, ns=ns, tag=tag, steps=steps,
                                                                      replicas=replicas),
                          f"{ns}/{name}/services.yaml": SERVICES.format(name=name, ns=ns)})

    def decide(self, verb, revision, step=None, name="till", ns="shop", reason="looks good"):
        where = "" if step is None else f", step: {step}"
        return self.push(f"Decide {verb}", {f"decisions/default/{ns}/{name}.yaml": f"""apiVersion: serin.dev/v1alpha1
kind: RolloutDecision
metadata: {{name: {name}, namespace: {ns}}}
spec: {{action: {verb}, revision: {revision}{where}, reason: {reason}}}
"""})

    # ---- the daemon

    def run_daemon(self, *more, repo=None, state="state", kubeconfig=None, env=None, name="daemon"):
        log = open(self.path(f"{name}.log"), "ab")
        if name != "daemon":
            state = f"state-{name}"
        self.daemon = self.start("run", "--repo", repo or self.repo, "--state-dir", self.path(state), "--interval",
                                 self.interval, "--kubeconfig",
                                 self.path(kubeconfig) if kubeconfig else self.kubeconfig, *more, stderr=log,
                                 env=dict(os.environ, **(env or {})))
        return self.daemon

    def serve_http(self):
        """nginx before `git http-backend`, from now on also for the daemon. Returns the address without a way in."""
        script = os.path.join(os.path.dirname(__file__), "..", "git", "nginx_server.py")
        nginx = subprocess.Popen([sys.executable, script, self.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.servers.append(nginx)
        base = "http://127.0.0.1:" + nginx.stdout.readline().decode().strip()
        self.repo = base + "/git/repo.git"
        return base

    def kill_daemon(self, number=signal.SIGKILL):
        self.daemon.send_signal(number)
        code = self.daemon.wait(25)
        return code

    def log_text(self, name="daemon"):
        return open(self.path(f"{name}.log")).read()

    def identity(self, name):
        return open(self.path(f"state-{name}", "identity")).read().strip()

    # ---- what can be seen

    def subjects(self, name="till", ns="shop"):
        """Subjects of the status commits on the remote, oldest first, without the rollout's name."""
        prefix = f"{ns}/{name}: "
        log = self.git("log", "--reverse", "--format=%s", "main", cwd=self.bare, check=False)
        return [line[len(prefix):] for line in log.splitlines() if line.startswith(prefix)]

    def wait_subject(self, subject, name="till", ns="shop", deadline=None):
        return eventually(f"a commit `{ns}/{name}: {subject}`",
                          lambda: self.subjects(name, ns)[-1:] == [subject], deadline)

    def call(self, method, path, body=None, content_type="application/json"):
        """The answer of the API server; nothing when it is 404."""
        headers, context = {"Content-Type": content_type}, None
        if os.environ.get("SERIN_TEST_KUBECONFIG"):
            headers["Authorization"] = "Bearer " + os.environ["KUBE_TOKEN"]
            context = ssl.create_default_context(cafile=os.environ["KUBE_CA"])
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10, context=context) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def api(self, path):
        return self.call("GET", path)

    def patch(self, path, patch, manager="somebody"):
        return self.call("PATCH", f"{path}?fieldManager={manager}", patch, "application/merge-patch+json")

    def post(self, path, body):
        return self.call("POST", path, body)

    def versions(self, ns="shop"):
        """What every write to the objects of a rollout would change."""
        kinds = {"ReplicaSet": "/apis/apps/v1/namespaces/%s/replicasets", "Service": "/api/v1/namespaces/%s/services",
                 "VirtualService": "/apis/networking.istio.io/v1/namespaces/%s/virtualservices"}
        return {(kind, item["metadata"]["name"]): (item["metadata"]["generation"] if kind == "ReplicaSet" else
                                                   item["metadata"]["resourceVersion"])
                for kind, path in kinds.items() for item in self.api(path % ns)["items"]}

    def weights(self, name="till", ns="shop"):
        vs = self.api(f"/apis/networking.istio.io/v1/namespaces/{ns}/virtualservices/{name}")
        return [d.get("weight", 0) for d in vs["spec"]["http"][0]["route"]] if vs else None

    def service_hash(self, service, ns="shop"):
        found = self.api(f"/api/v1/namespaces/{ns}/services/{service}")
        return found["spec"]["selector"].get("rollouts-pod-template-hash") if found else None

    def replica_sets(self, ns="shop"):
        """Image tag to spec.replicas."""
        items = self.api(f"/apis/apps/v1/namespaces/{ns}/replicasets")["items"]
        return {i["spec"]["template"]["spec"]["containers"][0]["image"].split(":")[-1]: i["spec"]["replicas"]
                for i in items}

    def revision_of(self, tag, ns="shop"):
        for item in self.api(f"/apis/apps/v1/namespaces/{ns}/replicasets")["items"]:
            if item["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":" + tag):
                return item["metadata"]["labels"]["rollouts-pod-template-hash"]
        return None

    def requests(self):
        """What was asked of the cluster, `TIME METHOD PATH STATUS USER-AGENT` each; of a real one what Serin asked."""
        if os.environ.get("SERIN_TEST_KUBECONFIG"):
            return audited(os.environ["AUDIT_LOG"])
        return open(self.path("requests.log")).read().splitlines()

    def writes(self):
        """The requests that changed something; a lease is renewed all the time."""
        return [line for line in self.requests() if line.split()[1] in ("POST", "PUT", "PATCH", "DELETE")
                and "dryRun=All" not in line and "/leases" not in line]


def main(tests):
    """Runs the named test, or all of them, and says what went wrong."""
    serin = os.path.abspath(sys.argv[1])
    chosen = sys.argv[2:] or list(tests)
    for name in chosen:
        print(f"{name} ...", flush=True)
        tests[name](serin)
    print("ok")
