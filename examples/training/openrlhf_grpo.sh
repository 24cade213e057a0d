#!/usr/bin/env bash
# GRPO with OpenRLHF and the reward server, on 4 GPUs: bash openrlhf_grpo.sh PAIRS [MODEL]
set -euo pipefail
pairs=$1 model=${2:-sft}

ray start --head --num-gpus 4
ray job submit --address="http://127.0.0.1:8265" -- python3 -m openrlhf.cli.train_ppo_ray \
  --pretrain "$model" \
  --remote_rm_url "${C2S_REWARD_URL:-http://127.0.0.1:5000}/get_reward" \
  --prompt_data "$pairs/openrlhf/rl_train.jsonl" \
  --input_key input \
  --label_key truth \
  --advantage_estimator group_norm \
  --n_samples_per_prompt 24 \
  --actor_learning_rate 1e-6 \
  --init_kl_coef 5e-3 \
  --use_kl_loss \
  --kl_estimator k3 \
  --temperature 1.0 \
  --rollout_batch_size 32 \
  --train_batch_size 768 \
  --micro_rollout_batch_size 8 \
  --micro_train_batch_size 8 \
  --prompt_max_len 1024 \
  --generate_max_len 1024 \
  --max_epochs 1 \
  --num_episodes 3 \
  --actor_num_nodes 1 \
  --actor_num_gpus_per_node 3 \
  --ref_num_nodes 1 \
  --ref_num_gpus_per_node 3 \
  --colocate_actor_ref \
  --vllm_num_engines 1 \
  --vllm_tensor_parallel_size 1 \
  --param_dtype bf16 \
  --zero_stage 2 \
  --gradient_checkpointing \
  --logging_steps 10 \
  --save_path grpo
