#!/usr/bin/env bash
# Supervised training with OpenRLHF: bash openrlhf_sft.sh PAIRS [MODEL]
set -euo pipefail
pairs=$1 model=${2:-vandijklab/C2S-Pythia-410m-diverse-single-and-multi-cell-tasks}

# 64 = 2 × 32. There is no --apply_chat_template: prompts are raw completions.
deepspeed --module openrlhf.cli.train_sft \
  --pretrain "$model" \
  --dataset "$pairs/openrlhf/sft_train.jsonl" \
  --input_key input \
  --output_key output \
  --max_len 2048 \
  --micro_train_batch_size 2 \
  --train_batch_size 64 \
  --learning_rate 1e-4 \
  --max_epochs 3 \
  --param_dtype bf16 \
  --zero_stage 2 \
  --gradient_checkpointing \
  --logging_steps 10 \
  --save_path sft
