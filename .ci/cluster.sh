#!/usr/bin/env bash
# What c2s promises on clusters, on real parts of them: Slurm on one node, with a task
# that is killed and requeued; Snakemake; the Kubernetes templates against the schema;
# and hosts in network namespaces, one of which is cut off. Wants root on Debian, for
# apt-get, slurmd and namespaces. All that it starts is stopped by its process id.
#
#   .ci/cluster.sh [kubernetes] [snakes] [slurm] [hosts]       default: all
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
cache=${XDG_CACHE_HOME:-$HOME/.cache}/c2s-ci
mkdir -p "$cache"
dir=$(mktemp -d)
started=() # process ids, the last started first
spaces=()

stop() { # PID...: asks, then insists
  local pid
  for pid in "$@"; do kill "$pid" 2>/dev/null || continue; done
  for pid in "$@"; do
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || continue 2; sleep .1; done
    kill -9 "$pid" 2>/dev/null || true
  done
}

clean() {
  local code=$? file
  stop "${started[@]}"
  if [ -s "$dir/ctld.pid" ]; then # with the daemons alone, a job that runs would stay
    export SLURM_CONF=$dir/slurm.conf
    scancel --user=root 2>/dev/null || true
    for _ in $(seq 150); do
      [ -n "$(squeue -h 2>/dev/null)" ] || break
      sleep .2
    done
  fi
  for file in d.pid ctld.pid; do
    if [ -s "$dir/$file" ]; then stop "$(cat "$dir/$file")"; fi
  done
  if [ -e "$dir/munge" ] && [ -s /run/munge/munged.pid ]; then stop "$(cat /run/munge/munged.pid)"; fi
  for space in "${spaces[@]}"; do
    ip link del "c2sv${space##*n}" 2>/dev/null || true
    ip netns del "$space" 2>/dev/null || true
  done
  if [ "$code" -ne 0 ]; then tail -n 40 "$dir"/*.log "$dir"/*/logs/*.log 2>/dev/null || true; fi
  rm -rf "$dir"
}
trap clean EXIT

say() { echo "-- $*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }

# A wait that ends when what is waited for can no longer come is no wait for a time;
# the limit of ten minutes is for what nobody thought of.
await() { # WHAT COMMAND...
  local what=$1
  shift
  for _ in $(seq 3000); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep .2
  done
  fail "$what did not come about in ten minutes"
}

packages() {
  local missing=() pair
  for pair in slurmctld:slurm-wlm munged:munge snakemake:snakemake ip:iproute2 curl:curl; do
    command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  if [ "${#missing[@]}" -eq 0 ]; then return; fi
  apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

build() {
  mkdir -p "$dir/bin"
  CGO_ENABLED=0 go build -o "$dir/bin/c2s" ./cmd/c2s
  CGO_ENABLED=0 go build -o "$dir/bin/stub" ./bench/stub
  CGO_ENABLED=0 go build -o "$dir/bin/atlas" ./bench/atlas
  export PATH=$dir/bin:$PATH
  "$dir/bin/atlas" -cells 70000 -files 2 -lack -dir "$dir"
  say "the whole, without shards"
  c2s plan "$dir"/atlas00?.h5ad --min-cells 30 -o "$dir/whole.json" -q
  c2s encode "$dir"/atlas00?.h5ad --plan "$dir/whole.json" -o "$dir/whole.parquet" -q
}

kubernetes() {
  local venv
  venv=$cache/kubernetes-$(sha256sum .ci/requirements-kubernetes.txt | cut -c1-16)
  if [ ! -e "$venv/ready" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check -r .ci/requirements-kubernetes.txt
    touch "$venv/ready"
  fi
  local work=$dir/kubernetes name version
  mkdir -p "$work"
  c2s plan testdata/demo.h5ad --shards 3 -o "$work/plan.json" -q
  for name in encode merge; do
    c2s job "$work/plan.json" "examples/kubernetes/$name.yaml" --set image=registry.example/c2s --set claim=data --set out=cells.parquet -o "$work/$name.yaml"
    for version in 1.33 1.37; do "$venv/bin/kubernetes-validate" --strict -k "$version" "$work/$name.yaml"; done
  done
  # That the validator objects to something.
  sed 's/completions:/complet1ons:/' "$work/encode.yaml" >"$work/bad.yaml"
  if "$venv/bin/kubernetes-validate" --strict -k 1.37 "$work/bad.yaml" 2>/dev/null; then fail "a misspelt field passes"; fi

  say "the arguments of the pods, run here"
  cp testdata/demo.h5ad "$work"
  (
    cd "$work"
    c2s plan demo.h5ad --shards 3 -o plan.json --force -q
    for name in encode merge; do
      c2s job plan.json "$root/examples/kubernetes/$name.yaml" --set image=i --set claim=data --set out=cells.parquet -o "$name.yaml" --force
      "$venv/bin/python" -c 'import sys, yaml; print("\0".join(yaml.safe_load(open(sys.argv[1]))["spec"]["template"]["spec"]["containers"][0]["args"]), end="\0")' "$name.yaml" >"$name.args"
    done
    for index in 2 0 1; do JOB_COMPLETION_INDEX=$index xargs -0 c2s <encode.args; done
    xargs -0 c2s <merge.args
    c2s encode demo.h5ad -o whole.parquet -q
    cmp whole.parquet cells.parquet
  )
}

snakes() {
  local work=$dir/snakemake
  mkdir -p "$work"
  cp examples/snakemake/Snakefile "$work"
  cat >"$work/config.yaml" <<C
files: [$dir/atlas000.h5ad, $dir/atlas001.h5ad]
out: cells.parquet
shards: 5
threads: 1
plan_flags: --min-cells 30
C
  (
    cd "$work"
    snakemake --cores 2 --quiet
    cmp "$dir/whole.parquet" cells.parquet
    # A shard that is lost, and its record, are made again; the others are not.
    before=$(stat -c %Y-%i cells.shard-00001-of-00005.parquet)
    rm cells.shard-00003-of-00005.parquet* cells.parquet
    snakemake --cores 2 --quiet --rerun-triggers mtime
    cmp "$dir/whole.parquet" cells.parquet
    [ "$before" = "$(stat -c %Y-%i cells.shard-00001-of-00005.parquet)" ] || fail "a part that was current was made again"
  )
}

start_slurm() {
  local host cpus
  host=$(hostname -s) cpus=$(nproc)
  mkdir -p "$dir/state" "$dir/spool" /run/munge
  [ -s /etc/munge/munge.key ] || dd if=/dev/urandom of=/etc/munge/munge.key bs=1 count=1024 2>/dev/null
  chown -R munge:munge /etc/munge /run/munge /var/lib/munge /var/log/munge
  chmod 400 /etc/munge/munge.key
  chmod 755 /run/munge
  if ! munge -n >/dev/null 2>&1; then
    runuser -u munge -- munged --force
    touch "$dir/munge" # ours to stop
  fi
  # proctrack/linuxproc and task/none need no cgroups.
  cat >"$dir/slurm.conf" <<C
ClusterName=ci
SlurmctldHost=$host
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/ctld.pid
SlurmdPidFile=$dir/d.pid
SlurmctldLogFile=$dir/ctld.log
SlurmdLogFile=$dir/d.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
KillWait=2
MinJobAge=3600
SchedulerParameters=sched_interval=2,batch_sched_delay=1
NodeName=$host CPUs=$cpus RealMemory=$(free -m | awk '/^Mem/ {print $2}') State=UNKNOWN
PartitionName=ci Nodes=$host Default=YES MaxTime=INFINITE State=UP
C
  export SLURM_CONF=$dir/slurm.conf
  slurmctld -f "$SLURM_CONF"
  slurmd -f "$SLURM_CONF"
  await "an idle node" sh -c 'sinfo -h -o %T | grep -q idle'
}

state() { scontrol show job -o "$1" 2>/dev/null | grep -o 'JobState=[A-Z]*' | sort -u | tr '\n' ' '; }
ended() { ! scontrol show job -o "$1" 2>/dev/null | grep -qE 'JobState=(PENDING|RUNNING|COMPLETING|REQUEUED|SUSPENDED|CONFIGURING)'; }

slurm() {
  start_slurm
  local work=$dir/slurm ids array merge
  mkdir -p "$work/bin" "$work/logs"
  # Task 3 stops in the middle of its work, once, so that it can be killed there.
  cat >"$work/bin/c2s" <<C
#!/bin/bash
if [ "\${SLURM_ARRAY_TASK_ID:-}" = 3 ] && [ "\$1" = encode ] && [ ! -e stopped ]; then
  "$dir/bin/c2s" "\$@" &
  until find . -maxdepth 1 -size +0 -name '.*shard-00003*' | grep -q .; do kill -0 \$! || exit 1; done
  kill -STOP \$!
  find . -maxdepth 1 -name '.*shard-00003*' >half
  touch stopped
  wait
fi
exec "$dir/bin/c2s" "\$@"
C
  chmod +x "$work/bin/c2s"
  (
    cd "$work"
    export PATH=$work/bin:$PATH CORES=1 MEMORY=400MiB PLAN_FLAGS='--min-cells 30'
    ids=$("$root/examples/slurm/submit.sh" cells.parquet 8 "$dir/atlas000.h5ad" "$dir/atlas001.h5ad")
    read -r array merge <<<"$(tr '\n' ' ' <<<"$ids")"
    say "array job $array, merge $merge; task 3 is killed and requeued"
    await "task 3 in the middle of its work" test -e stopped
    say "it has $(tr '\n' ' ' <half)"
    if ls cells.shard-00003-of-00008.parquet 2>/dev/null; then fail "half a part has its name"; fi
    if c2s merge cells.shard-*.parquet -o early.parquet 2>early.txt; then fail "a merge without part 3"; fi
    scontrol requeue "${array}_3"
    await "the end of the merge" ended "$merge"
    [ "$(state "$merge")" = "JobState=COMPLETED " ] || fail "the merge: $(state "$merge")"
    cmp "$dir/whole.parquet" cells.parquet
    restarts=$(scontrol show job -o "${array}_3" | grep -o 'Restarts=[0-9]*')
    [ "$restarts" = Restarts=1 ] || fail "task 3: $restarts"
    left=$(find . -maxdepth 1 -name '.*' -type f)
    [ -z "$left" ] || fail "left behind: $left"
    say "8 shards, one killed and requeued ($restarts): the bytes of the whole"

    say "all tasks once more: nothing to do"
    before=$(stat -c %Y-%i cells.shard-*.parquet)
    again=$(sbatch --parsable --wait encode.job | head -1)
    [ "$before" = "$(stat -c %Y-%i cells.shard-*.parquet)" ] || fail "parts that were current were made again"
    [ "$(grep -l 'complete and current' logs/"$again"_*.log | wc -l)" = 8 ] || fail "not all tasks said that there was nothing to do"

    say "an array that begins at 1 in steps of 2, by --shard auto"
    printf '#!/bin/bash\nexec %q encode %q --top-k 9 --shard auto -o auto.jsonl -q\n' "$dir/bin/c2s" "$dir/atlas000.h5ad" >auto.job
    sbatch --wait --array=1-5:2 -o logs/auto_%a.log auto.job >/dev/null
    c2s merge auto.shard-*-of-00003.jsonl -o auto.jsonl -q
    c2s encode "$dir/atlas000.h5ad" --top-k 9 -o want.jsonl -q
    cmp want.jsonl auto.jsonl

    say "a model server for each task, and a pool of them on the nodes of a job (slurm://)"
    # The examples as they are, but for the GPUs that this node lacks; the server is a stub.
    cat >llama-server <<J
#!/bin/bash
while [ \$# -gt 0 ]; do
  case \$1 in --host) host=\$2 ;; --port) port=\$2 ;; esac
  shift
done
exec "$dir/bin/stub" -listen "\$host:\$port" -slots 4
J
    chmod +x llama-server
    export LLAMA_SERVER=$work/llama-server
    printf 'B cell\nNK cell\nMonocyte\n' >types.txt
    c2s plan "$root/testdata/demo.h5ad" --shards 2 -o demo.json -q
    c2s job demo.json "$root/examples/slurm/annotate.sbatch" --cores 1 --memory 200MiB --set file="$root/testdata/demo.h5ad" \
      --set model=none.gguf --set labels=types.txt --set out=typed.tsv -o annotate.all
    sed '/gpus/d' annotate.all >annotate.job
    sbatch --wait annotate.job >/dev/null || { tail -n 5 logs/*_[01].log; fail "annotate.sbatch"; }
    c2s merge typed.shard-*-of-00002.tsv -o typed.tsv -q
    sed '/gpus/d' "$root/examples/slurm/pool.sbatch" >pool.job
    FILE=$root/testdata/demo.h5ad MODEL=none.gguf LABELS=types.txt OUT=pooled.tsv PORT=18411 sbatch --wait -N 1 pool.job >/dev/null ||
      { tail -n 20 logs/*.log; fail "pool.sbatch"; }
    cmp typed.tsv pooled.tsv
    [ "$(wc -l <typed.tsv)" = 501 ] || fail "$(wc -l <typed.tsv) lines of types"
  )
}

# A host is a network namespace with a server in it, at 10.213.N.2.
host() { # N
  local space=c2s$$n$1
  ip netns add "$space"
  spaces+=("$space")
  ip link add "c2sv$1" type veth peer name eth0 netns "$space"
  ip addr add "10.213.$1.1/24" dev "c2sv$1"
  ip link set "c2sv$1" up
  ip netns exec "$space" ip addr add "10.213.$1.2/24" dev eth0
  ip netns exec "$space" ip link set eth0 up
  ip netns exec "$space" stub -listen "10.213.$1.2:8080" -slots 4 -delay 5ms >"$dir/host$1.out" 2>"$dir/host$1.log" &
  started+=($!)
  await "host $1" test -s "$dir/host$1.out"
}

lines() { [ "$(grep -c "$1" "$2")" -ge "${3:-1}" ]; }

hosts() {
  local work=$dir/hosts pid
  mkdir -p "$work"
  host 1
  host 2
  host 3
  say "one host alone"
  c2s convert "$dir/atlas000.h5ad" "$work/cells.h5ad" --sample 6000 -q
  c2s annotate "$work/cells.h5ad" --backend openai://10.213.1.2:8080/v1 -o "$work/one.tsv" -q
  say "a pool of two, one of which is cut off, and a third that joins"
  printf 'openai://10.213.%d.2:8080/v1\n' 1 2 >"$work/servers"
  c2s annotate "$work/cells.h5ad" --backend "@$work/servers" --timeout 3s --progress json -o "$work/pool.tsv" 2>"$work/pool.log" &
  pid=$!
  started+=("$pid")
  # The link is cut, not closed: no packet says so to anybody.
  await "the first cells" sh -c "tail -1 '$work/pool.log' | grep -q done || ip -s link show c2sv2 | awk '/RX/ {getline; exit !(\$1 > 200000)}'"
  kill -0 "$pid" || fail "it ended before the host was cut off"
  ip link set c2sv2 down
  echo openai://10.213.3.2:8080/v1 >>"$work/servers"
  wait "$pid" || { cat "$work/pool.log"; fail "the pool"; }
  lines 'model server is down.*10.213.2.2' "$work/pool.log" || fail "the log does not name the host that was cut off: $(cat "$work/pool.log")"
  lines 'model server joined.*10.213.3.2' "$work/pool.log" || fail "the third host did not join: $(cat "$work/pool.log")"
  cmp "$work/one.tsv" "$work/pool.tsv"
  say "6,000 cells by three hosts, one cut off: the bytes of one host"
}

packages
build
for part in "${@:-kubernetes snakes slurm hosts}"; do
  for name in $part; do
    say "== $name"
    "$name"
  done
done
say "cluster: all that was promised"
