# What Serin needs from Debian 12 or 13, in one place. Sourced by tests/run.sh and examples-repo/demo.sh.

build_packages="g++ cmake ninja-build ccache pkg-config libgit2-dev libcpprest-dev libcurl4-openssl-dev zlib1g-dev libyaml-cpp-dev libspdlog-dev
  libboost-dev libboost-system-dev libboost-program-options-dev libvalijson-dev nlohmann-json3-dev libssl-dev
  libsystemd-dev libabsl-dev tzdata ca-certificates"

test_packages="catch2 clang-format git gpg gpg-agent gpgv openssh-server openssh-client nginx-light fcgiwrap prometheus etcd-server
  python3 python3-yaml curl jq openssl procps"

# The words that are no installed package.
missing_packages() {
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

# Installs what is missing, as root or with sudo; asks apt for nothing when all is there. Services among the packages
# are not started: a policy for that stands while apt runs.
install_packages() {
  command -v apt-get >/dev/null || { echo "no apt-get here: make sure these are installed: $*" >&2; return 0; }
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "run this as root, or install first:" $missing >&2; return 1; }
    as_root="sudo"
  fi
  echo "installing:" $missing
  $as_root sh -c '
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
      trap "rm -f $policy" EXIT
      trap "exit 1" HUP INT TERM
      printf "#!/bin/sh\nexit 101\n" > $policy && chmod 755 $policy
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update && apt-get -q -y install --no-install-recommends "$@"' sh $missing >"${TMPDIR:-/tmp}/serin-apt.$$" 2>&1 ||
    { cat "${TMPDIR:-/tmp}/serin-apt.$$" >&2; rm -f "${TMPDIR:-/tmp}/serin-apt.$$"; return 1; }
  rm -f "${TMPDIR:-/tmp}/serin-apt.$$"
}
