#!/usr/bin/env bash
# GRPO with verl and the reward server, on 4 GPUs: bash verl_grpo.sh PAIRS [MODEL]
set -euo pipefail
pairs=$1 model=${2:-sft}
here=$(cd "$(dirname "$0")" && pwd)
# Older verl has the key without "reward.".
reward=${REWARD_KEY:-reward.custom_reward_function}

# The template is the content of the message alone: prompts are raw completions.
python3 -m verl.trainer.main_ppo \
  algorithm.adv_estimator=grpo \
  algorithm.use_kl_in_reward=False \
  data.train_files="$pairs/verl/train.parquet" \
  data.val_files="$pairs/verl/test.parquet" \
  data.train_batch_size=32 \
  data.max_prompt_length=1024 \
  data.max_response_length=1024 \
  data.truncation=error \
  actor_rollout_ref.model.path="$model" \
  actor_rollout_ref.model.custom_chat_template="'{% for m in messages %}{{ m.content }}{% endfor %}'" \
  actor_rollout_ref.model.enable_gradient_checkpointing=True \
  actor_rollout_ref.actor.optim.lr=1e-6 \
  actor_rollout_ref.actor.ppo_mini_batch_size=32 \
  actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=8 \
  actor_rollout_ref.actor.use_kl_loss=True \
  actor_rollout_ref.actor.kl_loss_coef=0.005 \
  actor_rollout_ref.actor.kl_loss_type=low_var_kl \
  actor_rollout_ref.rollout.name=vllm \
  actor_rollout_ref.rollout.n=24 \
  actor_rollout_ref.rollout.temperature=1.0 \
  actor_rollout_ref.rollout.tensor_model_parallel_size=1 \
  actor_rollout_ref.rollout.gpu_memory_utilization=0.6 \
  actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=8 \
  actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu=8 \
  "$reward.path=$here/../rewards/c2s_reward.py" \
  "$reward.name=compute_score" \
  trainer.logger='["console"]' \
  trainer.project_name=c2s \
  trainer.experiment_name=perturbation \
  trainer.n_gpus_per_node=4 \
  trainer.nnodes=1 \
  trainer.total_training_steps=3000 \
  trainer.save_freq=500 \
  trainer.test_freq=500
