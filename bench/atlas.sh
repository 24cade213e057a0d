#!/usr/bin/env bash
# An atlas through encode in 1, 2, 4 and 8 shards: cells a second of processor time, and
# the largest memory of a shard, neither of which may depend on the number of shards.
# Files lack different genes; the plan has their union. Processor time, not wall time,
# so that a machine with other work gives the same figures.
#
#   bench/atlas.sh WORKDIR          CELLS (2000000), FILES (20), SHARDS ("1 2 4 8")
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:?usage: bench/atlas.sh WORKDIR}
cells=${CELLS:-2000000} files=${FILES:-20}
mkdir -p "$dir"
CGO_ENABLED=0 go build -o "$dir/c2s" ./cmd/c2s
CGO_ENABLED=0 go build -o "$dir/atlas" ./bench/atlas
cd "$dir"
[ -e "atlas$(printf %03d $((files - 1))).h5ad" ] || ./atlas -cells "$cells" -files "$files" -lack -dir .
inputs=(atlas[0-9][0-9][0-9].h5ad)
echo "-- what is ahead, said beforehand"
./c2s plan "${inputs[@]}" --shards 8 --dry-run --memory 1GiB
echo "-- plan"
/usr/bin/time -f '%e s wall, %U s user, %S s system, %M KiB' ./c2s plan "${inputs[@]}" --shards 8 -o plan.json --force
for n in ${SHARDS:-1 2 4 8}; do
  : >"times$n"
  rm -f "cells$n".shard-* # parts that are current would not be made again
  for ((i = 0; i < n; i++)); do
    /usr/bin/time -a -o "times$n" -f '%U %S %M %e' ./c2s encode "${inputs[@]}" --plan plan.json --shard "$i/$n" \
      -o "cells$n.parquet" --memory 1GiB -j 1 -q
  done
  awk -v n="$n" -v cells="$cells" '{cpu += $1 + $2; wall += $4; if ($3 > most) most = $3; if (!least || $3 < least) least = $3}
    END {printf "%d shards: %.0f cells a second of processor time (%.1f s), %.0f to %.0f MiB, %.0f s wall one after the other\n", n, cells / cpu, cpu, least / 1024, most / 1024, wall}' "times$n"
  du -cb "cells$n".shard-*.parquet | tail -1 | awk '{printf "%.2f GB of parts\n", $1 / 1e9}'
done
n=$(wc -w <<<"${SHARDS:-1 2 4 8}")
if [ "$n" -gt 1 ]; then
  first=$(cut -d' ' -f1 <<<"${SHARDS:-1 2 4 8}") last=$(awk '{print $NF}' <<<"${SHARDS:-1 2 4 8}")
  echo "-- merge of $first and of $last shards"
  for n in "$first" "$last"; do
    /usr/bin/time -f '%e s wall, %U s user, %S s system, %M KiB' ./c2s merge cells"$n".shard-*.parquet -o "merged$n.parquet" --force -q
  done
  cmp "merged$first.parquet" "merged$last.parquet" && echo "the same bytes"
fi
