#!/usr/bin/env bash
# Real model servers for the tests, built once a version into a cache:
# llama-server from the llama.cpp source that the npm package node-llama-cpp
# carries as a git bundle (no package registry has it prebuilt for this system),
# and both generations of Ollama from the Go module proxy: since 0.30 it starts
# llama-server, before it had an engine of its own.
#
#   servers.sh build             builds what is not in the cache
#   servers.sh start GGUF DIR    starts all on loopback with homes inside DIR,
#                                prints C2S_LLAMACPP, C2S_OLLAMA and C2S_OLLAMA_OLD
#                                (URLs), their process ids and C2S_LLAMACPP_BIN,
#                                for eval
#   servers.sh stop DIR          stops what start has started, by process id
#
# C2S_CACHE            folder of the cache (default: ~/.cache/c2s-ci)
#
# Building takes about 8, 1.5 and 3.5 minutes of two idle processors.
set -euo pipefail

cache=${C2S_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/c2s-ci}
llama_package=3.22.1 # of node-llama-cpp: llama.cpp v0.5.0, commit de3ff815
llama_sha256=a0d9dd80eacd2ab1cfe71aee57ac8a806487fd70b3d2a38fbec637752d9e5c5f
llama=$cache/llama-server-$llama_package
ollama_new=0.32.15
ollama_old=0.17.4

debian() { # PROGRAM|FILE PACKAGE...
  if [ -e "$1" ] || command -v "$1" >/dev/null; then return; fi
  shift
  apt-get update -q >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2
}

# Programs appear in the cache whole: they are built elsewhere and moved there. The
# steps run in the background only because a shell does not stop at the first that
# fails where the whole is tested for failure.
build_llama() {
  if [ -x "$llama/llama-server" ] && [ -x "$llama/llama-quantize" ]; then return; fi
  debian cmake cmake
  debian ninja ninja-build
  debian g++ g++
  debian git git
  debian npm npm
  local work tgz=node-llama-cpp-$llama_package.tgz
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/build-XXXXXX")
  (
    cd "$work"
    npm pack --silent "node-llama-cpp@$llama_package"
    echo "$llama_sha256  $tgz" | sha256sum --check --quiet
    tar xzf "$tgz" package/llama/gitRelease.bundle
    git -c advice.detachedHead=false clone -q package/llama/gitRelease.bundle src
    # Without the two switches UI and OPENSSL the build downloads; AVX2 rather than
    # NATIVE, so that a cached program runs on another machine, too.
    cmake -S src -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
      -DLLAMA_OPENSSL=OFF -DLLAMA_USE_PREBUILT_UI=OFF \
      -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF \
      -DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON
    nice -n 10 cmake --build build --target llama-server llama-quantize -j 2
    strip build/bin/llama-server build/bin/llama-quantize
  ) >"$cache/llama-server.log" 2>&1 &
  wait $! || { tail -n 30 "$cache/llama-server.log" >&2; rm -rf "$work"; return 1; }
  mkdir "$work/out"
  mv "$work/build/bin/llama-server" "$work/build/bin/llama-quantize" "$work/out/"
  rm -rf "$llama"
  mv "$work/out" "$llama"
  rm -rf "$work"
}

build_ollama() { # VERSION
  local ollama=$cache/ollama-$1
  if [ -x "$ollama/bin/ollama" ]; then return; fi
  debian gcc gcc
  local work ld="-s -w -X=github.com/ollama/ollama/version.Version=$1"
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/build-XXXXXX")
  mkdir -p "$work/bin" "$work/lib/ollama"
  (
    cd "$work"
    export CGO_ENABLED=1 GOBIN=$work/bin GOFLAGS=-mod=mod
    case $1 in
    0.3?.*)
      # It looks for llama-server and llama-quantize in ../lib/ollama.
      install -m755 "$llama/llama-server" "$llama/llama-quantize" lib/ollama/
      ;;
    *)
      # Module archives leave out vendored headers: two sets are Debian's, one is
      # another module's. Without -march its engine uses SSE only.
      debian g++ g++
      debian /usr/include/nlohmann/json.hpp nlohmann-json3-dev
      debian /usr/include/stb/stb_image.h libstb-dev
      go mod download github.com/gen2brain/malgo@v0.11.24
      mkdir -p inc/miniaudio
      install -m644 "$(go env GOMODCACHE)/github.com/gen2brain/malgo@v0.11.24/miniaudio.h" inc/miniaudio/
      export CGO_CPPFLAGS="-I$work/inc" CGO_CFLAGS="-O3 -march=x86-64-v3" CGO_CXXFLAGS="-O2 -march=x86-64-v3"
      ;;
    esac
    nice -n 10 go install -trimpath -ldflags="$ld" "github.com/ollama/ollama@v$1"
  ) >"$cache/ollama-$1.log" 2>&1 &
  wait $! || { tail -n 30 "$cache/ollama-$1.log" >&2; rm -rf "$work"; return 1; }
  rm -rf "$ollama" "$work/inc"
  mv "$work" "$ollama"
}

timed() { # NAME COMMAND...
  local name=$1 start=$SECONDS
  shift
  "$@"
  echo "$name: $((SECONDS - start)) s" >&2
}

build() {
  timed "llama-server $llama_package" build_llama
  timed "ollama $ollama_new" build_ollama "$ollama_new"
  timed "ollama $ollama_old" build_ollama "$ollama_old"
}

# A port that is free now. Between this and the server's start another program may
# take it: then the server ends and start fails.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Waits until the server of a process id answers, for at most a minute.
answers() { # NAME PID PORT PATH LOG
  local try
  for ((try = 0; try < 300; try++)); do
    if ! kill -0 "$2" 2>/dev/null; then break; fi
    if python3 - "http://127.0.0.1:$3$4" <<'EOS' 2>/dev/null; then return; fi
import sys, urllib.request
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], timeout=2).read()
EOS
    sleep 0.2
  done
  echo "$1 does not answer:" >&2
  tail -n 20 "$5" >&2
  return 1
}

# Three slots of 512 tokens: a full context is soon full. Attention in float32, as the
# answers are compared with a reference. One thread: with more than
# there are idle processors, those of ggml spin.
start_llama() { # GGUF DIR
  local port pid
  port=$(free_port)
  mkdir -p "$2/llama"
  HOME=$2/llama setsid "$llama/llama-server" -m "$1" -c 1536 -np 3 -t 1 -fa off -ctk f32 -ctv f32 --offline --no-ui --embeddings --pooling none \
    --host 127.0.0.1 --port "$port" </dev/null >"$2/llama-server.log" 2>&1 &
  pid=$!
  echo "$pid" >>"$2/pids"
  answers llama-server "$pid" "$port" /health "$2/llama-server.log" || return 1
  echo "C2S_LLAMACPP=http://127.0.0.1:$port C2S_LLAMACPP_PID=$pid C2S_LLAMACPP_BIN=$llama"
}

# Eight slots, as each streamed request that the tests cancel may cost one: see Generate
# in llm/ollama.
start_ollama() { # GGUF DIR VERSION VARIABLE
  local port pid home=$2/ollama-$3 ollama=$cache/ollama-$3
  port=$(free_port)
  mkdir -p "$home/models"
  export HOME=$home OLLAMA_MODELS=$home/models OLLAMA_HOST=127.0.0.1:$port OLLAMA_KEEP_ALIVE=1h OLLAMA_NUM_PARALLEL=8
  setsid "$ollama/bin/ollama" serve </dev/null >"$2/ollama-$3.log" 2>&1 &
  pid=$!
  echo "$pid" >>"$2/pids"
  answers ollama "$pid" "$port" /api/version "$2/ollama-$3.log" || return 1
  printf 'FROM %s\nTEMPLATE "{{ .Prompt }}"\n' "$(realpath "$1")" >"$home/Modelfile"
  "$ollama/bin/ollama" create c2s-test -f "$home/Modelfile" >"$home/create.log" 2>&1 ||
    { tail -n 20 "$home/create.log" >&2; return 1; }
  echo "$4=http://127.0.0.1:$port $4_PID=$pid"
}

start() { # GGUF DIR
  [ -r "$1" ] || { echo "no model at $1" >&2; return 1; }
  mkdir -p "$2"
  if [ -s "$2/pids" ]; then echo "$2 has servers already: stop them first" >&2; return 1; fi
  build
  : >"$2/pids"
  (start_llama "$1" "$2") || { stop "$2"; return 1; }
  (start_ollama "$1" "$2" "$ollama_new" C2S_OLLAMA) || { stop "$2"; return 1; }
  (start_ollama "$1" "$2" "$ollama_old" C2S_OLLAMA_OLD) || { stop "$2"; return 1; }
}

# Ollama ends its own llama-server on SIGTERM, not if it is killed.
stop() { # DIR
  [ -s "$1/pids" ] || return 0
  local pid try
  while read -r pid; do
    kill -TERM "$pid" 2>/dev/null || continue
    for ((try = 0; try < 50; try++)); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
  done <"$1/pids"
  rm -f "$1/pids"
}

case ${1:-} in
build) build ;;
start) start "${2:?GGUF}" "${3:?DIR}" ;;
stop) stop "${2:?DIR}" ;;
*)
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
