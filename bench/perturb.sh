#!/usr/bin/env bash
# Differential expression of 100 perturbations x 5,000 genes x 50,000 cells beside pdex
# and SciPy, and a whole c2s perturb score with its memory, in one run.
#
#   bench/perturb.sh WORKDIR [GENES CELLS PERTURBATIONS]
#
# needs C2S_PYTHON_CELLEVAL with pdex (.ci/requirements-celleval.txt).
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:?usage: bench/perturb.sh WORKDIR [GENES CELLS PERTURBATIONS]}
genes=${2:-5000} cells=${3:-50000} perts=${4:-100}
python=${C2S_PYTHON_CELLEVAL:-python3}
script=perturb/score/testdata/timing.py
threads=$(nproc)
mkdir -p "$dir"
real=$(realpath "$dir")/real-$genes-$cells-$perts.h5ad
pred=$(realpath "$dir")/pred-$genes-$cells-$perts.h5ad
[ -e "$pred" ] || "$python" -W ignore $script make "$real" "$pred" "$genes" "$cells" "$perts"
CGO_ENABLED=0 go build -o "$dir/c2s" ./cmd/c2s
out=$dir/perturb.txt
: >"$out"

for i in 1 2 3; do
  "$python" -W ignore $script pdex "$real" "$threads" 2>/dev/null | tee -a "$out"
  C2S_BENCH_FILE=$real go test -run '^$' -bench 'DE$' -benchtime 1x -timeout 1h ./perturb/score | tee -a "$out"
done
"$python" -W ignore $script scipy "$real" "$threads" | tee -a "$out"

# Best of three; seconds. From memory is what pdex and SciPy do; from the file is with
# reading.
awk '
  function keep(name, v) { if (!(name in t) || v < t[name]) t[name] = v }
  $1 == "pdex" || $1 == "scipy" { keep($1, $2) }
  /^BenchmarkDE\// { name = $1; sub(/^BenchmarkDE\//, "", name); sub(/-[0-9]+$/, "", name); keep(name, $3 / 1e9) }
  END {
    printf "\ndifferential expression, s: c2s %.2f from memory, %.2f from the file; pdex %.2f (%.1f times), SciPy %.0f (%.0f times)\n",
      t["memory"], t["file"], t["pdex"], t["pdex"] / t["memory"], t["scipy"], t["scipy"] / t["memory"]
  }' "$out"

for preset in cell-eval all; do
  for tricks in false true; do
    echo "-- c2s perturb score --preset $preset --tricks=$tricks"
    /usr/bin/time -f '%e s wall, %U s user, %S s system, %M KiB' \
      "$dir/c2s" perturb score -q "$real" "$pred" --pert-col target --control control --preset $preset --tricks=$tricks -o "$dir/score" --force >/dev/null
  done
done
