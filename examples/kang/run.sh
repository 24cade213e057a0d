#!/usr/bin/env bash
# Plans, runs and analyses the screen of screen.yaml.
#
#   examples/kang/run.sh DATA OUT      DATA: the folder of the files, see README.md
set -euo pipefail
data=$(cd "$1" && pwd) out=$2
mkdir -p "$out"
here=$(cd "$(dirname "$0")" && pwd)
sed "s|DATA|$data|" "$here/screen.yaml" > "$out/screen.yaml"
{ echo name; zcat "$data/drugs/lincs_drugbank_names.tsv.gz" | tail -n +2 | cut -f2; } > "$out/compounds.tsv"
c2s=${C2S:-c2s}
"$c2s" screen plan -c "$out/screen.yaml"
"$c2s" screen run -c "$out/screen.yaml"
"$c2s" screen analyse "$out/screen"
"$c2s" screen report "$out/screen"
