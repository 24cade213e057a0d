#!/usr/bin/env bash
# The reward server under load: 64 clients at a time, each asking for the corrected tau
# of groups of 32 sentences of 200 words against 32 real cells on 978 genes, for a
# minute. Prints the requests, the errors (which fail the run), p50 and p99 of the time
# that a client waits, and the answers scored a second; the clients run on the same
# machine and take their part of it. Then the test that a killed client leaves nothing
# behind, with the race detector.
#
#   bench/reward.sh [SECONDS]   default 60
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}

go test -run '^$' -bench 'Clients$' -benchtime "${seconds}s" -timeout 1h ./perturb/reward/server | tee /dev/stderr |
  awk '/^Benchmark/ {
    for (i = 3; i < NF; i++) {
      if ($(i + 1) == "p50-ms") p50 = $i
      if ($(i + 1) == "p99-ms") p99 = $i
      if ($(i + 1) == "errors") errors = $i
      if ($(i + 1) == "answers/s") rate = $i
    }
    printf "%d requests of 32 sentences, %d errors; p50 %s ms, p99 %s ms; %s sentences a second\n", $2, errors, p50, p99, rate
    found = 1
  }
  END { exit !found }'
go test -race -count 1 -run 'KilledClient|Drain' -v ./perturb/reward/server | grep -E '^(---|ok|FAIL)'
