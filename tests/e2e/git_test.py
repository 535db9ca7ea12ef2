#!/usr/bin/env python3
"""The daemon and the Git servers that people have, from outside. `git_test.py SERIN [TEST...]`"""
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import harness
from daemon_test import WALK, first_deploy
from harness import GIT, World, eventually

BUSY_PERSON = """
n=0
while [ ! -e stop ]; do
  git fetch -q "$1" main && id=$(git commit-tree -p FETCH_HEAD -m "person $((n + 1))" FETCH_HEAD^{tree}) &&
    git push -q "$1" $id:refs/heads/main 2>/dev/null && n=$((n + 1))
  sleep 0.5
done
echo $n > count
"""


class BusyPerson:
    """Pushes commits that change nothing, all the while."""

    def __init__(self, world):
        self.folder = world.path("busy")
        world.git("init", "-q", self.folder, cwd=world.folder)
        self.process = subprocess.Popen(["sh", "-c", BUSY_PERSON, "sh", world.repo], cwd=self.folder, env=GIT)
        world.processes.append(self.process)

    def stop(self):
        open(os.path.join(self.folder, "stop"), "w").close()
        assert self.process.wait(60) == 0
        return int(open(os.path.join(self.folder, "count")).read())


def secret_file(world, name, text):
    path = world.path(name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    return path


def canary_and_revert_over_http(serin):
    with World(serin) as world:
        world.serve_http()
        first_deploy(world)
        person = BusyPerson(world)
        bad = world.deploy("v2")
        world.wait_subject("promoted v2")
        assert world.subjects()[-6:] == WALK, world.subjects()
        canary = world.deploy("v3", steps="[{setWeight: 50}, {pause: {}}]")
        eventually("weights 50/50", lambda: world.weights() == [50, 50])
        world.wait_subject("canary 50% (step 1/2)")
        world.revert(canary)
        world.wait_subject("rolled back to v2: Git asks for v2 again")
        world.revert(bad)
        world.wait_subject("promoted v1")
        pushed = person.stop()
        log = world.git("log", "--reverse", "--format=%s", "main", cwd=world.bare).splitlines()
        assert [s for s in log if s.startswith("person ")] == [f"person {i + 1}" for i in range(pushed)], log
        assert pushed > 5, pushed


def a_server_that_refuses(serin):
    """A protected branch: said once, rollouts go on, and everything is pushed in order when it opens."""
    with World(serin) as world:
        world.serve_http()
        first_deploy(world)
        hook = world.path("repo.git", "hooks", "pre-receive")
        with open(hook, "w") as out:
            out.write("#!/bin/sh\nread old new ref\n"
                      "git log --format=%cn $old..$new | grep -q Serin || exit 0\necho 'main is protected' >&2\nexit 1\n")
        os.chmod(hook, 0o755)
        before = world.subjects()
        world.deploy("v2")
        eventually("the rollout goes on", lambda: world.service_hash("till") == world.revision_of("v2") and
                   world.weights() == [100, 0])
        eventually("the refusal is said", lambda: "the push was refused" in world.log_text())
        world.push("Somebody else's work", {"README.md": "hello\n"})
        time.sleep(3)  # several polls, in which nothing new may be said
        assert world.log_text().count("the push was refused") == 1, world.log_text()
        assert "pre-receive hook declined" in world.log_text()
        assert world.subjects() == before, world.subjects()
        world.kill_daemon()
        os.remove(hook)
        world.run_daemon()
        world.wait_subject("promoted v2")
        assert world.subjects()[-6:] == WALK, world.subjects()


def hooks_are_faster_than_polls(serin):
    with World(serin, interval="1h") as world:
        identity, secret = "0b7e5f0a1c2d3e4f5a6b7c8d9e0f1a2b", "correct-horse-battery-staple"
        file = secret_file(world, "hooks", f"github {identity} {secret}\n")
        world.deploy("v1")
        world.run_daemon("--hooks-file", file, "--hooks-listen", "127.0.0.1:0", "--listen", "127.0.0.1:0")
        world.wait_subject("promoted v1")
        port = re.search(r"listening for hooks host=127.0.0.1 port=(\d+)", world.log_text())[1]

        def send(key):
            body = json.dumps({"ref": "refs/heads/main"}).encode()
            headers = {"X-GitHub-Event": "push", "X-GitHub-Delivery": str(time.time_ns()),
                       "X-Hub-Signature-256": "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}
            request = urllib.request.Request(f"http://127.0.0.1:{port}/hooks/github/{identity}", body, headers)
            try:
                return urllib.request.urlopen(request, timeout=10).status
            except urllib.error.HTTPError as error:
                return error.code

        world.deploy("v2")
        assert send("a-secret-that-is-wrong") == 403
        time.sleep(1)  # nobody may have looked by now
        assert world.subjects()[-1] == "promoted v1", world.subjects()
        assert send(secret) == 202
        world.wait_subject("promoted v2")
        assert secret not in world.log_text()


class Flood:
    """Slow, huge, half-sent and malformed requests, all the while and from one address."""

    def __init__(self, port, path):
        line = f"POST {path} HTTP/1.1\r\nHost: a\r\n".encode()
        self.requests = [
            b"\r\n\r\n", b"NONSENSE \xff\xfe\r\n\r\n", b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
            line + b"X: " + b"a" * 40_000 + b"\r\n\r\n", line + b"Content-Length: 99999999999999\r\n\r\n",
            line + b"Content-Length: -1\r\n\r\n", line + b"Content-Length: 3000000\r\n\r\n" + b"x" * 100_000,
            line + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
            line + b"Content-Length: 10\r\n\r\nabc", line + b"Content-Length: 2\r\n\r\n{}", line[:20]]
        self.port, self.over, self.sent = port, threading.Event(), 0
        self.held = []  # connections that say nothing more
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(4)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        while not self.over.is_set():
            try:
                connection = socket.create_connection(("127.0.0.1", self.port), timeout=1)
                connection.sendall(self.requests[(self.sent + number) % len(self.requests)])
                self.sent += 1
                if self.sent % 20 == 0 and len(self.held) < 40:
                    self.held.append(connection)
                else:
                    connection.close()
            except OSError:
                time.sleep(0.01)  # refused, or cut off: as it should be

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        for connection in self.held:
            connection.close()


def a_flood_of_hooks(serin):
    """The daemon goes on working, good hooks from elsewhere are heard, and what happened can be read in /metrics."""
    with World(serin, interval="1h") as world:
        world.serve_http()
        identity, secret = "0b7e5f0a1c2d3e4f5a6b7c8d9e0f1a2b", "correct-horse-battery-staple"
        file = secret_file(world, "hooks", f"github {identity} {secret}\n")
        world.deploy("v1")
        # AddressSanitizer keeps what was freed, up to 256 MiB of it; here it is to keep little.
        world.run_daemon("--hooks-file", file, "--hooks-listen", "127.0.0.1:0", "--listen", "127.0.0.1:0",
                         env={"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4"})
        world.wait_subject("promoted v1")
        eventually("it listens", lambda: "listening host" in world.log_text())
        hooks = int(re.search(r"listening for hooks host=127.0.0.1 port=(\d+)", world.log_text())[1])
        port = int(re.search(r"listening host=127.0.0.1 port=(\d+)", world.log_text())[1])

        def good_hook():
            """From another address, since each has its own bucket; again until there is room for a connection."""
            body = json.dumps({"ref": "refs/heads/main"}).encode()
            lines = [f"POST /hooks/github/{identity} HTTP/1.1", "Host: a", "X-GitHub-Event: push", "Connection: close",
                     f"X-GitHub-Delivery: {time.time_ns()}", f"Content-Length: {len(body)}",
                     "X-Hub-Signature-256: sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()]
            try:
                with socket.create_connection(("127.0.0.1", hooks), 5, ("127.0.0.2", 0)) as connection:
                    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
                    return connection.recv(100).startswith(b"HTTP/1.1 202")
            except OSError:
                return False

        def metrics():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                return answer.read().decode()

        def memory():
            return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{world.daemon.pid}/status").read())[1])

        before = memory()
        flood = Flood(hooks, f"/hooks/github/{identity}")
        try:
            eventually("a thousand bad requests", lambda: flood.sent > 1000)
            world.deploy("v2")
            eventually("a good hook is heard", good_hook, every=0.2)
            world.wait_subject("promoted v2")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=5) as answer:
                assert answer.status == 200
            eventually("thousands of bad requests", lambda: flood.sent > 3000)
            assert memory() - before < 32 << 10, f"{before} KiB before, {memory()} KiB now"
        finally:
            flood.stop()
        assert world.subjects()[-6:] == WALK, world.subjects()
        text = metrics()
        assert re.search(r'^serin_webhook_requests_total\{provider="github",result="accepted"\} [1-9]', text, re.M), text
        assert re.search(r'^serin_webhook_requests_total\{provider="github",result="throttled"\} [1-9]', text, re.M), text
        assert re.search(r'^serin_webhook_to_sync_seconds_count\{provider="github",result="success"\} [1-9]', text, re.M), text
        assert re.search(r'^serin_git_fetch_bytes_total\{repo="http://127.0.0.1:\d+/git/repo.git"\} [1-9]', text, re.M), text
        if shutil.which("promtool"):
            done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr


def credentials_of_the_service_manager(serin):
    """A token handed over by LoadCredential=; never seen on a command line, in a log, a commit or an error."""
    with World(serin) as world:
        base = world.serve_http()
        os.mkdir(world.path("credentials"), 0o700)
        secret_file(world, "credentials/git-token", "secret\n")
        secret_file(world, "credentials/push-token", "wrong\n")
        env = {"CREDENTIALS_DIRECTORY": world.path("credentials")}
        options = ["--git-token-file", "credential:git-token", "--git-user", "bot"]
        world.deploy("v1")
        world.run_daemon(*options, repo=base + "/basic/repo.git", env=env)
        world.wait_subject("promoted v1")
        world.kill_daemon()
        world.deploy("v2")
        world.run_daemon(*options, "--push-token-file", "credential:push-token", repo=base + "/basic/repo.git", env=env)
        eventually("the push is refused", lambda: "the push was refused" in world.log_text())
        assert "wrong" not in world.log_text() and "secret" not in world.log_text()
        without = subprocess.run([serin, "run", "--embedded-cluster", "--repo", base + "/basic/repo.git", *options],
                                 capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
        assert without.returncode == 2 and "LoadCredential=git-token" in without.stderr, without


def several_repositories_for_one_cluster(serin):
    """One process each, with an owner and a state directory of its own."""
    with World(serin) as world, World(serin) as other:
        world.deploy("v1")
        other.deploy("v1", name="cart", ns="market")
        world.run_daemon("--owner", "shop")
        world.run_daemon("--owner", "market", repo=other.bare, state="state-market")
        world.wait_subject("promoted v1")
        other.wait_subject("promoted v1", name="cart", ns="market")
        for ns, name in [("shop", "till"), ("market", "cart")]:
            service = world.api(f"/api/v1/namespaces/{ns}/services/{name}")
            assert service["metadata"]["labels"]["serin.dev/owner"] == ns, service
        other.deploy("v2", name="cart", ns="market")
        other.wait_subject("promoted v2", name="cart", ns="market")
        assert world.subjects()[-1] == "promoted v1" and world.weights() == [100, 0]


def one_repository_for_several_clusters(serin):
    with World(serin) as world:
        other = world.start("cluster", "--listen", "127.0.0.1:0", "--write-kubeconfig", world.path("kubeconfig-prod"),
                            "--ready-after", "100ms", stdout=subprocess.PIPE)
        assert other.stdout.readline()
        for cluster in ("test", "prod"):
            files = {f"clusters/{cluster}/rollout.yaml": harness.ROLLOUT.format(name="till", ns="shop", tag="v1", steps="[]",
                                                                               replicas=1),
                     f"clusters/{cluster}/services.yaml": harness.SERVICES.format(name="till", ns="shop")}
            world.push(f"Deploy to {cluster}", files)
        world.run_daemon("--cluster-name", "test", "--path", "clusters/test")
        world.run_daemon("--cluster-name", "prod", "--path", "clusters/prod", state="state-prod",
                         kubeconfig="kubeconfig-prod")

        def phases():
            files = world.git("ls-tree", "-r", "--name-only", "main", "status", cwd=world.bare, check=False).split()
            return {f: "phase: Healthy" in world.git("show", "main:" + f, cwd=world.bare) for f in files}

        both = {"status/prod/shop/till.yaml": True, "status/test/shop/till.yaml": True}
        eventually("both clusters have it", lambda: phases() == both)


TESTS = {f.__name__: f for f in (canary_and_revert_over_http, a_server_that_refuses, hooks_are_faster_than_polls, a_flood_of_hooks,
                                 credentials_of_the_service_manager, several_repositories_for_one_cluster,
                                 one_repository_for_several_clusters)}

if __name__ == "__main__":
    harness.main(TESTS)
