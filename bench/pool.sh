#!/usr/bin/env bash
# One coordinator over 2,000 slots of stub servers: how much longer than the servers'
# own time a run takes. The servers answer after a time that is known (DELAY), over HTTP
# on loopback, and share the machine with the coordinator: their work counts against it.
#
#   bench/pool.sh WORKDIR           SERVERS (20), SLOTS each (100), DELAY (20s), ROUNDS (6)
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:?usage: bench/pool.sh WORKDIR}
servers=${SERVERS:-20} slots=${SLOTS:-100} delay=${DELAY:-20s} rounds=${ROUNDS:-6}
mkdir -p "$dir"
CGO_ENABLED=0 go build -o "$dir/c2s" ./cmd/c2s
CGO_ENABLED=0 go build -o "$dir/stub" ./bench/stub
CGO_ENABLED=0 go build -o "$dir/atlas" ./bench/atlas
cd "$dir"
cells=$((servers * slots * rounds))
[ -e "$cells/atlas000.h5ad" ] || { mkdir -p "$cells" && ./atlas -cells "$cells" -files 1 -dir "$cells"; }

listen=$(for ((i = 0; i < servers; i++)); do printf '127.0.0.1:0,'; done)
./stub -listen "${listen%,}" -slots "$slots" -delay "$delay" >addresses 2>stub.log &
stub=$!
trap 'kill "$stub" 2>/dev/null || true' EXIT
until [ "$(wc -l <addresses)" = "$servers" ]; do sleep .1; done
sed 's|.*|openai://&/v1|' addresses >servers.txt

echo "-- the coordinator alone, with servers in its own process that cost nothing"
(cd "$OLDPWD" && go test -run '^$' -bench Coordinator -benchtime 3x ./llm/pool | grep -E 'cpu|requests')
echo "-- $servers servers of $slots slots, $delay an answer, $cells cells"
ideal=$(awk -v d="${delay%s}" -v r="$rounds" 'BEGIN {print d * r}')
/usr/bin/time -o time.txt -f '%e %U %S %M' ./c2s annotate "$cells/atlas000.h5ad" --backend @servers.txt --timeout 5m -o typed.tsv --force -q
read -r wall user system memory <time.txt
awk -v wall="$wall" -v ideal="$ideal" -v cpu="$(awk "BEGIN {print $user + $system}")" -v n="$cells" -v mem="$memory" 'BEGIN {
  printf "%.1f s for %.0f s of the servers: %.2f %% over\n", wall, ideal, 100 * (wall / ideal - 1)
  printf "%.0f µs of processor time a request, %.0f MiB\n", 1e6 * cpu / n, mem / 1024
}'
