#!/usr/bin/env python3
"""A control plane that restarts, hangs and forgets, while a canary is under way. Real cluster only.

    with-cluster.sh api_server_faults_test.py SERIN [TEST...]
"""
import json
import os
import signal
import subprocess
import time
import urllib.request

import harness
from harness import World, eventually

UP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kubernetes", "up.sh")
WALK = ["deploying v2 (step 0/2)", "canary 50% (step 1/2)", "canary 50% (step 2/2)", "canary 100% (step 2/2)",
        "promoting v2 (step 2/2)", "promoted v2"]


def api_server():
    return int(open(os.path.join(os.environ["D"], "kube-apiserver.pid")).read())


def gone(process):
    """Killed; where it is reaped late it stays as a zombie."""
    try:
        return open(f"/proc/{process}/stat").read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def restart():
    process = api_server()
    os.kill(process, signal.SIGKILL)
    eventually("the API server is gone", lambda: gone(process))


def bring_up():
    subprocess.run([UP], check=True, stdout=subprocess.DEVNULL, timeout=120)


def etcd(path, body):
    url = f"http://127.0.0.1:{int(os.environ['PORT']) + 1}/v3/{path}"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), method="POST"), timeout=10) as got:
        return json.load(got)


def in_mid_canary(world):
    world.deploy("v1")
    world.run_daemon()
    world.wait_subject("promoted v1")
    world.deploy("v2", steps="[{setWeight: 50}, {pause: {duration: 6s}}]")
    # Its commit may wait for the next push; the traffic does not.
    eventually("weights 50/50", lambda: world.weights() == [50, 50])


def ends_well(world):
    world.wait_subject("promoted v2")
    assert world.subjects()[-6:] == WALK, world.subjects()
    assert world.weights() == [100, 0]
    assert world.service_hash("till") == world.revision_of("v2")


def api_server_restarts(serin):
    with World(serin) as world:
        in_mid_canary(world)
        restart()
        time.sleep(8)  # the pause runs out while nobody answers
        bring_up()
        ends_well(world)


def api_server_forgets(serin):
    """Everything the watches could go on from is compacted away: they are answered 410 and list anew."""
    with World(serin) as world:
        in_mid_canary(world)
        restart()
        revision = int(etcd("maintenance/status", {})["header"]["revision"])
        etcd("kv/compaction", {"revision": str(revision), "physical": True})
        bring_up()
        ends_well(world)


def api_server_hangs(serin):
    with World(serin) as world:
        in_mid_canary(world)
        process = api_server()
        os.kill(process, signal.SIGSTOP)
        try:
            time.sleep(14)  # longer than the lease may go without renewal
        finally:
            os.kill(process, signal.SIGCONT)
        ends_well(world)
        assert world.log_text().count("this daemon leads") == 2, world.log_text()


TESTS = {f.__name__: f for f in (api_server_restarts, api_server_forgets, api_server_hangs)}

if __name__ == "__main__":
    harness.main(TESTS)
