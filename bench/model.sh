#!/usr/bin/env bash
# The built-in engine beside llama-server on the demo model, one thread each, in one run
# and in turns; and the time from the start of c2s to its first annotation and to 500.
#
#   bench/model.sh [ROUNDS]        default 5
#
# needs C2S_LLAMACPP_BIN (.ci/servers.sh build makes it: the folder llama-server-* of its
# cache) and python3. The page cache is warm: a program and a model of some megabytes are
# read from memory.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-5}
bin=${C2S_LLAMACPP_BIN:?the folder of llama-server}
dir=$(mktemp -d)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
HOME=$dir "$bin/llama-server" -m llm/embedded/demo.gguf -c 1024 -np 1 -t 1 -tb 1 --offline --no-ui --host 127.0.0.1 --port "$port" >"$dir/server.log" 2>&1 &
server=$!
trap 'kill "$server"; rm -rf "$dir"' EXIT
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$dir/c2s" ./cmd/c2s
go test -c -o "$dir/embedded.test" ./llm/embedded
for _ in $(seq 100); do
  if python3 -c "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:$port/health').read()" 2>/dev/null; then break; fi
  sleep 0.2
done
uptime
(
  cd llm/embedded
  GOMAXPROCS=1 C2S_BENCH_LLAMACPP=http://127.0.0.1:$port "$dir/embedded.test" -test.run '^$' -test.bench BesideLlamaServer -test.benchtime 1x -test.count "$rounds"
) | tee "$dir/speed.txt"
"$dir/c2s" convert testdata/demo.h5ad "$dir/one.h5ad" --sample 1 -q
printf 'B cell\nCD4 T cell\nCD8 T cell\nDendritic cell\nMonocyte\nNK cell\nPlatelet\nTumour cell\n' >"$dir/labels.txt"
python3 - "$dir" <<'EOS'
import os, re, statistics, subprocess, sys, time
d = sys.argv[1]
rounds = [{n: float(v) for v, n in re.findall(r"([\d.e+]+) (\S+-\S+)", l)} for l in open(d + "/speed.txt") if "engine-prompt/s" in l]
m = {n: statistics.median(r[n] for r in rounds) for n in rounds[0]}
print("\ntokens a second, median of %d rounds of 30 cells   reading   writing" % len(rounds))
print("  engine                                        %9.0f %9.0f" % (m["engine-prompt/s"], m["engine-answer/s"]))
print("  llama-server                                  %9.0f %9.0f" % (m["server-prompt/s"], m["server-answer/s"]))
print("  engine / llama-server                         %9.2f %9.2f   aim 0.5" % (m["prompt-ratio"], m["answer-ratio"]))
def took(n, *args):
    times = []
    for _ in range(n):
        start = time.monotonic()
        subprocess.run([d + "/c2s", "annotate", *args, "--backend", "demo", "-q", "--force", "-o", d + "/out.tsv"], check=True)
        times.append(time.monotonic() - start)
    return "%.3f %.3f %.3f s" % (min(times), statistics.median(times), max(times))
labels = ("--labels", d + "/labels.txt")
print("\nfrom the start of c2s to its end (least, median, most)")
print("  one cell, free answer, 20 runs      ", took(20, d + "/one.h5ad"), "  aim 1 s")
print("  one cell, eight labels, 20 runs     ", took(20, d + "/one.h5ad", *labels))
print("  500 cells, free answers, 3 runs     ", took(3, "testdata/demo.h5ad"))
print("  500 cells, eight labels, 3 runs     ", took(3, "testdata/demo.h5ad", *labels))
EOS
