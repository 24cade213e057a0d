#!/usr/bin/env bash
# The Python wheel: its types, a build, and its tests against the installed wheel.
#
#   wheel.sh            checks all that
#   wheel.sh venv DIR   makes the environment DIR with the wheel installed, as a user has it
#
# C2S_PYTHON_NOTEBOOKS   a Python with what .ci/requirements-notebooks.txt pins
set -euo pipefail
cd "$(dirname "$0")/.."
python=${C2S_PYTHON_NOTEBOOKS:?names a Python with .ci/requirements-notebooks.txt}

# A new environment that sees the packages of $python and changes nothing of them.
venv() { # DIR
  local wheels=$1/wheels
  "$python" -m venv "$1"
  "$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
    >"$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/packages.pth"
  "$python" -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation -w "$wheels" ./python
  "$1/bin/python" -m pip install -q --disable-pip-version-check --no-deps --no-index "$wheels"/*.whl
}

if [ "${1-}" = venv ]; then
  venv "$2"
  exit
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
(cd python && "$python" -m mypy --cache-dir "$dir/mypy")
venv "$dir/venv"
stat -c '%n: %s bytes' "$dir"/venv/wheels/*.whl | sed 's|.*/||'
# Away from the checkout, so that nothing but the wheel is imported.
tests=$PWD/python/tests
cd "$dir"
venv/bin/python -m pytest -q "$tests"
# As users type it.
[ "$(venv/bin/c2s version)" = "$(venv/bin/python -c 'import c2s; print(c2s.run("version"), end="")')" ]
