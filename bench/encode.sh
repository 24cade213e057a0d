#!/usr/bin/env bash
# Reading and encoding 20,000 cells x 20,000 genes (40 M non-zeros, gzip), c2s beside
# the Python package cell2sentence, in one run.
#
#   bench/encode.sh WORKDIR        needs C2S_PYTHON (anndata, h5py, cell2sentence) and
#                                  C2S_SHARED (the folder with gen_bench.py)
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:?usage: bench/encode.sh WORKDIR}
shared=${C2S_SHARED:-../shared}
python=${C2S_PYTHON:-python3}
mkdir -p "$dir"
[ -e "$dir/gzip4.h5ad" ] || "$python" "$shared/bench/gen_bench.py" "$dir" --only gzip4
CGO_ENABLED=0 go build -o "$dir/c2s" ./cmd/c2s
cat "$dir/gzip4.h5ad" >/dev/null

echo "-- h5py: reading X"
"$python" "$shared/bench/bench_h5py.py" "$dir/gzip4.h5ad"
echo "-- c2s: reading X (decoded MB/s)"
C2S_BENCH_FILE=$dir/gzip4.h5ad go test -run '^$' -bench ReadWhole -benchtime 3x ./internal/hdf5
for ties in python random; do
  for i in 1 2 3; do
    echo "-- c2s encode --ties $ties, run $i"
    /usr/bin/time -f '%e s wall, %U s user, %S s system, %M KiB' \
      "$dir/c2s" encode -q --ties $ties "$dir/gzip4.h5ad" -o "$dir/$ties.txt" --force
  done
  sha256sum "$dir/$ties.txt"
done
echo "-- cell2sentence: reading with anndata and encoding to a text file"
/usr/bin/time -f '%e s wall, %U s user, %S s system, %M KiB' "$python" "$shared/bench/bench_python.py" \
  --quiet --h5ad "$dir/gzip4.h5ad" --bench 0 --rec 0 --post 0 --repeat 1 --dump "$dir/reference.txt"
sha256sum "$dir/reference.txt"
