#!/bin/sh
# Builds Serin and shows it at work on this machine: no cluster, no account, nothing left behind.
# usage: examples-repo/demo.sh [OPTIONS OF `serin demo`], for example --keep DIR
set -eu
export LC_ALL=C.UTF-8
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/packages.sh"

install_packages $build_packages
log=$(mktemp)
trap 'rm -f "$log" "$log.failed"' EXIT
failed() { cat "$log" >&2; exit 1; }

cmake -S "$root" -B "$root/build" -G Ninja -DCMAKE_BUILD_TYPE=Release >"$log" 2>&1 || failed
# A progress line on a terminal; a few lines elsewhere; the whole output only when it fails.
n=0
{ NINJA_STATUS='[%f/%t] ' cmake --build "$root/build" --target serin --parallel "${JOBS:-$(nproc)}" 2>&1 ||
  touch "$log.failed"; } |
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    progress=$(expr "$line" : '\(\[[0-9]*/[0-9]*\]\)') || continue
    if [ -t 1 ]; then
      printf '\rbuilding serin %s ' "$progress"
    elif [ $((n % 25)) -eq 0 ]; then
      echo "building serin $progress"
    fi
    n=$((n + 1))
  done
[ ! -t 1 ] || printf '\r%40s\r' ''
[ ! -e "$log.failed" ] || failed
rm -f "$log"
trap - EXIT
exec "$root/build/serin" demo "$@"
