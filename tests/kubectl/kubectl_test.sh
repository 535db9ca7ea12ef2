#!/bin/bash
# Drives the embedded cluster with real, unmodified kubectl: every version named in $KUBECTL (separated by spaces),
# else the one in PATH. usage: kubectl_test.sh SERIN
set -u
serin=${1:?usage: kubectl_test.sh SERIN}
versions=${KUBECTL:-$(command -v kubectl || true)}
if [ -z "$versions" ]; then
  echo "skipped: no kubectl in PATH or \$KUBECTL"
  exit 77
fi

work=$(mktemp -d)
server=
failures=0
stop() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; fi
  rm -rf "$work"
}
trap stop EXIT

fail() {
  failures=$((failures + 1))
  echo "FAILED ($name): $1" >&2
  [ -n "${2:-}" ] && echo "$2" | sed 's/^/    /' >&2
  return 0
}

k() { "$kubectl" --kubeconfig "$work/kubeconfig" --cache-dir "$work/cache-$name" "$@" 2>&1; }

# expect WHAT PATTERN ARGUMENTS...: kubectl succeeds and prints something that fits the pattern.
expect() {
  local what=$1 pattern=$2 out
  shift 2
  if ! out=$(k "$@"); then
    fail "$what: kubectl $* failed" "$out"
  elif ! grep -Eq -- "$pattern" <<<"$out"; then
    fail "$what: no /$pattern/ from kubectl $*" "$out"
  fi
}

# refuse WHAT PATTERN ARGUMENTS...: kubectl fails and says why.
refuse() {
  local what=$1 pattern=$2 out
  shift 2
  if out=$(k "$@"); then
    fail "$what: kubectl $* succeeded" "$out"
  elif ! grep -Eq -- "$pattern" <<<"$out"; then
    fail "$what: no /$pattern/ from kubectl $*" "$out"
  fi
}

# until_true WHAT COMMAND...: within 20 seconds.
until_true() {
  local what=$1 end=$((SECONDS + 20))
  shift
  until "$@"; do
    if [ $SECONDS -ge $end ]; then
      fail "$what: not within 20 s" "$(k get all -n "$ns")"
      return
    fi
    sleep 0.1
  done
}

ready() { [ "$(k get deployment web -n "$ns" -o 'jsonpath={.status.readyReplicas}')" = "$1" ]; }

start() {
  rm -f "$work/kubeconfig" "$work/out"
  "$serin" cluster --listen 127.0.0.1:0 --write-kubeconfig "$work/kubeconfig" --ready-after 200ms \
    --log-requests "$work/requests" >"$work/out" 2>"$work/err" &
  server=$!
  local end=$((SECONDS + 20))
  until grep -q '^listening on http://127.0.0.1:' "$work/out" 2>/dev/null; do
    if [ $SECONDS -ge $end ] || ! kill -0 $server 2>/dev/null; then
      cat "$work/err" >&2
      echo "serin cluster did not start" >&2
      exit 1
    fi
    sleep 0.05
  done
  [ "$(stat -c %a "$work/kubeconfig")" = 600 ] || fail "the kubeconfig is readable by others"
}

manifests() {
  cat >"$work/web.yaml" <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: $ns, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: registry.example.com/web:v1
        ports: [{containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: $ns}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata: {name: web, namespace: $ns}
spec:
  hosts: [web]
  http:
  - name: primary
    route:
    - {destination: {host: web}, weight: 100}
    - {destination: {host: web-canary}, weight: 0}
YAML
  cat >"$work/config.yaml" <<YAML
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: $ns, labels: {tier: back}}
data: {colour: green, size: large}
YAML
  cat >"$work/crd.yaml" <<YAML
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.$name.example.com}
spec:
  group: $name.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wg]}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
YAML
  cat >"$work/widget.yaml" <<YAML
apiVersion: $name.example.com/v1
kind: Widget
metadata: {name: one, namespace: $ns}
spec: {size: 1}
YAML
  cat >"$work/namespace.yaml" <<YAML
apiVersion: v1
kind: Namespace
metadata: {name: $ns}
YAML
}

workloads() {
  expect apply 'deployment.apps/web created' apply -f "$work/web.yaml"
  expect "apply again" 'virtualservice.networking.istio.io/web unchanged' apply -f "$work/web.yaml"
  until_true "pods become ready" ready 2
  expect "rollout status" 'successfully rolled out' rollout status deployment/web -n "$ns" --timeout=20s
  expect "table" '^NAME +READY +UP-TO-DATE +AVAILABLE +AGE' get deployments -n "$ns"
  expect "table row" '^web +2/2 +2 +2 ' get deploy -n "$ns"
  expect "wide" 'registry.example.com/web:v1' get rs -n "$ns" -o wide
  expect "pods" '^web-[a-z0-9]+-[a-z0-9]{5} +1/1 +Running +0 ' get pods -n "$ns"
  expect "all namespaces" "^$ns +web +ClusterIP +10\.96\." get svc -A
  expect "short name" '^web +\["web"\]|^web .*\["web"\]' get vs -n "$ns"
  expect "yaml" '^kind: VirtualService' get vs web -n "$ns" -o yaml
  expect "all" 'deployment.apps/web' get all -n "$ns"
  expect "describe deployment" 'StrategyType: +RollingUpdate' describe deployment web -n "$ns"
  expect "describe pod" 'Status: +Running' describe pods -n "$ns" -l app=web
  expect "describe service" 'Port: +<unset> +80/TCP' describe service web -n "$ns"
  expect "describe vs" 'Kind: +VirtualService' describe vs web -n "$ns"
  expect scale 'deployment.apps/web scaled' scale deployment web --replicas=4 -n "$ns"
  until_true "scaled up" ready 4
  expect "set image" 'image updated' set image deployment/web app=registry.example.com/web:v2 -n "$ns"
  expect "rolled" 'successfully rolled out' rollout status deployment/web -n "$ns" --timeout=20s
  expect "wait" 'condition met' wait --for=condition=Available deployment/web -n "$ns" --timeout=20s
  expect "strategic patch" 'patched' patch deployment web -n "$ns" \
    -p '{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"registry.example.com/web:v3-broken"}]}}}}'
  until_true "a broken image shows" sh -c "'$kubectl' --kubeconfig '$work/kubeconfig' get pods -n $ns | grep -q ImagePullBackOff"
  expect "delete" 'deployment.apps "web" deleted' delete deployment web -n "$ns"
  until_true "pods go with it" sh -c "[ -z \"\$('$kubectl' --kubeconfig '$work/kubeconfig' get pods -n $ns -o name)\" ]"
}

patches() {
  expect "json patch" 'patched' patch vs web -n "$ns" --type=json \
    -p '[{"op":"test","path":"/spec/http/0/route/1/weight","value":0},{"op":"replace","path":"/spec/http/0/route/1/weight","value":20}]'
  expect "weight" '^20$' get vs web -n "$ns" -o 'jsonpath={.spec.http[0].route[1].weight}{"\n"}'
  refuse "json test" 'unable|rejected|error|invalid' patch vs web -n "$ns" --type=json \
    -p '[{"op":"test","path":"/spec/http/0/route/1/weight","value":5}]'
  expect "merge patch" 'patched' patch vs web -n "$ns" --type=merge -p '{"metadata":{"labels":{"a":"b"}}}'
  expect "label selector" 'web' get vs -n "$ns" -l a=b -o name
  expect "label" 'labeled' label vs web -n "$ns" a=c --overwrite
  expect "annotate" 'annotated' annotate vs web -n "$ns" note=x
}

server_side() {
  expect "server-side apply" 'configmap/settings serverside-applied' apply --server-side -f "$work/config.yaml"
  expect "field manager" 'manager: kubectl' get cm settings -n "$ns" -o yaml \
    $([ "$name" = v1-20 ] || echo --show-managed-fields)
  expect "another manager" 'patched' patch cm settings -n "$ns" --type=merge -p '{"data":{"colour":"red"}}'
  refuse "conflict" 'Apply failed with 1 conflict|\.data\.colour' apply --server-side -f "$work/config.yaml"
  expect "force" 'serverside-applied' apply --server-side --force-conflicts -f "$work/config.yaml"
  expect "forced value" '^green$' get cm settings -n "$ns" -o 'jsonpath={.data.colour}{"\n"}'
  expect "selectors" 'settings' get cm -n "$ns" -l 'tier in (back,front),!none' -o name
  expect "diff-free dry run" 'dry run' apply --server-side --dry-run=server -f "$work/config.yaml"
}

custom() {
  expect "crd" 'created' apply -f "$work/crd.yaml"
  expect "crd established" 'condition met' wait --for=condition=Established "crd/widgets.$name.example.com" --timeout=20s
  expect "custom object" 'created' apply -f "$work/widget.yaml"
  expect "custom by short name" '^one ' get wg -n "$ns"
  expect "api-resources" 'virtualservices +vs' api-resources
  expect "custom delete" 'deleted' delete -f "$work/widget.yaml"
  expect "crd delete" 'deleted' delete -f "$work/crd.yaml"
}

watching() {
  : >"$work/watch"
  k get configmaps -n "$ns" -w >"$work/watch" &
  local watcher=$!
  until_true "the watch has begun" grep -q settings "$work/watch"
  k delete cm settings -n "$ns" >/dev/null
  sed 's/settings/later/' "$work/config.yaml" | k apply -f - >/dev/null
  until_true "the watch sees a new object" grep -q '^later' "$work/watch"
  kill $watcher
  wait $watcher 2>/dev/null
}

plain() {
  expect "version" 'Server Version' version
  expect "raw" '"gitVersion"' get --raw /version
  expect "health" '^ok$' get --raw /readyz
  expect "prometheus" '"status":"success"' get --raw '/prometheus/api/v1/query?query=up'
  refuse "missing" 'pods "nothing" not found' get pod nothing -n "$ns"
  refuse "invalid" 'is invalid' create -f - <<YAML
apiVersion: v1
kind: ConfigMap
metadata: {name: Not_A_Name, namespace: $ns}
YAML
  expect "replace" 'replaced' replace -f "$work/config.yaml"
  expect "edit by get and replace" 'replaced' replace -f <(k get cm settings -n "$ns" -o yaml)
}

start
for kubectl in $versions; do
  name=$("$kubectl" version --client -o json 2>/dev/null | sed -n 's/.*"gitVersion": "v\([0-9]*\)\.\([0-9]*\).*/v\1-\2/p' | head -1)
  if [ -z "$name" ]; then
    echo "no kubectl: $kubectl" >&2
    exit 1
  fi
  ns=test-$name
  before=$failures
  manifests
  refuse "namespace must exist" "namespaces \"$ns\" not found" apply -f "$work/config.yaml"
  expect "namespace" 'created' apply -f "$work/namespace.yaml"
  workloads
  patches
  server_side
  plain
  custom
  watching
  expect "namespace delete" 'deleted' delete namespace "$ns" --timeout=20s
  refuse "namespace is gone" 'not found' get namespace "$ns"
  [ $failures = $before ] && echo "kubectl $name: all well"
done
kill -TERM $server
wait $server
code=$?
server=
[ $code = 0 ] || fail "exit code $code after SIGTERM"
[ -s "$work/requests" ] || fail "the request log is empty"
[ $failures = 0 ] || exit 1
