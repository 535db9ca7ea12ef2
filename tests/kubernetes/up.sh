#!/bin/bash
# Starts etcd + kube-apiserver + kube-controller-manager on 127.0.0.1 (no kubelet, no scheduler). Idempotent.
# Writes $D/kubeconfig (cluster-admin by token), $D/kubeconfig-cert (cluster-admin by client cert),
# $D/env.sh (KUBECONFIG, KUBE_URL, KUBE_CA, KUBE_TOKEN) and $D/*.pid.
# Environment: D (state directory), PORT (apiserver), ETCD_PORT, KCM_PORT, BIN, ETCD_DIR (data; /dev/shm by default,
#              there is no --unsafe-no-fsync in etcd 3.4), QPS (controller manager's client limit), FRESH=1 (drop the etcd data first),
#              APISERVER_ARGS and KCM_ARGS (more flags)
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
D=${D:-$HERE/run}; BIN=${BIN:-$HERE/bin}; ETCD=${ETCD:-$(command -v etcd)}
MINOR=$("$BIN/kube-apiserver" --version | sed 's/.*v1\.\([0-9]*\).*/\1/'); OLD=; [ "$MINOR" -lt 24 ] && OLD=--port=0
PORT=${PORT:-16443}; ETCD_PORT=${ETCD_PORT:-$((PORT+1))}; ETCD_PEER=${ETCD_PEER:-$((PORT+2))}; KCM_PORT=${KCM_PORT:-$((PORT+3))}
SHM=/dev/shm; [ -w $SHM ] || SHM=${TMPDIR:-/tmp}
ETCD_DIR=${ETCD_DIR:-$SHM/serin-test-etcd-$PORT}
QPS=${QPS:-500}; BURST=${BURST:-1000}; H=127.0.0.1
mkdir -p "$D/pki"; chmod 700 "$D" "$D/pki"; cd "$D"

alive() { # pidfile exe-basename: the pid lives and runs that program
  [ -s "$1" ] || return 1
  local p x; p=$(cat "$1"); x=$(readlink "/proc/$p/exe" 2>/dev/null) || return 1
  [ "$(basename "${x% (deleted)}")" = "$2" ]
}
# ---- keys and certificates (EC P-256, ten years), once
if [ ! -s pki/done ]; then
  ( cd pki
    q() { openssl "$@" 2>/dev/null; }
    q ecparam -name prime256v1 -genkey -noout -out ca.key
    q req -x509 -new -key ca.key -subj /CN=serin-test-ca -days 3650 -out ca.crt \
      -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature
    mk() { # name subject eku san
      q ecparam -name prime256v1 -genkey -noout -out "$1.key"
      q req -new -key "$1.key" -subj "$2" -out "$1.csr"
      printf 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=%s\n%s\n' "$3" "${4:+subjectAltName=$4}" > "$1.ext"
      q x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -extfile "$1.ext" -out "$1.crt"
      rm -f "$1.csr" "$1.ext"; }
    mk apiserver /CN=kube-apiserver serverAuth "IP:127.0.0.1,IP:10.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
    mk admin /O=system:masters/CN=kubernetes-admin clientAuth
    q genrsa -out sa.key 2048; q rsa -in sa.key -pubout -out sa.pub
    t() { openssl rand -hex 16; }
    printf '%s,admin,admin,"system:masters"\n%s,kcm,kcm,"system:masters"\n%s,fakekubelet,fakekubelet,"system:masters"\n%s,gitops,gitops,"gitops"\n%s,nobody,nobody,""\n' "$(t)" "$(t)" "$(t)" "$(t)" "$(t)" > tokens.csv
    touch done; echo ok > done )
fi
tok() { awk -F, -v u="$1" '$2==u{print $1}' pki/tokens.csv; }
kc() { # file user-stanza
  cat > "$1" <<K
apiVersion: v1
kind: Config
clusters: [{name: k, cluster: {server: "https://$H:$PORT", certificate-authority: $D/pki/ca.crt}}]
users: [{name: u, user: $2}]
contexts: [{name: k, context: {cluster: k, user: u}}]
current-context: k
K
  chmod 600 "$1"; }
kc kubeconfig      "{token: $(tok admin)}"
kc kubeconfig-kcm  "{token: $(tok kcm)}"
kc kubeconfig-kubelet "{token: $(tok fakekubelet)}"
kc kubeconfig-gitops  "{token: $(tok gitops)}"
kc kubeconfig-cert "{client-certificate: $D/pki/admin.crt, client-key: $D/pki/admin.key}"
cat > env.sh <<K
export KUBECONFIG=$D/kubeconfig KUBE_URL=https://$H:$PORT KUBE_CA=$D/pki/ca.crt KUBE_TOKEN=$(tok admin) KUBE_GITOPS_TOKEN=$(tok gitops)
K
chmod 600 env.sh

start() { # name command...: starts it detached, writes NAME.pid
  local n=$1; shift
  setsid "$@" > "$n.log" 2>&1 < /dev/null & echo $! > "$n.pid"; }
up_wait() { # what seconds command...
  local w=$1 s=$2; shift 2; local end=$((SECONDS+s))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "up.sh: $w not ready after $s s; see $D/*.log" >&2; exit 1; }
    sleep 0.05
  done; }
get() { curl -sf -m 5 --cacert pki/ca.crt -H "Authorization: Bearer $(tok admin)" "https://$H:$PORT$1"; }

# ---- etcd
if ! alive etcd.pid etcd; then
  [ "${FRESH:-0}" = 1 ] && rm -rf "$ETCD_DIR"
  mkdir -p -m 700 "$ETCD_DIR"; echo "$ETCD_DIR" > etcd.dir
  if [ "$ETCD" != /usr/bin/etcd ] && "$ETCD" -h 2>&1 | grep -q -e '-unsafe-no-fsync$'; then
    start etcd "$ETCD" -data-dir "$ETCD_DIR" -client http://$H:$ETCD_PORT -peer http://$H:$ETCD_PEER -unsafe-no-fsync
  else start etcd "$ETCD" --name k --data-dir "$ETCD_DIR" --logger zap --log-outputs stderr --log-level warn \
    --listen-client-urls http://$H:$ETCD_PORT --advertise-client-urls http://$H:$ETCD_PORT \
    --listen-peer-urls http://$H:$ETCD_PEER --initial-advertise-peer-urls http://$H:$ETCD_PEER --initial-cluster k=http://$H:$ETCD_PEER
  fi
fi
up_wait etcd 20 curl -sf -m 2 http://$H:$ETCD_PORT/health
# ---- apiserver
if ! alive kube-apiserver.pid kube-apiserver; then
  start kube-apiserver "$BIN/kube-apiserver" --etcd-servers=http://$H:$ETCD_PORT --etcd-prefix=/registry \
    --bind-address=$H --advertise-address=$H --secure-port=$PORT --endpoint-reconciler-type=none \
    --tls-cert-file=pki/apiserver.crt --tls-private-key-file=pki/apiserver.key --client-ca-file=pki/ca.crt \
    --token-auth-file=pki/tokens.csv --authorization-mode=RBAC --anonymous-auth=true --allow-privileged=true \
    --service-account-key-file=pki/sa.pub --service-account-signing-key-file=pki/sa.key \
    --service-account-issuer=https://kubernetes.default.svc --api-audiences=https://kubernetes.default.svc \
    --service-cluster-ip-range=10.0.0.0/16 --profiling=true ${APISERVER_ARGS:-}
fi
up_wait kube-apiserver 60 get /readyz
# ---- controller manager (all controllers; one token for all of them, no leader election)
if ! alive kube-controller-manager.pid kube-controller-manager; then
  start kube-controller-manager "$BIN/kube-controller-manager" --kubeconfig=kubeconfig-kcm \
    --bind-address=$H --secure-port=$KCM_PORT $OLD --tls-cert-file=pki/apiserver.crt --tls-private-key-file=pki/apiserver.key \
    --service-account-private-key-file=pki/sa.key --root-ca-file=pki/ca.crt --leader-elect=false \
    --use-service-account-credentials=false --kube-api-qps=$QPS --kube-api-burst=$BURST ${KCM_ARGS:-}
fi
up_wait "service account default" 60 get /api/v1/namespaces/default/serviceaccounts/default
echo "ready: export KUBECONFIG=$D/kubeconfig   (or: . $D/env.sh)"
