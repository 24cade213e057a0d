#!/usr/bin/env bash
# The notebooks, executed by Jupyter with the wheel of this checkout and, for the one in
# Go, by the kernel GoNB.
#
#   notebooks.sh                   fails on an error
#   notebooks.sh update [FILE...]  writes the outputs into the files
#
# C2S_PYTHON_NOTEBOOKS   a Python with what .ci/requirements-notebooks.txt pins
# C2S_CACHE              folder of the cache (default: ~/.cache/c2s-ci)
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${C2S_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/c2s-ci}
task=${1:-check}
files=("${@:2}")
if [ "${#files[@]}" -eq 0 ]; then files=(notebooks/*.ipynb); fi

# GoNB and goimports, which it calls, at the versions of tools/go.mod.
gonb=$cache/bin-gonb-$(cat tools/go.mod tools/go.sum | sha256sum | cut -c1-16)
if [ ! -x "$gonb/gonb" ]; then
  (cd tools && go build -o "$gonb/" github.com/janpfeifer/gonb golang.org/x/tools/cmd/goimports)
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
.ci/wheel.sh venv "$dir/venv"
mkdir -p "$dir/jupyter/kernels/gonb"
cat >"$dir/jupyter/kernels/gonb/kernel.json" <<JSON
{"argv": ["$gonb/gonb", "--kernel", "{connection_file}", "--go_work", "$PWD", "--raw_error"],
 "display_name": "Go (gonb)", "language": "go", "interrupt_mode": "message"}
JSON
JUPYTER_PATH=$dir/jupyter PATH=$dir/venv/bin:$gonb:$PATH \
  "$dir/venv/bin/python" .ci/notebooks.py "$task" "${files[@]}" 2>"$dir/log" || { tail -n 60 "$dir/log"; exit 1; }
