#!/bin/sh
# Our files are formatted as .clang-format says. Other versions of clang-format than 14 see details differently.
set -eu
cd "$(dirname "$0")/.."
clang-format --version 2>/dev/null | grep -q 'version 14\.' || { echo "skipped: no clang-format 14 here"; exit 77; }
find reconciler tests -name '*.h' -o -name '*.cpp' | xargs clang-format --dry-run -Werror
echo "all files are formatted"
