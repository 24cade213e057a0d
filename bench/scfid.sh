#!/usr/bin/env bash
# The Fréchet distance of 10,000 cells a side beside SciPy, in one run: covariance,
# trace term and matrix product by dimension, the route for few cells (500 a side),
# and gonum without the kernels.
#
#   bench/scfid.sh WORKDIR [DIMENSION...]   default 512 1152 2304 4608
#
# needs C2S_PYTHON with SciPy on OpenBLAS (a wheel, or Debian's with libopenblas0).
# C2S_BENCH_MILLION=1 adds the moments of 1,000,000 x 1152 float32 rows, for which it
# writes 4.6 GB below WORKDIR.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:?usage: bench/scfid.sh WORKDIR [DIMENSION...]}
shift
if [ $# -eq 0 ]; then set -- 512 1152 2304 4608; fi
python=${C2S_PYTHON:-python3}
mkdir -p "$dir"
out=$dir/scfid.txt
: >"$out"
sizes=$(IFS='|'; echo "$*")
# They would slow NumPy down.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
go vet ./scfid ./internal/blas

"$python" scfid/testdata/timing.py "$@" | tee -a "$out"
bench() { # PATTERN PACKAGE
  go test -run '^$' -bench "$1" -benchtime 1x -count 3 -timeout 3h "$2" | tee -a "$out"
}
bench "Covariance/($sizes)\$" ./scfid
bench "TraceTerm/kernels/($sizes)\$" ./scfid
bench "LowRank/($sizes)\$" ./scfid
bench "Multiply/($sizes)\$" ./internal/blas
go test -run '^$' -bench "TraceTerm/gonum/($sizes)\$" -benchtime 1x -timeout 3h ./scfid | tee -a "$out"
if [ "${C2S_BENCH_MILLION:-}" = 1 ]; then
  TMPDIR=$dir go test -run '^$' -bench 'Moments/1000000$' -benchtime 1x -timeout 1h ./internal/embedfile | tee -a "$out"
fi

# Best of three; seconds. A distance is two covariances and a trace term.
awk -v sizes="$*" '
  function keep(name, v) { if (!(name in t) || v < t[name]) t[name] = v }
  function show(name, digits) { return name in t ? sprintf("%." digits "f", t[name]) : "-" }
  function ratio(a, b) { return a > 0 && b > 0 ? sprintf("%.1f", a / b) : "-" }
  $1 == "scipy" { keep("scipy " $2, $3) }
  /^Benchmark/ {
    name = $1
    sub(/^Benchmark/, "", name)
    sub(/-[0-9]+$/, "", name)
    keep(name, $3 / 1e9)
  }
  END {
    print "\n     d | SciPy: cov   sqrtm  eigvals    GEMM | c2s: cov   trace    GEMM | gonum trace | trace  whole  GEMM  (SciPy / c2s)"
    n = split(sizes, list, " ")
    for (i = 1; i <= n; i++) {
      d = list[i]
      sc = t["scipy cov/" d]; sq = t["scipy sqrtm/" d]; c = t["Covariance/" d]; k = t["TraceTerm/kernels/" d]
      printf "%6d | %10s %7s %8s %7s | %8s %7s %7s | %11s | %5s %6s %5s\n", d,
        show("scipy cov/" d, 3), show("scipy sqrtm/" d, 3), show("scipy eigvals/" d, 3), show("scipy gemm/" d, 3),
        show("Covariance/" d, 3), show("TraceTerm/kernels/" d, 3), show("Multiply/" d, 3), show("TraceTerm/gonum/" d, 2),
        ratio(sq, k), ratio(2 * sc + sq, 2 * c + k), ratio(t["scipy gemm/" d], t["Multiply/" d])
    }
    print "\n     d | 500 cells a side: SciPy     c2s | SciPy / c2s"
    for (i = 1; i <= n; i++) {
      d = list[i]
      if (("LowRank/" d) in t)
        printf "%6d | %23s %7s | %11s\n", d, show("scipy few/" d, 3), show("LowRank/" d, 3), ratio(t["scipy few/" d], t["LowRank/" d])
    }
  }' "$out"
