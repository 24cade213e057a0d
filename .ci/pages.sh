#!/usr/bin/env bash
# Opens every page below a folder in a headless Chromium, as a reader would.
#
#   .ci/pages.sh FOLDER [SHOTS]      SHOTS: a folder for screenshots
set -euo pipefail
folder=$(realpath "$1")
shots=${2:+-shots $(realpath "$2")}
cd "$(dirname "$0")/.."
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
(cd tools && go build -o "$bin/pages" ./pages)
cd "$folder"
# shellcheck disable=SC2086 # an option and its value
find . -name '*.html' -print0 | sort -z | xargs -0 "$bin/pages" $shots
