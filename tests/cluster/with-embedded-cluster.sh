#!/bin/bash
# Runs a command against an embedded cluster of its own: with-embedded-cluster.sh SERIN COMMAND...
# The command finds its kubeconfig in SERIN_TEST_KUBECONFIG.
set -euo pipefail
serin=$1; shift
folder=$(mktemp -d)
"$serin" cluster --listen 127.0.0.1:0 --ready-after 200ms --write-kubeconfig "$folder/kubeconfig" >"$folder/out" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$folder"' EXIT
for _ in $(seq 200); do
  grep -q '^listening on ' "$folder/out" && break
  kill -0 $server 2>/dev/null || { echo "serin cluster does not start:"; cat "$folder/out"; exit 1; }
  sleep 0.05
done
sed 's/listening on/embedded cluster on/' "$folder/out"
SERIN_TEST_KUBECONFIG=$folder/kubeconfig "$@"
