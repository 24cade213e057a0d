#!/usr/bin/env bash
# How many prompt tokens a screen makes a server read, by llama.cpp's own counters: a
# prompt with the cell before the compound, whose beginning all compounds share, and one
# with the compound before the cell, as C2S models were trained. One model, one plan.
#
#   bench/prefix.sh WORKDIR        needs C2S_LLAMACPP_BIN (see bench/model.sh)
#
# llama-server runs with --swa-full: without it a model with a sliding window, as Gemma-2
# has, reads each prompt from its first token, though no prompt here is as long as that
# window (256 of 66,944 tokens were kept, llama.cpp commit de3ff815).
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mkdir -p "${1:?usage: bench/prefix.sh WORKDIR}" && realpath "$1")
bin=${C2S_LLAMACPP_BIN:?name the folder of llama-server}
port=${PORT:-18099}
go build -o "$dir/c2s" ./cmd/c2s
LD_LIBRARY_PATH=$bin "$bin/llama-server" -m llm/embedded/demo.gguf --port "$port" -t 1 -np 2 -c 2048 --swa-full >"$dir/server.log" 2>&1 &
server=$!
trap 'kill $server' EXIT
until curl -sf "http://127.0.0.1:$port/health" >/dev/null; do sleep 0.2; done

cp examples/screen/compounds.tsv testdata/demo.h5ad "$dir"
sed -e 's#../../testdata/##; s/^cells: 8.*/cells: 4/; s/vehicle_replicates: 8.*/vehicle_replicates: 2/; s/invented: 6, stem: 6, shuffled: 6/invented: 1, stem: 1, shuffled: 1/' \
  examples/screen/screen.yaml >"$dir/screen.yaml"
task='Write the {num_genes} most expressed genes of this Homo sapiens cell after a perturbation.\nContext: {context}.\n'
cell='Control cell sentence: {control_cell_sentence}.\n'
compound='Perturbation: {perturbation_name}.\n'
printf '{"model_input": ["%s%s%sPerturbed cell sentence:"], "response": ["{perturbed_cell_sentence}."]}' "$task" "$cell" "$compound" >"$dir/cell.json"
printf '{"model_input": ["%s%s%sPerturbed cell sentence:"], "response": ["{perturbed_cell_sentence}."]}' "$task" "$compound" "$cell" >"$dir/compound.json"
for first in cell compound; do
  rm -rf "$dir/$first"
  "$dir/c2s" screen run -c "$dir/screen.yaml" --backend "llamacpp://127.0.0.1:$port" --prompts "$dir/$first.json" -o "$dir/$first" --json -q |
    awk -F'[:,]' -v first=$first '
      /"prompt_tokens"/ { prompt = $2 } /"cached_tokens"/ { cached = $2 } /"predictions"/ { n = $2 }
      END { printf "%-8s first: %d predictions, %d prompt tokens, %d read: %.1f a prediction instead of %.1f, %.1f times fewer\n", first, n, prompt, prompt - cached, (prompt - cached) / n, prompt / n, prompt / (prompt - cached) }'
done
