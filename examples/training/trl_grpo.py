"""GRPO with TRL and the reward server:

    c2s perturb serve-reward --genes genes.txt
    CUDA_VISIBLE_DEVICES=3 trl vllm-serve --model sft
    CUDA_VISIBLE_DEVICES=0,1,2 accelerate launch --num_processes 3 trl_grpo.py PAIRS [--model sft] [--output DIR]
"""
import argparse
import os
import sys

from datasets import load_dataset
from trl import GRPOConfig, GRPOTrainer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rewards"))
import c2s_reward  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("pairs", help="folder of c2s perturb pairs")
parser.add_argument("--model", default="sft")
parser.add_argument("--output", default="grpo")
args = parser.parse_args()

data = load_dataset("json", data_files={"train": os.path.join(args.pairs, "trl", "grpo_train.jsonl")})

trainer = GRPOTrainer(
    model=args.model,
    reward_funcs=[c2s_reward.trl_reward],  # gets the column truth
    train_dataset=data["train"],
    args=GRPOConfig(
        output_dir=args.output,
        # 3 processes × 8 × 4 = 96 answers a step: 4 prompts with 24 answers each.
        per_device_train_batch_size=8,
        gradient_accumulation_steps=4,
        num_generations=24,
        learning_rate=1e-6,
        beta=5e-3,
        max_steps=3000,
        max_completion_length=1024,
        temperature=1.0,
        use_vllm=True,
        vllm_mode="server",
        bf16=True,
        gradient_checkpointing=True,
        logging_steps=10,
        save_steps=500,
    ),
)
trainer.train()
trainer.save_model(args.output)
