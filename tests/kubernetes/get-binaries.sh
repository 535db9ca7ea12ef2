#!/bin/bash
# Prints a folder with kube-apiserver and kube-controller-manager (etcd comes from Debian's etcd-server), made if need be:
#   1. $KUBEBUILDER_ASSETS, the convention of the field, when it holds both;
#   2. the cache, ${XDG_CACHE_HOME:-~/.cache}/serin/kubernetes/VERSION;
#   3. built into the cache from the Go modules of Kubernetes itself, with a Go that is new enough (about 4 minutes);
#   4. built into the cache from Debian 12's source package, as root (about 5 minutes; 1.20, old but a real one).
# Exit code 77: it cannot be had here; the reason is on standard error.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=1.34.2
needs_go=1.24
debian_version=1.20.2
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/serin/kubernetes

say() { echo "kubernetes: $*" >&2; }
is_complete() { [ -x "$1/kube-apiserver" ] && [ -x "$1/kube-controller-manager" ]; }
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# The staging modules of Kubernetes are part of its own tree; outside of it each is a module with a version of its own.
write_module() {
  local source=$1
  cat > go.mod <<M
module serin.dev/tests/kubernetes
go $(awk '$1 == "go" { print $2 }' "$source/go.mod")
require k8s.io/kubernetes v$version
M
  awk '/=> \.\/staging\/src\// { print $1 }' "$source/go.mod" | sort -u |
    while read -r module; do echo "replace $module => $module v0.${version#1.}"; done >> go.mod
  cat > tools.go <<M
//go:build tools

package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
M
}

build_from_modules() {
  local to=$1 work source flags program
  export PATH=$PATH:/usr/local/go/bin
  command -v go >/dev/null || { say "no go here"; return 1; }
  at_least "$needs_go" "$(go env GOVERSION | sed 's/^go//')" || { say "$(go env GOVERSION) is older than $needs_go"; return 1; }
  export GOTOOLCHAIN=local GOFLAGS=-modcacherw CGO_ENABLED=0
  work=$(mktemp -d); trap 'rm -rf "$work"' RETURN
  cd "$work"
  say "building $version from its Go modules; this takes some minutes, once"
  source=$(go mod download -json "k8s.io/kubernetes@v$version" 2>"$work/log" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')
  [ -n "$source" ] || { say "its modules cannot be had: $(tail -n 1 "$work/log")"; return 1; }
  write_module "$source"
  go mod tidy >"$work/log" 2>&1 || { say "go mod tidy failed: $(tail -n 1 "$work/log")"; return 1; }
  flags="-s -w"
  for program in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags="$flags -X $program.gitVersion=v$version -X $program.gitMajor=1 -X $program.gitMinor=$(echo $version | cut -d. -f2)"
  done
  mkdir "$work/bin"
  for program in kube-apiserver kube-controller-manager kubectl; do
    go build -trimpath -ldflags "$flags" -o "$work/bin/" "k8s.io/kubernetes/cmd/$program" >"$work/log" 2>&1 ||
      { say "$program does not build: $(tail -n 1 "$work/log")"; return 1; }
  done
  cp "$work"/bin/* "$to/"
}

build_from_debian() {
  local to=$1 work
  grep -q bookworm /etc/os-release 2>/dev/null || { say "this is not Debian 12, whose source package could be built"; return 1; }
  [ "$(id -u)" -eq 0 ] || { say "only root can build Debian's source package"; return 1; }
  work=$(mktemp -d); trap 'rm -rf "$work"' RETURN
  say "building $debian_version from Debian's source package; this takes some minutes, once"
  "$here/build-from-debian.sh" "$work" >"$work.log" 2>&1 || { say "that failed: $(tail -n 1 "$work.log")"; return 1; }
  cp "$work"/bin/* "$to/"
}

# How a version gets into the cache: built beside it and renamed, so that it is there whole or not at all.
into_cache() {
  local name=$1 builder=$2 fresh
  is_complete "$cache/$name" && { echo "$cache/$name"; return 0; }
  fresh=$(mktemp -d "$cache/new.XXXXXX")
  if ("$builder" "$fresh") && is_complete "$fresh"; then
    chmod 755 "$fresh"; rm -rf "${cache:?}/$name"; mv "$fresh" "$cache/$name"; echo "$cache/$name"; return 0
  fi
  rm -rf "$fresh"; return 1
}

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  is_complete "$KUBEBUILDER_ASSETS" && { echo "$KUBEBUILDER_ASSETS"; exit 0; }
  say "KUBEBUILDER_ASSETS holds no kube-apiserver with a kube-controller-manager beside it"
fi
mkdir -p "$cache"
exec 9>"$cache/lock"; flock 9  # one build, however many tests ask at once
into_cache "v$version" build_from_modules && exit 0
into_cache "v$debian_version" build_from_debian && exit 0
echo "skipped: no Kubernetes control plane can be had here (see above)" >&2
exit 77
