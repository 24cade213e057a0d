#!/usr/bin/env bash
# Real model servers for the tests, built once a version into a cache:
# llama-server from the llama.cpp source that the npm package node-llama-cpp
# carries as a git bundle (no package registry has it prebuilt for this system),
# and Ollama from the Go module proxy.
#
#   servers.sh build             builds what is not in the cache
#   servers.sh start GGUF DIR    starts both on loopback with homes inside DIR,
#                                prints C2S_LLAMACPP=URL and C2S_OLLAMA=URL, and
#                                the process ids, for eval
#   servers.sh stop DIR          stops what start has started, by process id
#
# C2S_CACHE            folder of the cache (default: ~/.cache/c2s-ci)
# C2S_OLLAMA_VERSION   0.32.15 (default), or 0.17.4: the generation with an engine
#                      of its own
set -euo pipefail

cache=${C2S_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/c2s-ci}
llama_package=3.22.1 # of node-llama-cpp: llama.cpp v0.5.0, commit de3ff815
llama_sha256=a0d9dd80eacd2ab1cfe71aee57ac8a806487fd70b3d2a38fbec637752d9e5c5f
llama=$cache/llama-server-$llama_package
ollama_version=${C2S_OLLAMA_VERSION:-0.32.15}
ollama=$cache/ollama-$ollama_version

debian() { # PROGRAM PACKAGE...
  command -v "$1" >/dev/null && return
  shift
  apt-get update -q >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2
}

# Programs appear in the cache whole: they are built elsewhere and moved there.
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
  ) >"$cache/llama-server.log" 2>&1 || { tail -n 30 "$cache/llama-server.log" >&2; return 1; }
  mkdir "$work/out"
  mv "$work/build/bin/llama-server" "$work/build/bin/llama-quantize" "$work/out/"
  rm -rf "$llama"
  mv "$work/out" "$llama"
  rm -rf "$work"
}

build_ollama() {
  if [ -x "$ollama/bin/ollama" ]; then return; fi
  debian gcc gcc
  local work ld="-s -w -X=github.com/ollama/ollama/version.Version=$ollama_version"
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/build-XXXXXX")
  mkdir -p "$work/bin" "$work/lib/ollama"
  (
    cd "$work"
    export CGO_ENABLED=1 GOBIN=$work/bin GOFLAGS=-mod=mod
    case $ollama_version in
    0.3?.*)
      # It looks for llama-server and llama-quantize in ../lib/ollama.
      install -m755 "$llama/llama-server" "$llama/llama-quantize" lib/ollama/
      ;;
    *)
      # Module archives leave out vendored headers: two sets are Debian's, one is
      # another module's. Without -march its engine uses SSE only.
      debian g++ g++
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nlohmann-json3-dev libstb-dev
      go mod download github.com/gen2brain/malgo@v0.11.24
      mkdir -p inc/miniaudio
      install -m644 "$(go env GOMODCACHE)/github.com/gen2brain/malgo@v0.11.24/miniaudio.h" inc/miniaudio/
      export CGO_CPPFLAGS="-I$work/inc" CGO_CFLAGS="-O3 -march=x86-64-v3" CGO_CXXFLAGS="-O2 -march=x86-64-v3"
      ;;
    esac
    nice -n 10 go install -trimpath -ldflags="$ld" "github.com/ollama/ollama@v$ollama_version"
  ) >"$cache/ollama.log" 2>&1 || { tail -n 30 "$cache/ollama.log" >&2; return 1; }
  rm -rf "$ollama" "$work/inc"
  mv "$work" "$ollama"
}

timed() { # NAME COMMAND
  local start=$SECONDS
  "$2"
  echo "$1: $((SECONDS - start)) s" >&2
}

build() {
  timed "llama-server $llama_package" build_llama
  timed "ollama $ollama_version" build_ollama
}

case ${1:-} in
build) build ;;
*)
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
