#!/usr/bin/env bash
# What damage and kill -9 leave: 2,000 mutations of some 20 files, copied in every
# way, and convert, annotate and screen run killed at 50 random moments each.
#
#   bench/survival.sh              needs C2S_SHARED (real files)
set -euo pipefail
cd "$(dirname "$0")/.."
C2S_ROUNDS=${C2S_ROUNDS:-2000} go test -count=1 -v -run DamagedFilesAreCopied ./h5ad
C2S_KILLS=${C2S_KILLS:-50} go test -count=1 -v -run Killed ./cmd/c2s
