#!/usr/bin/env bash
# Reading and writing the arrays of a matrix of 40 M non-zeros (160 MB of values,
# 160 MB of indices), c2s beside h5py, in one run.
#
#   bench/hdf5.sh WORKDIR          needs C2S_PYTHON (h5py) and C2S_SHARED (the folder
#                                  with gen_bench.py and bench_h5py.py)
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:?usage: bench/hdf5.sh WORKDIR}
shared=${C2S_SHARED:-../shared}
python=${C2S_PYTHON:-python3}
mkdir -p "$dir"
[ -e "$dir/gzip4.h5ad" ] || "$python" "$shared/bench/gen_bench.py" "$dir" --only gzip4
[ -e "$dir/plain.h5ad" ] || "$python" "$shared/bench/gen_bench.py" "$dir" --only plain
cat "$dir/gzip4.h5ad" "$dir/plain.h5ad" >/dev/null
go vet ./internal/hdf5

for round in 1 2; do
  echo "-- round $round: h5py reads gzip, writes gzip level 4"
  "$python" "$shared/bench/bench_h5py.py" --repeat 2 --write 4 --out "$dir/h5py_out.h5" "$dir/gzip4.h5ad"
  echo "-- round $round: c2s reads gzip (MB/s decoded)"
  C2S_BENCH_FILE=$dir/gzip4.h5ad go test -run '^$' -bench ReadWhole -benchtime 3x ./internal/hdf5
  echo "-- round $round: c2s writes, by compression"
  C2S_BENCH_FILE=$dir/gzip4.h5ad go test -run '^$' -bench WriteSparse -benchtime 2x ./internal/hdf5
done
echo "-- uncompressed and contiguous: h5py, c2s (mapped, not copied)"
"$python" "$shared/bench/bench_h5py.py" --repeat 2 "$dir/plain.h5ad"
C2S_BENCH_FILE=$dir/plain.h5ad go test -run '^$' -bench Visit -benchtime 3x ./internal/hdf5
