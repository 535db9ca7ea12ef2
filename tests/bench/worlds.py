"""A repository of many rollouts, its cluster and its daemon, and what can be asked of them."""
import collections
import datetime
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness

harness.DEADLINE = 1800
STEPS = "[" + ", ".join(f"{{setWeight: {weight}}}" for weight in range(10, 90, 10)) + "]"
HALFWAY = "[{setWeight: 50}, {pause: {}}]"
NAMESPACES = 100


def name_of(n):
    return f"team-{n % NAMESPACES:02d}", f"app-{n:05d}"


def manifest(n, tag, steps=STEPS):
    ns, name = name_of(n)
    text = harness.ROLLOUT.format(name=name, ns=ns, tag=tag, steps=steps, replicas=1)
    return text + "---\n" + harness.SERVICES.format(name=name, ns=ns)


class LogReader:
    """The daemon's log as a clock, from where it ends now. Each line is read once: the log of a thousand canaries is
    long, and the machine has better things to do."""

    def __init__(self, path):
        self.file = open(path, "rb")
        self.file.seek(0, os.SEEK_END)
        self.part, self.unread = b"", collections.deque()

    def read_on(self):
        *whole, self.part = (self.part + self.file.read()).split(b"\n")
        self.unread.extend(whole)

    def wait(self, needle, count=1):
        """When the `count`-th line with `needle` was logged, in seconds since the epoch; waits for it."""
        end = time.monotonic() + harness.DEADLINE
        while time.monotonic() < end:
            self.read_on()
            while self.unread:
                line = self.unread.popleft()
                count -= needle in line
                if count == 0:
                    stamp = line.split()[0].decode().rstrip("Z")
                    return datetime.datetime.fromisoformat(stamp + "+00:00").timestamp()
            time.sleep(0.05)
        raise SystemExit(f"never logged: {needle.decode()}")


class ManyRollouts(harness.World):
    def __init__(self, serin, count, **more):
        super().__init__(serin, **more)
        self.count = count

    def commit(self, message, manifests):
        """One commit of many files, by fast-import: a work tree of ten thousand files would be the slow part."""
        tip = self.tip()
        out = [f"commit refs/heads/main\ncommitter Ann <ann@example.com> {int(time.time())} +0000\n"
               f"data {len(message)}\n{message}\n" + (f"from {tip}\n" if tip else "")]
        for n, text in manifests.items():
            ns, name = name_of(n)
            out.append(f"M 100644 inline apps/{ns}/{name}.yaml\ndata {len(text.encode())}\n{text}\n")
        for _ in range(20):  # the daemon may have pushed meanwhile
            done = subprocess.run(["git", "fast-import", "--quiet"], cwd=self.bare, env=harness.GIT,
                                  input="".join(out).encode(), capture_output=True)
            if done.returncode == 0:
                return
            out[0] = out[0].replace(f"from {tip}", f"from {self.tip()}")
            tip = self.tip()
        raise SystemExit(f"nothing can be committed: {done.stderr.decode()}")

    def tip(self):
        return self.git("rev-parse", "-q", "--verify", "main", cwd=self.bare, check=False).strip()

    def commits(self):
        return int(self.git("rev-list", "--count", "main", cwd=self.bare))

    def newest_subjects(self, count):
        return self.git("log", "--format=%s", f"-{count}", "main", cwd=self.bare)

    def log_from_here(self):
        return LogReader(self.path("daemon.log"))

    def requests(self):
        """(method, path) of what the cluster logged."""
        return [tuple(line.split("\t")[1:3]) for line in open(self.path("requests.log"))]

    def writes(self):
        return [f"{method} {path}" for method, path in self.requests()
                if method != "GET" and "dryRun=All" not in path and "/leases/" not in path]
