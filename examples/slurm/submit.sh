#!/usr/bin/env bash
# Plans, encodes in an array job and merges, as a chain of jobs.
#
#   submit.sh OUT SHARDS FILE...        such as: submit.sh atlas.parquet 8 a.h5ad b.h5ad
#
# Run it where the output is to be; c2s and sbatch must be found. It prints the ids of
# the array and of the merge, one a line. SBATCH_PARTITION, SBATCH_ACCOUNT and the
# other variables of sbatch work as always; CORES (2) and MEMORY (2GiB) are for a task,
# PLAN_FLAGS for c2s plan.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: submit.sh OUT SHARDS FILE...} shards=${2:?usage: submit.sh OUT SHARDS FILE...}
shift 2
mkdir -p logs
ask=(--cores "${CORES:-2}" --memory "${MEMORY:-2GiB}" --set "out=$out" --force)
read -ra flags <<<"${PLAN_FLAGS:-}"

c2s plan "$@" --shards "$shards" --dry-run >&2
c2s plan "$@" --shards "$shards" "${flags[@]}" -o plan.json --force
c2s job plan.json "$here/encode.sbatch" "${ask[@]}" -o encode.job
c2s job plan.json "$here/merge.sbatch" "${ask[@]}" -o merge.job

array=$(sbatch --parsable encode.job)
echo "$array"
sbatch --parsable --dependency="afterok:$array" --kill-on-invalid-dep=yes merge.job
