#!/usr/bin/env python3
"""What leaves Git leaves the cluster, and nothing else does. `prune_test.py SERIN [TEST...]`"""
import os
import random
import signal
import subprocess
import time

import harness
from harness import World, eventually

ALLOW = "\n\nSerin-Prune: allow"


def config_map(name, value="1", ns="shop", marks=""):
    return (f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {ns}{marks}}}\n"
            f"data: {{value: '{value}'}}\n")


def others(count):
    return {f"others/{n}.yaml": config_map(f"other-{n}") for n in range(count)}


def names(world, ns="shop"):
    items = world.api(f"/api/v1/namespaces/{ns}/configmaps")["items"]
    return {item["metadata"]["name"] for item in items}


def till_files():
    return {"shop/till/rollout.yaml": None, "shop/till/services.yaml": None}


def nothing_of_till(world):
    return (not world.replica_sets() and world.weights() is None and world.service_hash("till") is None
            and not world.api("/api/v1/namespaces/shop/services/till")
            and not world.api("/api/v1/namespaces/shop/pods")["items"])


def inventory(world):
    items = world.api("/api/v1/namespaces/default/configmaps")["items"]
    return [entry for item in items if item["metadata"]["name"].startswith("serin-serin-")
            for entry in item.get("data", {}).values()]


def first_deploy(world, count=12):
    world.push("Others", others(count))
    world.deploy("v1")
    world.run_daemon()
    world.wait_subject("promoted v1")
    eventually("the inventory holds everything", lambda: len(inventory(world)) == count + 4)
    eventually("with UIDs", lambda: sum('"uid"' in entry for entry in inventory(world)) == count + 3)


def a_removal_whose_record_was_lost(serin):
    """The commit `removed` never reached the remote, and the clone is gone: the status file alone is left."""
    with World(serin) as world:
        first_deploy(world)
        before = world.git("show", "main:status/default/shop/till.yaml", cwd=world.bare)
        world.push("Remove the till", till_files())
        world.wait_subject("removed")
        eventually("the inventory forgets it", lambda: len(inventory(world)) == 12)
        world.kill_daemon(signal.SIGTERM)
        world.git("pull", "-q", "--rebase", "origin", "main")
        world.push("As if it had not been pushed", {"status/default/shop/till.yaml": before})
        world.run_daemon(state="another-state")
        eventually("it is removed once more", lambda: world.subjects().count("removed") == 2)
        assert "status/" not in world.git("ls-tree", "-r", "--name-only", "main", cwd=world.bare)


def an_application_goes_and_comes_back(serin):
    with World(serin) as world:
        first_deploy(world)
        asked = world.push("Remove the till", till_files())
        world.wait_subject("removed")
        eventually("nothing of it is left", lambda: nothing_of_till(world))
        trailers = world.git("log", "-1", "--format=%(trailers:key=Rollout,valueonly)"
                             "%(trailers:key=Rollout-Phase,valueonly)%(trailers:key=Rollout-Commit,valueonly)", "main",
                             cwd=world.bare).split()
        assert trailers == ["shop/till", "Removed", asked], trailers
        assert "status/" not in world.git("ls-tree", "-r", "--name-only", "main", cwd=world.bare)
        assert len(names(world)) == 12
        eventually("the inventory forgets it", lambda: len(inventory(world)) == 12)
        world.deploy("v1")
        world.wait_subject("promoted v1")
        assert world.subjects().count("deploying v1 (step 2/2)") == 2, world.subjects()
        assert world.replica_sets() == {"v1": 2}


def one_by_one_until_the_last(serin):
    with World(serin) as world:
        world.push("Others", others(4))
        world.run_daemon()
        eventually("they are there", lambda: len(names(world)) == 4)
        for n in range(3):
            world.push(f"Remove {n}", {f"others/{n}.yaml": None})
            eventually(f"{n} goes", lambda: names(world) == {f"other-{k}" for k in range(n + 1, 4)})
        world.push("Remove the last", {"others/3.yaml": None})
        eventually("the last is held", lambda: "nothing of 1 objects would be left" in world.log_text())
        time.sleep(1.5)  # polls go by: there is nothing to wait for when nothing may happen
        assert names(world) == {"other-3"}
        world.push("Let it go" + ALLOW)
        eventually("it goes", lambda: not names(world))


def everything_at_once_is_held(serin):
    with World(serin) as world:
        first_deploy(world)
        world.push("Remove everything", {**till_files(), **{name: None for name in others(12)}})
        eventually("it is held", lambda: "prune is held" in world.log_text())
        writes = world.writes()
        time.sleep(1.5)
        assert world.writes() == writes, world.writes()[len(writes):]
        assert world.log_text().count("prune is held") == 1, world.log_text()
        world.kill_daemon()
        once = ["run", "--once", "--repo", world.bare, "--state-dir", world.path("state"), "--kubeconfig",
                world.kubeconfig]
        done = subprocess.run([serin, *once], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and "prune is held: ConfigMap shop/other-0: nothing of 16" in done.stderr, done
        dry = subprocess.run([serin, *once, "--dry-run"], capture_output=True, text=True, timeout=60)
        assert dry.returncode == 0 and "would delete" not in dry.stdout and "prune is held" in dry.stderr, dry
        assert len(names(world)) == 12 and world.weights() == [100, 0]
        # Released while no daemon runs; the next one finds it.
        world.push("Let it go" + ALLOW)
        dry = subprocess.run([serin, *once, "--dry-run"], capture_output=True, text=True, timeout=60)
        assert "would delete: ConfigMap shop/other-0" in dry.stdout, dry
        assert "would act: shop/till: delete till-" in dry.stdout, dry
        assert len(names(world)) == 12 and world.weights() == [100, 0]
        assert world.start(*once).wait(60) == 0
        assert nothing_of_till(world) and not names(world)
        assert world.subjects()[-1] == "removed", world.subjects()


def killed_while_it_removes(serin, seed=None):
    seed = seed or int(time.time())
    print(f"  seed {seed}", flush=True)
    chance = random.Random(seed)
    with World(serin, ready_after="50ms") as world:
        first_deploy(world, 60)
        world.push("Remove nearly everything" + ALLOW,
                   {**till_files(), **{f"others/{n}.yaml": None for n in range(55)}})
        left = {f"other-{n}" for n in range(55, 60)}
        end = time.monotonic() + harness.DEADLINE
        n = 0
        while not (nothing_of_till(world) and names(world) == left and world.subjects()[-1] == "removed"):
            assert time.monotonic() < end, (names(world), world.subjects())
            assert left <= names(world)
            time.sleep(chance.uniform(0.02, 0.6))
            n += 1
            if n <= 8:
                world.kill_daemon()
                world.run_daemon()
        eventually("the inventory is what is left", lambda: len(inventory(world)) == 5)
        assert world.subjects().count("removed") == 1, world.subjects()


def marks_and_files(serin):
    with World(serin) as world:
        keep = ", annotations: {serin.dev/prune: disabled}"
        world.push("Others", {**others(8), "keep.yaml": config_map("keep", marks=keep),
                              "ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: extra}\n",
                              "a.yaml": config_map("moves"), "own.yaml": config_map("other-owner"),
                              "again.yaml": config_map("again")})
        world.run_daemon()
        eventually("they are there", lambda: len(names(world)) == 12 and len(inventory(world)) == 13)
        eventually("with UIDs", lambda: all('"uid"' in entry for entry in inventory(world)))
        uid = world.api("/api/v1/namespaces/shop/configmaps/moves")["metadata"]["uid"]
        # Somebody else makes one anew, and hands one over to another owner.
        world.patch("/api/v1/namespaces/shop/configmaps/other-owner",
                    {"metadata": {"labels": {"serin.dev/owner": "another"}}})
        world.push("Take out, move and keep",
                   {"keep.yaml": None, "ns.yaml": None, "own.yaml": None, "a.yaml": None, "b.yaml": config_map("moves"),
                    "others/0.yaml": None})
        eventually("what may go goes", lambda: "other-0" not in names(world))
        eventually("the namespace is held", lambda: "a Namespace takes more along" in world.log_text())
        eventually("the owners are named",
                   lambda: "belongs to the owner another, and this one is serin" in world.log_text())
        assert {"keep", "other-owner"} <= names(world)
        assert world.api("/api/v1/namespaces/shop/configmaps/moves")["metadata"]["uid"] == uid
        assert world.api("/api/v1/namespaces/extra")
        world.patch("/api/v1/namespaces/extra", {"metadata": {"labels": {"serin.dev/prune": "allow"}}})
        world.push("Look again", {"note.md": "x\n"})
        world.push("Look again", {"others/1.yaml": config_map("other-1", "2")})
        eventually("the namespace goes", lambda: not world.api("/api/v1/namespaces/extra"))


def nothing_goes_while_something_cannot_be_read(serin):
    with World(serin) as world:
        world.push("Others", others(8))
        world.run_daemon()
        eventually("they are there", lambda: len(names(world)) == 8)
        world.push("Break one, remove another", {"others/0.yaml": "kind: ConfigMap\n  bad", "others/1.yaml": None})
        eventually("the broken file is named", lambda: "keeps its last good content" in world.log_text())
        time.sleep(1.5)
        assert len(names(world)) == 8
        world.kill_daemon()
        world.run_daemon()  # now the broken file's objects are not known either
        eventually("the daemon is back", lambda: world.log_text().count(" ready ") == 2)
        time.sleep(1.5)
        assert len(names(world)) == 8
        world.push("Mend it", {"others/0.yaml": config_map("other-0")})
        eventually("what was removed goes", lambda: names(world) == {f"other-{n}" for n in (0, 2, 3, 4, 5, 6, 7)})


def two_owners_of_one_object(serin):
    with World(serin) as world:
        world.push("Others", others(4))
        world.run_daemon()
        eventually("they are there", lambda: len(names(world)) == 4)
        # Another repository, another daemon, another name, one object in common.
        bare, work = world.path("second.git"), world.path("second")
        world.git("init", "-q", "--bare", "-b", "main", bare, cwd=world.folder)
        world.git("clone", "-q", bare, work, cwd=world.folder, check=False)
        world.git("checkout", "-q", "-B", "main", cwd=work)

        def push(files):
            for name, text in files.items():
                if text is None:
                    os.remove(os.path.join(work, name))
                else:
                    open(os.path.join(work, name), "w").write(text)
            world.git("add", "-A", cwd=work)
            world.git("commit", "-q", "-m", "change", cwd=work)
            world.git("push", "-q", "origin", "main", cwd=work)

        push({"common.yaml": config_map("other-1", "theirs"), "mine.yaml": config_map("mine"),
              "more.yaml": config_map("more")})
        log = open(world.path("second.log"), "ab")
        world.start("run", "--repo", bare, "--state-dir", world.path("state2"), "--interval", "1s", "--owner", "second",
                    "--kubeconfig", world.kubeconfig, stderr=log)
        second = lambda: open(world.path("second.log")).read()
        eventually("the second is refused, both are named",
                   lambda: "belongs to the owner serin, and this one is second" in second())
        eventually("its own are there", lambda: {"mine", "more"} <= names(world))
        assert world.api("/api/v1/namespaces/shop/configmaps/other-1")["data"]["value"] == "1"
        push({"common.yaml": None, "more.yaml": None})
        eventually("its own goes", lambda: "more" not in names(world))
        assert "other-1" in names(world)


TESTS = {f.__name__: f for f in (an_application_goes_and_comes_back, a_removal_whose_record_was_lost, one_by_one_until_the_last,
                                 everything_at_once_is_held, killed_while_it_removes, marks_and_files,
                                 nothing_goes_while_something_cannot_be_read, two_owners_of_one_object)}

if __name__ == "__main__":
    harness.main(TESTS)
