"""Stands in for TRL: takes what the examples give its trainers, and asks the reward."""
import json


class Config:
    def __init__(self, **options):
        self.__dict__.update(options)


SFTConfig = GRPOConfig = Config


class SFTTrainer:
    def __init__(self, model, train_dataset, eval_dataset, args):
        self.train_rows, self.test_rows, self.args = train_dataset, eval_dataset, args

    def train(self):
        for row in self.train_rows + self.test_rows:
            assert set(row) == {"prompt", "completion"} and row["completion"].startswith(" "), row
        step = self.args.per_device_train_batch_size * self.args.gradient_accumulation_steps
        print(f"{len(self.train_rows)} rows to train, {len(self.test_rows)} to test, {step} a step")

    def save_model(self, path):
        pass


class GRPOTrainer(SFTTrainer):
    def __init__(self, model, reward_funcs, train_dataset, args):
        super().__init__(model, train_dataset, [], args)
        self.reward = reward_funcs[0]

    def train(self):
        rows = self.train_rows
        truth = [json.loads(r["truth"]) for r in rows]
        columns = {"prompts": [r["prompt"] for r in rows], "truth": [r["truth"] for r in rows], "trainer_state": None}
        real = self.reward(completions=[" " + t["real"][0] + "." for t in truth], **columns)
        control = self.reward(completions=[" " + t["control"] + "." for t in truth], **columns)
        answers = 3 * self.args.per_device_train_batch_size * self.args.gradient_accumulation_steps // 4
        assert answers == self.args.num_generations
        print(f"{len(rows)} prompts, {answers} answers, the real cell beats the control:", all(r > c for r, c in zip(real, control)))
