#!/usr/bin/env bash
# Memory and speed of concat and convert on 200,000 cells × 20,000 genes (400 M
# non-zeros, made by joining a matrix of 40 M ten times), and the time a cell at 10 k,
# 50 k and 200 k cells.
#
#   bench/convert.sh WORKDIR       needs C2S_PYTHON and C2S_SHARED (gen_bench.py), and
#                                  8 GB of disk
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:?usage: bench/convert.sh WORKDIR}
shared=${C2S_SHARED:-../shared}
python=${C2S_PYTHON:-python3}
mkdir -p "$dir"
[ -e "$dir/gzip4.h5ad" ] || "$python" "$shared/bench/gen_bench.py" "$dir" --only gzip4
CGO_ENABLED=0 go build -o "$dir/c2s" ./cmd/c2s
cd "$dir"
timed() { # LABEL COMMAND...
  local label=$1
  shift
  /usr/bin/time -f "%e s wall, %U s user, %S s system, %M KiB: $label" "$@"
}
f=gzip4.h5ad
[ -e big.h5ad ] || timed 'concat of ten files' ./c2s concat $f $f $f $f $f $f $f $f $f $f -o big.h5ad \
  --index-unique - --keys 0,1,2,3,4,5,6,7,8,9 --compression gzip -q --progress never
cat big.h5ad >/dev/null
for flags in '' '--sample 100000' '--normalize median --log1p 10 --min-genes 200' '--compression gzip --level 1' '--to csc'; do
  rm -f out.h5ad
  timed "convert $flags" ./c2s convert big.h5ad out.h5ad $flags -q --progress never
done
rm -f back.h5ad
timed 'convert csc to csr --memory 500MB' ./c2s convert out.h5ad back.h5ad --to csr --memory 500MB -q --progress never
rm -f out.h5ad back.h5ad
for n in 10000 50000 200000; do
  ./c2s convert big.h5ad "cells$n.h5ad" --sample $n -q --progress never --force
  for i in 1 2; do
    timed "$n cells: normalise and re-encode" ./c2s convert "cells$n.h5ad" out.h5ad --normalize median --log1p 10 -q --progress never --force
  done
  rm -f "cells$n.h5ad"
done
rm -f out.h5ad
