#!/bin/sh
# Installs what is missing, builds the program (build/) and the tests with sanitizers (build/test/), runs the tests.
# usage: tests/run.sh [--long] [--no-real-cluster] [-- CTEST-ARGUMENTS]; JOBS limits how much runs at once.
set -eu
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."
. tests/packages.sh

exclude=long
while [ $# -gt 0 ]; do
  case $1 in
    --long) exclude=$(echo "$exclude" | sed 's/^long|*//'); export SERIN_LONG=1 ;;
    --no-real-cluster) exclude="${exclude:+$exclude|}real-cluster"; export SERIN_REAL_CLUSTER=0 ;;
    --) shift; break ;;
    *) echo "usage: tests/run.sh [--long] [--no-real-cluster] [-- CTEST-ARGUMENTS]" >&2; exit 2 ;;
  esac
  shift
done

# Debian's kubernetes-client conflicts with kubectl packages of other origin, which do as well.
command -v kubectl >/dev/null || test_packages="$test_packages kubernetes-client"
install_packages $build_packages $test_packages

jobs=${JOBS:-$(nproc)}
sanitize=ON
if [ ! -r /proc/self/maps ]; then
  echo "note: /proc is not mounted, so the tests are built without sanitizers"
  sanitize=OFF
fi

cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build build --parallel "$jobs"
cmake -S . -B build/test -G Ninja -DCMAKE_BUILD_TYPE=Debug -DSERIN_TESTS=ON -DSERIN_SANITIZE=$sanitize >/dev/null
cmake --build build/test --parallel "$jobs"

export SERIN_RELEASE="$PWD/build/serin"
log=build/test/ctest.log
result=$(mktemp)
# Most tests wait more than they work; those that only work say so by their PROCESSORS.
{ ctest --test-dir build/test --output-on-failure --parallel "$((jobs * 2))" ${exclude:+-LE "^($exclude)\$"} "$@" 2>&1 &&
  echo 0 >"$result" || echo 1 >"$result"; } | tee $log
status=$(cat "$result")
rm -f "$result"
# Nothing is skipped silently, and the summary comes last, whatever ctest had to add.
grep -hE '^(skipped|kubernetes): ' build/test/Testing/Temporary/LastTest.log 2>/dev/null | sort -u || true
grep 'tests passed' $log || { echo "no tests were run"; exit 1; }
exit "$status"
