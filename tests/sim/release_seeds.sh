#!/bin/sh
# Runs seeds of the simulator with an optimized program. usage: release_seeds.sh FIRST COUNT
set -eu
if [ ! -x "${SERIN_RELEASE:-}" ]; then
  echo "skipped: SERIN_RELEASE names no program; tests/run.sh sets it"
  exit 77
fi
exec "$SERIN_RELEASE" sim --first-seed "$1" --seeds "$2"
