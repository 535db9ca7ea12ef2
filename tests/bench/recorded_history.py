"""A repository with a long history of status commits as Serin writes them, made in seconds with git fast-import.

Rollouts run at the same time, step by step: most are promoted, some after an approval, some fail, some are superseded,
some are reverted after their promotion. Everything is drawn from one seed. `serin verify` finds nothing wrong with it.
"""
import datetime
import os
import random
import subprocess
import zlib

GIT = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", TZ="UTC")
BEGAN = 1_760_000_000
STEPS = (20, None, 50, None)  # a weight, or a pause
PEOPLE = ("Ann", "Bo", "Cy", "Dee")
KEPT_PREVIOUS, KEPT_REJECTED = 3, 10


def utc(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def revision_of(image):
    return f"{zlib.crc32(image.encode()):08x}".translate(str.maketrans("0123aef", "bcdf456")) + "c"


class Version:
    def __init__(self, image, since):
        self.image, self.since, self.revision = image, since, revision_of(image)

    def text(self):
        return f"{{revision: {self.revision}, image: {self.image}, since: {utc(self.since)}}}"

    def tag(self):
        return self.image.split(":")[1]


class Rollout:
    def __init__(self, number, of_a_namespace):
        self.ns, self.name = f"team-{number // of_a_namespace:03d}", f"app-{number:05d}"
        self.stable = self.canary = None
        self.step, self.weight, self.phase = len(STEPS), 0, "Healthy"
        self.previous, self.rejected = [], []
        self.commit = self.returning = self.decision = ""
        self.deployed = 0
        self.since = 0
        self.plan = []  # the transitions still to come in this run, each a function of the time

    def image(self, number):
        return f"registry.example.com/{self.name}:v{number}"

    def path(self):
        return f"status/default/{self.ns}/{self.name}.yaml"

    def manifest(self):
        return f"deploy/{self.ns}/{self.name}.yaml"

    def file(self):
        def several(name, entries):
            if len(entries) < 2:
                return "".join(f"  {name}: [{entry}]\n" for entry in entries)
            return f"  {name}:\n" + "".join(f"    - {entry}\n" for entry in entries)

        out = f"apiVersion: serin.dev/v1alpha1\nkind: RolloutStatus\nmetadata: {{name: {self.name}, namespace: {self.ns}}}\n"
        out += f"status:\n  phase: {self.phase}\n  commit: {self.commit}\n"
        if self.stable:
            out += f"  stable: {self.stable.text()}\n"
        if self.canary:
            out += f"  canary: {self.canary.text()}\n"
        out += f"  step: {{index: {self.step}, count: {len(STEPS)}, since: {utc(self.since)}, hash: 77cbdb4748}}\n"
        if self.returning:
            out += f"  returning: {self.returning}\n"
        out += f"  weight: {self.weight}\n"
        out += several("previous", [version.text() for version in self.previous])
        out += several("rejected", self.rejected)
        return out + (f"  decision: {self.decision}\n" if self.decision else "")

    def message(self, subject, why, requested):
        shown = self.canary or self.stable
        out = f"{self.ns}/{self.name}: {subject}\n\n{why}\n\n" + (f"- {requested}\n\n" if requested else "")
        out += f"Rollout: {self.ns}/{self.name}\nRollout-Cluster: default\nRollout-Phase: {self.phase}\n"
        out += f"Rollout-Step: {self.step}/{len(STEPS)}\nRollout-Weight: {self.weight}\n"
        return out + (f"Rollout-Revision: {shown.revision}\nRollout-Image: {shown.image}\nRollout-Commit: {self.commit}\n")


class Writer:
    """The stream of git fast-import. Commits get their ids as they are made, since later ones name them."""

    def __init__(self, folder):
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", folder], check=True, env=GIT)
        self.process = subprocess.Popen(["git", "-C", folder, "fast-import", "--quiet", "--force"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=GIT)
        self.count = 0

    def commit(self, author, time, message, files, branch="main", merged=None):
        """`files`: path to content; None takes the file away. A branch other than main begins at main."""
        data = lambda text: b"data %d\n%s\n" % (len(text.encode()), text.encode())
        self.count += 1
        out = f"commit refs/heads/{branch}\nmark :{self.count}\n".encode()
        out += f"author {author} {time} +0000\ncommitter {author} {time} +0000\n".encode() + data(message)
        if branch != "main":
            out += b"from refs/heads/main\n"
        if merged:
            out += f"merge refs/heads/{merged}\n".encode()
        for path, content in files.items():
            out += f"D {path}\n".encode() if content is None else f"M 100644 inline {path}\n".encode() + data(content)
        self.process.stdin.write(out)

    def last_id(self):
        self.process.stdin.write(b"get-mark :%d\n" % self.count)
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()

    def end(self):
        self.process.stdin.close()
        assert self.process.wait() == 0


class World:
    def __init__(self, folder, rollouts, seed, of_a_namespace):
        self.random = random.Random(seed)
        self.rollouts = [Rollout(n, of_a_namespace) for n in range(rollouts)]
        self.out = Writer(folder)
        self.now = BEGAN
        self.records = 0

    def pass_time(self):
        self.now += self.random.randrange(1, 120)

    def person(self):
        name = self.random.choice(PEOPLE)
        return f"{name} <{name.lower()}@example.com>"

    def notes(self):
        """A commit of somebody that has nothing to do with any rollout."""
        self.pass_time()
        number = self.random.randrange(1000)
        self.out.commit(self.person(), self.now, "Write a note\n", {f"notes/{number % 20}/{number}.txt": f"{self.now}\n"})

    def record(self, rollout, subject, why, requested=""):
        self.pass_time()
        self.records += 1
        rollout.since = self.now
        self.out.commit("Serin <serin@localhost>", self.now, rollout.message(subject, why, requested),
                        {rollout.path(): rollout.file()})

    def deploy(self, rollout):
        """Somebody merges another image, and the run begins."""
        self.pass_time()
        back = rollout.previous and not rollout.canary and self.random.random() < 0.05
        if back:
            image = rollout.previous[0].image
        else:
            rollout.deployed += 1
            image = rollout.image(rollout.deployed)
        author, subject, files = self.person(), f"Deploy {image}", {rollout.manifest(): f"image: {image}\n"}
        if self.out.count > 0 and self.random.random() < 0.3:
            self.out.commit(author, self.now - self.random.randrange(86400), subject + "\n", files, branch="topic")
            author = self.person()
            self.out.commit(author, self.now, f"Merge topic\n\n{subject}\n", files, merged="topic")
        else:
            self.out.commit(author, self.now, subject + "\n", files)
        rollout.commit = self.out.last_id()
        rollout.canary = Version(image, self.now)
        rollout.rejected = [entry if "lapsed" in entry else entry[:-1] + ", lapsed: true}" for entry in rollout.rejected]
        fast = back or not rollout.stable
        rollout.step, rollout.weight, rollout.phase, rollout.returning = len(STEPS) if fast else 0, 0, "Progressing", ""
        self.record(rollout, f"deploying {image.split(':')[1]} (step {rollout.step}/{len(STEPS)})", "image changed",
                    f"{rollout.commit[:7]} {subject} ({author})")
        rollout.plan = self.promotion() if fast else self.steps()

    def steps(self):
        chance, plan, weight = self.random.random(), [], 0
        for index, step in enumerate(STEPS, 1):
            weight = step or weight
            plan.append((self.step, index, weight, "Paused" if step else "Progressing"))
        if chance < 0.12:
            return plan[:self.random.randrange(1, len(plan) + 1)] + [(self.back,), (self.rolled_back,)]
        if chance < 0.25:
            plan[1] = (self.approve, 2, STEPS[0])
        return plan + [(self.step, len(STEPS), 100, "Progressing")] + self.promotion()

    def promotion(self):
        return [(self.promoting,), (self.promoted,)]

    def step(self, rollout, index, weight, phase, why="1 of 1 canary pods available"):
        rollout.step, rollout.weight, rollout.phase = index, weight, phase
        self.record(rollout, f"canary {weight}% (step {index}/{len(STEPS)})", why)

    def approve(self, rollout, index, weight):
        self.pass_time()
        by = self.person()
        self.out.commit(by, self.now, f"Approve {rollout.name}\n",
                        {f"decisions/default/{rollout.ns}/{rollout.name}.yaml": f"promote {rollout.canary.revision}\n"})
        rollout.decision = (f"{{action: promote, revision: {rollout.canary.revision}, step: {index - 1}, by: \"{by}\", "
                            f"commit: {self.out.last_id()}, at: {utc(self.now)}, reason: looks good}}")
        self.step(rollout, index, weight, "Progressing", f"promoted by {by}: looks good")

    def promoting(self, rollout):
        if rollout.stable:
            rollout.previous = ([rollout.stable] + [version for version in rollout.previous
                                                    if version.image != rollout.canary.image])[:KEPT_PREVIOUS]
            rollout.stable, rollout.canary = Version(rollout.canary.image, self.now), None
            rollout.weight = 0
            self.record(rollout, f"promoting {rollout.stable.tag()} (step {rollout.step}/{len(STEPS)})", "all pods available")
        else:
            rollout.stable, rollout.canary = Version(rollout.canary.image, self.now), None

    def promoted(self, rollout):
        rollout.phase = "Healthy"
        self.record(rollout, f"promoted {rollout.stable.tag()}", "live agrees")

    def back(self, rollout):
        rollout.returning = "success rate fell"
        rollout.phase, rollout.weight = "Progressing", 0
        rejected = (f"{{revision: {rollout.canary.revision}, image: {rollout.canary.image}, at: {utc(self.now)}, "
                    f"why: success rate fell}}")
        rollout.rejected = ([rejected] + rollout.rejected)[:KEPT_REJECTED]
        self.record(rollout, f"returning to {rollout.stable.tag()}: success rate fell", "success rate fell")

    def rolled_back(self, rollout):
        rollout.returning, rollout.canary, rollout.phase, rollout.step = "", None, "Degraded", len(STEPS)
        self.record(rollout, f"rolled back to {rollout.stable.tag()}: success rate fell", "success rate fell")

    def removed(self, rollout):
        """The Rollout leaves Git; the next deployment of that name is a first one."""
        self.pass_time()
        self.out.commit(self.person(), self.now, f"Remove {rollout.name}\n", {rollout.manifest(): None})
        commit = self.out.last_id()
        self.pass_time()
        self.records += 1
        key = f"{rollout.ns}/{rollout.name}"
        self.out.commit("Serin <serin@localhost>", self.now,
                        f"{key}: removed\n\nits manifest is gone from Git\n\nRollout: {key}\nRollout-Cluster: default\n"
                        f"Rollout-Phase: Removed\nRollout-Weight: 0\nRollout-Commit: {commit}\n", {rollout.path(): None})
        deployed = rollout.deployed
        rollout.__init__(int(rollout.name[4:]), 1)
        rollout.ns, rollout.deployed = key.split("/")[0], deployed

    def go_on(self):
        rollout = self.random.choice(self.rollouts)
        chance = self.random.random()
        if rollout.stable and chance < 0.005:
            self.removed(rollout)
            return
        if not rollout.plan or (rollout.stable and rollout.canary and not rollout.returning and chance < 0.02):
            self.deploy(rollout)
            return
        act, *arguments = rollout.plan.pop(0)
        act(rollout, *arguments)


def make(folder, status_commits, rollouts, notes_for_each=0.0, seed=1, of_a_namespace=50):
    """A bare repository in `folder`: so many status commits, and as many of people's own beside them as asked for."""
    world = World(folder, rollouts, seed, of_a_namespace)
    written = 0
    while world.records < status_commits:
        world.go_on()
        while written < world.records * notes_for_each:
            world.notes()
            written += 1
    world.out.end()
    return world
