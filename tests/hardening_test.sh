#!/bin/sh
# The service file keeps its exposure below 2.0 (systemd-analyze's scale of 0 to 10).
set -eu
command -v systemd-analyze >/dev/null || { echo "skipped: no systemd-analyze here"; exit 77; }
unit="$(dirname "$0")/../systemd/serin.service"
# A systemd too old for --offline cannot say.
line=$(systemd-analyze security --offline=true --no-pager "$unit" | grep 'Overall exposure level')
echo "$line"
echo "$line" | awk '{ for (i = 1; i <= NF; i++) if ($i + 0 > 0 || $i == "0.0") { exit !($i < 2.0) } exit 1 }'
