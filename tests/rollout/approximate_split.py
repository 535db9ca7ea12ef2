#!/usr/bin/env python3
"""The approximate split of spec 3.2 in the words of the controller that users come from, as a table for a C++ test.

A second reading of the rule, which shares nothing with reconciler/rollout/replica_counts.cpp. Prints `{replicas, surge,
weight, canary, stable},` a line.
"""
from fractions import Fraction
from math import ceil, floor


def split(replicas, surge, weight):
    if replicas == 0:
        return 0, 0
    exact = Fraction(replicas * weight, 100)
    tied = exact - floor(exact) == Fraction(1, 2)
    zero_allowed = weight in (0, 100) or (replicas == 1 and surge == 0)
    options = []
    for total in [replicas] + ([replicas + 1] if surge > 0 else []):
        if total > replicas or ceil(exact) < replicas or zero_allowed:
            options.append((ceil(exact), total))
        if not tied and (floor(exact) != 0 or zero_allowed):
            options.append((floor(exact), total))
    if not options:
        return 0, replicas
    canary, total = min(options, key=lambda o: abs(Fraction(100 * o[0], o[1]) - weight))  # the first of the closest
    return canary, total - canary


for replicas in [*range(41), 64, 99, 100, 101, 250]:
    for surge in (0, 1):
        for weight in range(101):
            print("{%d, %d, %d, %d, %d}," % (replicas, surge, weight, *split(replicas, surge, weight)))
