#!/usr/bin/env bash
# What a release promises: the module installs from a proxy with the go command alone,
# and the binaries of six targets come out of the same commit as the same bytes.
#
# It looks at HEAD, as a tag would be; nothing is published.
#
# C2S_CACHE   folder of the cache (default: ~/.cache/c2s-ci)
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${C2S_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/c2s-ci}
goreleaser_version=v2.15.1
goreleaser=$cache/bin-goreleaser-$goreleaser_version/goreleaser
module=$(go list -m)

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# A tag must be the version that the command tells.
version=$(sed -n 's/^const version = "\(.*\)"$/\1/p' cmd/c2s/version.go)
for tag in $(git tag --points-at HEAD 'v*'); do
  if [ "$tag" != "v$version" ]; then echo "the tag $tag is not the version $version of cmd/c2s/version.go"; exit 1; fi
done

# SECURITY.md says what is fuzzed.
for target in $(git grep -ho 'func Fuzz[A-Za-z0-9]*' -- '*_test.go' | sed 's/func //' | sort -u); do
  if ! grep -q "\`$target\`" SECURITY.md; then echo "SECURITY.md does not name $target"; exit 1; fi
done

installs() {
  echo "-- go install $module/cmd/c2s@v0.0.0-ci"
  local proxy=$dir/proxy source=$dir/source downloaded
  downloaded=$(go env GOMODCACHE)/cache/download
  mkdir "$source"
  git archive HEAD | tar -x -C "$source"
  (cd tools && go run ./modzip -source "$source" -version v0.0.0-ci -proxy "$proxy")
  # Outside any module, into a module cache of its own. What the machine has downloaded
  # already serves as a proxy for the rest. -trimpath lets the build cache be shared.
  (
    cd "$dir"
    export GOMODCACHE=$dir/mod
    if ! GOPROXY=file://$proxy,file://$downloaded,$(go env GOPROXY) GONOSUMDB=$module GOBIN=$dir/bin \
      GOFLAGS='-modcacherw -trimpath' go install "$module/cmd/c2s@v0.0.0-ci" 2>install.log; then
      cat install.log
      return 1
    fi
    echo "downloaded: $(find mod/cache/download \( -name '*.zip' -o -name '*.mod' \) -print0 | xargs -0 cat | wc -c) bytes, of which ours $(stat -c %s "$proxy/$module/@v/v0.0.0-ci.zip")"
    stat -c 'binary: %s bytes' bin/c2s
    bin/c2s version
    bin/c2s demo -o demo >demo.log
    tail -n 1 demo.log
  )
}

# goreleaser is built once a version, outside this module.
build_goreleaser() {
  if [ -x "$goreleaser" ]; then return; fi
  GOBIN=$(dirname "$goreleaser") GOFLAGS=-mod=mod go install -trimpath -ldflags '-s -w' \
    "github.com/goreleaser/goreleaser/v2@$goreleaser_version"
}

# A clone at another path, with nothing in it but the commit.
release() { # NAME
  git clone -q --no-hardlinks . "$dir/$1"
  (cd "$dir/$1" && "$goreleaser" release --snapshot --clean) >"$dir/$1.log" 2>&1 || { cat "$dir/$1.log"; return 1; }
}

reproducible() {
  echo '-- six targets, twice'
  release one
  release two
  cat "$dir/one/dist/checksums.txt"
  cmp "$dir/one/dist/checksums.txt" "$dir/two/dist/checksums.txt"
  (cd "$dir/one/dist" && sha256sum --check --quiet checksums.txt)
  [ "$(wc -l <"$dir/one/dist/checksums.txt")" -eq 6 ]
  # The two have shared the build cache. One target once more without it.
  echo '-- one target without any cache'
  (cd "$dir/two" && GOCACHE=$dir/cold CGO_ENABLED=0 go build -trimpath -buildvcs=true -ldflags '-s -w' -o "$dir/again" ./cmd/c2s)
  mkdir "$dir/unpacked"
  tar -xzf "$dir"/one/dist/c2s_*_"$(go env GOOS)_$(go env GOARCH)".tar.gz -C "$dir/unpacked"
  cmp "$dir/again" "$dir/unpacked/c2s"
  "$dir/unpacked/c2s" version
  # Static, with man pages beside it.
  if command -v ldd >/dev/null && ldd "$dir/unpacked/c2s" >/dev/null 2>&1; then echo 'the binary is not static'; return 1; fi
  [ -s "$dir/unpacked/man/man1/c2s-encode.1" ]
}

installs
build_goreleaser
reproducible
