"""Supervised training with TRL: python trl_sft.py PAIRS [--model NAME] [--output DIR]"""
import argparse
import os

from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

parser = argparse.ArgumentParser()
parser.add_argument("pairs", help="folder of c2s perturb pairs")
parser.add_argument("--model", default="vandijklab/C2S-Pythia-410m-diverse-single-and-multi-cell-tasks")
parser.add_argument("--output", default="sft")
args = parser.parse_args()

files = {side: os.path.join(args.pairs, "trl", f"sft_{side}.jsonl") for side in ("train", "test")}
data = load_dataset("json", data_files={side: path for side, path in files.items() if os.path.exists(path)})

trainer = SFTTrainer(
    model=args.model,
    train_dataset=data["train"],
    eval_dataset=data.get("test"),
    args=SFTConfig(
        output_dir=args.output,
        per_device_train_batch_size=2,
        gradient_accumulation_steps=32,
        learning_rate=1e-4,
        max_steps=3500,
        max_length=2048,
        completion_only_loss=True,
        bf16=True,
        gradient_checkpointing=True,
        logging_steps=10,
        save_steps=500,
    ),
)
trainer.train()
trainer.save_model(args.output)
