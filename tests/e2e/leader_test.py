#!/usr/bin/env python3
"""Two daemons with one repository and one cluster: exactly one of them decides. `leader_test.py SERIN [TEST...]`"""
import os
import signal
import time

import harness
from harness import World, eventually

REST = ["canary 50% (step 2/2)", "canary 100% (step 2/2)", "promoting v2 (step 2/2)", "promoted v2"]
WALK = ["deploying v2 (step 0/2)", "canary 50% (step 1/2)"] + REST


class TwoDaemons(World):
    """`a` leads, `b` follows; v1 is deployed and v2 is in mid-canary."""

    def __init__(self, serin, pause):
        super().__init__(serin)
        self.deploy("v1")
        self.a = self.run_daemon(name="a")
        self.wait_subject("promoted v1")
        self.b = self.run_daemon(name="b")
        eventually("b follows", lambda: " ready " in self.log_text("b"))
        assert not self.leads("b")
        self.deploy("v2", steps="[{setWeight: 50}, {pause: {duration: %s}}]" % pause)
        # Its commit may wait for the next push; the traffic does not.
        eventually("weights 50/50", lambda: self.weights() == [50, 50])

    def leads(self, name):
        return "this daemon leads" in self.log_text(name)

    def holder(self):
        lease = self.api("/apis/coordination.k8s.io/v1/namespaces/default/leases/serin-serin")
        return lease["spec"]["holderIdentity"]

    def run_of_v2(self):
        subjects = self.subjects()
        return subjects[subjects.index("deploying v2 (step 0/2)"):]


def leader_killed_in_mid_canary(serin):
    with TwoDaemons(serin, "5s") as world:
        assert world.holder() == world.identity("a")
        began = time.monotonic()
        world.a.send_signal(signal.SIGKILL)
        # 15 s from the last renewal that b saw, and a moment to notice.
        eventually("b leads", lambda: world.leads("b"), 25)
        assert time.monotonic() - began > 10, time.monotonic() - began
        world.wait_subject("promoted v2")
        assert world.weights() == [100, 0]
        assert world.run_of_v2() == WALK, world.run_of_v2()


def leader_paused_in_mid_canary(serin):
    with TwoDaemons(serin, "5s") as world:
        world.a.send_signal(signal.SIGSTOP)
        world.wait_subject("promoted v2")
        assert world.leads("b")
        eventually("the old pods go", lambda: world.replica_sets() == {"v1": 0, "v2": 2})
        versions = world.versions()
        world.a.send_signal(signal.SIGCONT)
        eventually("a follows", lambda: "this daemon no longer leads" in world.log_text("a"), 20)
        time.sleep(3)  # nothing may happen, so there is nothing to wait for
        assert world.holder() == world.identity("b")
        assert world.versions() == versions, world.versions()
        assert world.run_of_v2() == WALK, world.run_of_v2()
        # And back: a knows what b recorded meanwhile.
        world.b.send_signal(signal.SIGTERM)
        assert world.b.wait(25) == 0
        eventually("a leads again", lambda: world.log_text("a").count("this daemon leads") == 2, 10)
        world.deploy("v3", steps="[]")
        world.wait_subject("promoted v3")


def restarted_leader_goes_on_at_once(serin):
    with TwoDaemons(serin, "3s") as world:
        identity = world.identity("a")
        assert os.stat(world.path("state-a", "identity")).st_mode & 0o777 == 0o600
        world.a.send_signal(signal.SIGKILL)
        world.a.wait()
        world.a = world.run_daemon(name="a")
        eventually("a leads again", lambda: world.log_text("a").count("this daemon leads") == 2, 10)
        assert world.identity("a") == identity == world.holder()
        world.wait_subject("promoted v2")
        assert not world.leads("b")
        assert world.run_of_v2() == WALK, world.run_of_v2()


def clean_exit_hands_over_at_once(serin):
    with TwoDaemons(serin, "3s") as world:
        world.a.send_signal(signal.SIGTERM)
        assert world.a.wait(25) == 0
        eventually("b leads", lambda: world.leads("b"), 5)
        world.wait_subject("promoted v2")
        assert world.run_of_v2() == WALK, world.run_of_v2()


def two_shards_share_the_work(serin):
    namespaces = ["a", "b", "c", "d", "e", "f"]
    with World(serin) as world:
        for ns in namespaces:
            world.deploy("v1", ns=ns, steps="[]")
        daemons = [world.run_daemon("--shard", f"{i}/2", name=f"shard-{i}") for i in range(2)]
        eventually("all are deployed", lambda: all(world.subjects(ns=ns)[-1:] == ["promoted v1"] for ns in namespaces))
        for ns in namespaces:
            world.deploy("v2", ns=ns)
        eventually("all are updated", lambda: all(world.subjects(ns=ns)[-1:] == ["promoted v2"] for ns in namespaces))
        for ns in namespaces:
            assert world.subjects(ns=ns)[-6:] == WALK, (ns, world.subjects(ns=ns))
            assert len(world.subjects(ns=ns)) == len(set(world.subjects(ns=ns))), world.subjects(ns=ns)
        logs = [world.log_text(f"shard-{i}") for i in range(2)]
        shares = [{ns for ns in namespaces if f"rollout={ns}/till" in log} for log in logs]
        assert shares[0] and shares[1] and not shares[0] & shares[1], shares
        applied = [{line.split("applied ")[1] for line in log.splitlines() if "applied " in line} for log in logs]
        assert not applied[0] & applied[1], applied
        for i, daemon in enumerate(daemons):
            lease = world.api(f"/apis/coordination.k8s.io/v1/namespaces/default/leases/serin-serin-{i}")
            assert lease["spec"]["holderIdentity"] == world.identity(f"shard-{i}"), lease
        # One of them goes; the other does not take its part.
        daemons[0].send_signal(signal.SIGTERM)
        assert daemons[0].wait(25) == 0
        for ns in namespaces:
            world.deploy("v3", ns=ns, steps="[]")
        eventually("its own are updated",
                   lambda: all(world.subjects(ns=ns)[-1:] == ["promoted v3"] for ns in shares[1]))
        assert all(world.subjects(ns=ns)[-1] == "promoted v2" for ns in shares[0])


TESTS = {f.__name__: f for f in (leader_killed_in_mid_canary, leader_paused_in_mid_canary,
                                 restarted_leader_goes_on_at_once, clean_exit_hands_over_at_once,
                                 two_shards_share_the_work)}

if __name__ == "__main__":
    harness.main(TESTS)
