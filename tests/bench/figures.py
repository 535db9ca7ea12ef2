"""What the kernel says about a process, and when it came to rest."""
import os
import re
import time


def cpu_seconds(pid):
    """Of all its threads, finer than the clock ticks of /proc/PID/stat."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            total += int(open(f"/proc/{pid}/task/{thread}/schedstat").read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1e9


def memory_mib(pid, field="VmRSS"):
    return int(re.search(field + r":\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1)) / 1024


def wait_quiet(pid, deadline=900, share=0.02):
    """Until the process has used next to no CPU for a second. Returns when that second began."""
    end = time.monotonic() + deadline
    samples = [(time.monotonic(), cpu_seconds(pid))]
    while time.monotonic() < end:
        time.sleep(0.1)
        samples.append((time.monotonic(), cpu_seconds(pid)))
        samples = samples[-11:]
        (began, before), (now, after) = samples[0], samples[-1]
        if len(samples) == 11 and after - before <= share * (now - began):
            return began
    raise SystemExit("the daemon never came to rest")


def median(values):
    return sorted(values)[len(values) // 2]
