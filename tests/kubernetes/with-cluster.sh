#!/bin/bash
# Runs a command against a control plane of its own: with-cluster.sh COMMAND...
# The command finds SERIN_TEST_KUBECONFIG (cluster-admin), KUBE_URL and the other variables of env.sh, and CLUSTER_DIR, with
# which up.sh and down.sh can be called again (D), and AUDIT_LOG, every answered request in a line. Exit code 77: skipped,
# the reason is said.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ "${SERIN_REAL_CLUSTER:-1}" = 1 ] || { echo "skipped: SERIN_REAL_CLUSTER=${SERIN_REAL_CLUSTER}"; exit 77; }
ETCD=$(command -v etcd) || { echo "skipped: no etcd here (package etcd-server)"; exit 77; }
BIN=$("$here/get-binaries.sh") || exit $?
export ETCD BIN
CLUSTER_DIR=$(mktemp -d); export CLUSTER_DIR D=$CLUSTER_DIR
trap 'FAST=1 "$here/down.sh" >/dev/null 2>&1; rm -rf "$CLUSTER_DIR"' EXIT

AUDIT_LOG=$CLUSTER_DIR/audit.log; export AUDIT_LOG
APISERVER_ARGS="--audit-policy-file=$here/audit-policy.yaml --audit-log-path=$AUDIT_LOG ${APISERVER_ARGS:-}"
export APISERVER_ARGS

# Four neighbouring ports that nobody listens on. Somebody may be faster; then another four are tried.
free_ports() {
  python3 - <<'P'
import random, socket
while True:
    base = random.randrange(20000, 32000, 4)
    sockets = [socket.socket() for _ in range(4)]
    try:
        for i, s in enumerate(sockets):
            s.bind(('127.0.0.1', base + i))
    except OSError:
        continue
    finally:
        for s in sockets:
            s.close()
    print(base)
    break
P
}

for try in 1 2 3; do
  PORT=$(free_ports); export PORT
  if "$here/up.sh" >"$CLUSTER_DIR.up" 2>&1 && "$here/kubelet-up.sh" --delay 0.2 >>"$CLUSTER_DIR.up" 2>&1; then break; fi
  cat "$CLUSTER_DIR.up" >&2
  FAST=1 "$here/down.sh" >/dev/null 2>&1 || true
  [ "$try" -lt 3 ] || { echo "the control plane does not start" >&2; exit 1; }
done
rm -f "$CLUSTER_DIR.up"
. "$CLUSTER_DIR/env.sh"
export SERIN_TEST_KUBECONFIG=$KUBECONFIG
echo "kubernetes $("$BIN/kube-apiserver" --version | sed 's/.* v//') on $KUBE_URL"
"$@"
