"""Simulated cells from the Go program worldgen, as batches of token ids."""

import json
import os
import subprocess
import tempfile

import torch

import vocabulary

GROUPS = 6  # in a batch
TYPING_WEIGHT = 3.0  # of a token of a cell type: there are few of them
HERE = os.path.dirname(os.path.abspath(__file__))


def build():
    """Builds worldgen and gives its path."""
    program = os.path.join(tempfile.mkdtemp(), "worldgen")
    subprocess.run(["go", "build", "-o", program, "./worldgen"], cwd=HERE, check=True)
    return program


class Cells:
    """The groups that worldgen prints: see group in its main.go."""

    def __init__(self, program, part, parts):
        self.process = subprocess.Popen([program, "-part", str(part), "-parts", str(parts)], stdout=subprocess.PIPE, text=True)
        self.world = json.loads(self.process.stdout.readline())
        self.tokenizer = vocabulary.Tokenizer(self.world)

    def close(self):
        self.process.stdout.close()
        self.process.wait()

    def group(self):
        return json.loads(next(self.process.stdout))

    def prompt(self, task, **fields):
        text = self.world["prompts"][task]
        for k, v in fields.items():
            text = text.replace("{%s}" % k, str(v))
        return text

    def question(self, task, **fields):
        return [vocabulary.BOS] + self.tokenizer.encode(self.prompt(task, **fields))

    def answer(self, text):
        return self.tokenizer.encode(" " + text + ".") + [vocabulary.EOS]

    def branches(self, g):
        """A control's questions share all but the last field: their common beginning,
        and (end of the question, answer) for each perturbation."""
        fields = dict(num_genes=len(g["control"].split()), context=g["context"], control_cell_sentence=g["control"])
        head, _, tail = self.prompt("perturbation", **fields).partition(" {perturbation}")
        rows = [(self.tokenizer.encode(" " + a["perturbation"] + tail), self.answer(a["cell"])) for a in g["answers"]]
        return [vocabulary.BOS] + self.tokenizer.encode(head), rows

    def others(self, g):
        """(question, answer, weight) of the cells to type and to generate"""
        t, d = g["typed"], g["generated"]
        yield self.question("cell_type", num_genes=t["num_genes"], cell_sentence=t["cell"]), self.answer(t["cell_type"]), TYPING_WEIGHT
        yield self.question("generation", num_genes=d["num_genes"], cell_type=d["cell_type"]), self.answer(d["cell"]), 1.0

    def batch(self):
        """((prefix, x, y) of the branches, (x, y, weights) of the others), as tensors"""
        groups = [self.group() for _ in range(GROUPS)]
        prefixes, rows = zip(*[self.branches(g) for g in groups])
        length = pad(max(len(q) + len(a) - 1 for r in rows for q, a in r), 4)
        x = torch.zeros(GROUPS, len(rows[0]), length, dtype=torch.long)
        y = torch.zeros_like(x)
        for i, r in enumerate(rows):
            for j, (question, answer) in enumerate(r):
                put(x[i, j], y[i, j], question, answer)
        flat = [row for g in groups for row in self.others(g)]
        length = pad(max(len(q) + len(a) - 1 for q, a, _ in flat), 16)
        fx = torch.zeros(len(flat), length, dtype=torch.long)
        fy, fw = torch.zeros_like(fx), torch.zeros(fx.shape)
        for i, (question, answer, weight) in enumerate(flat):
            put(fx[i], fy[i], question, answer)
            fw[i] = weight
        return (torch.tensor(prefixes), x, y), (fx, fy, fw)


def pad(n, to):
    """Few shapes: each new one costs the building of a kernel."""
    return -(-n // to) * to


def put(x, y, question, answer):
    """Inputs, and the next token where it belongs to the answer."""
    tokens = torch.tensor(question + answer)
    x[: len(tokens) - 1] = tokens[:-1]
    y[len(question) - 1 : len(tokens) - 1] = tokens[len(question) :]
