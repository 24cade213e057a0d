"""Trains the demo model and writes it as GGUF, with what torch computes from that file.

  /usr/bin/python3 train.py OUTDIR [--steps 3000] [--processes 2]

Needs torch and numpy as Debian 12 has them (python3-torch 1.13), and Go, whose
program worldgen in this folder prints the cells. About half an hour on two free
cores that have AVX512-BF16 (Zen 4, Sapphire Rapids and later), else two hours.
Two trainings do not give the same bytes but the same measured quality.

Loss is taken on answers only. The learning rate falls as a cosine over the steps.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time

# The allocator must not give memory back after each step; must be set before torch.
if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
    os.environ.update(MALLOC_MMAP_THRESHOLD_="2000000000", MALLOC_TRIM_THRESHOLD_="8000000000", OMP_NUM_THREADS="1")
    os.execv(sys.executable, [sys.executable] + sys.argv)

import torch
import torch.multiprocessing as mp
import torch.nn.functional as F

import export
import model as gemma
import vocabulary

RATE, FLOOR, WARM_UP, DECAY = 3e-3, 0.02, 100, 0.02
GROUPS = 6  # in a step, for each process
TYPING_WEIGHT = 3.0  # of a token of a cell type: there are few of them
HERE = os.path.dirname(os.path.abspath(__file__))


class Cells:
    """Batches of token ids from the groups that worldgen prints."""

    def __init__(self, program, part, parts):
        self.process = subprocess.Popen([program, "-part", str(part), "-parts", str(parts)], stdout=subprocess.PIPE, text=True)
        self.world = json.loads(self.process.stdout.readline())
        self.tokenizer = vocabulary.Tokenizer(self.world)

    def close(self):
        self.process.stdout.close()
        self.process.wait()

    def ask(self, task, **fields):
        text = self.world["prompts"][task]
        for k, v in fields.items():
            text = text.replace("{%s}" % k, str(v))
        return self.tokenizer.encode(text)

    def answer(self, text):
        return self.tokenizer.encode(" " + text + ".") + [vocabulary.EOS]

    def step(self):
        """The next groups as (branching batch, flat batch)."""
        groups = [json.loads(next(self.process.stdout)) for _ in range(GROUPS)]
        prefixes, branches, flat = [], [], []
        for g in groups:
            rows = []
            for a in g["answers"]:
                # In front of the answer, a control's prompts differ in the last field only.
                fields = dict(num_genes=len(g["control"].split()), context=g["context"], control_cell_sentence=g["control"])
                head, _, tail = self.world["prompts"]["perturbation"].partition(" {perturbation}")
                for k, v in fields.items():
                    head = head.replace("{%s}" % k, str(v))
                prefix = [vocabulary.BOS] + self.tokenizer.encode(head)
                rows.append((self.tokenizer.encode(" " + a["perturbation"] + tail), self.answer(a["cell"])))
            prefixes.append(prefix)
            branches.append(rows)
            t = g["typed"]
            flat.append(([vocabulary.BOS] + self.ask("cell_type", num_genes=t["num_genes"], cell_sentence=t["cell"]), self.answer(t["cell_type"]), TYPING_WEIGHT))
            t = g["generated"]
            flat.append(([vocabulary.BOS] + self.ask("generation", num_genes=t["num_genes"], cell_type=t["cell_type"]), self.answer(t["cell"]), 1.0))
        longest = pad(max(len(q) + len(a) - 1 for rows in branches for q, a in rows), 4)
        x = torch.zeros(len(groups), len(branches[0]), longest, dtype=torch.long)
        y = torch.zeros_like(x)
        for i, rows in enumerate(branches):
            for j, (question, answer) in enumerate(rows):
                put(x[i, j], y[i, j], question, answer)
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


def losses(net, tree, flat):
    """Two sums of weighted losses and the sum of all weights."""
    prefix, x, y = tree
    keep = y.flatten().nonzero()[:, 0]
    loss = F.cross_entropy(net.logits(net.hidden_of_branches(prefix, x)[keep]), y.flatten()[keep], reduction="sum")
    yield loss, len(keep), prefix.numel() + x.ne(0).sum().item()
    x, y, w = flat
    keep = y.flatten().nonzero()[:, 0]
    loss = F.cross_entropy(net.logits(net.hidden(x)[keep]), y.flatten()[keep], reduction="none") * w.flatten()[keep]
    yield loss.sum(), w.flatten()[keep].sum().item(), x.ne(0).sum().item()


def worker(rank, a, program, shared):
    try:
        train(rank, a, program, shared)
    except BaseException:
        shared["barrier"].abort()  # nobody waits for a process that failed
        raise


def train(rank, a, program, shared):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    cells = Cells(program, rank, a.processes)
    gemma.Linear.half = "avx512_bf16" in open("/proc/cpuinfo").read()
    size = dict(gemma.SIZE, vocabulary=len(cells.tokenizer.tokens))
    net = gemma.Gemma2(size)
    every = list(net.parameters())
    matrices = [p for n, p in net.named_parameters() if p.dim() == 2 and "embd" not in n]
    others = [p for n, p in net.named_parameters() if not (p.dim() == 2 and "embd" not in n)]
    optimizer = torch.optim.AdamW([dict(params=matrices, weight_decay=DECAY), dict(params=others, weight_decay=0.0)], betas=(0.9, 0.98))
    start, tokens, log = time.time(), 0, []
    for step in range(a.steps):
        rate = RATE * min(1, (step + 1) / WARM_UP) * max(FLOOR, 0.5 + 0.5 * math.cos(math.pi * step / a.steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        weights, row = 0.0, []
        for loss, weight, n in losses(net, *cells.step()):
            loss.backward()
            weights, tokens = weights + weight, tokens + n
            row.append(loss.item() / weight)
        flat = torch.cat([p.grad.flatten() for p in every]) / weights
        if a.processes > 1:
            shared["gradients"][rank].copy_(flat)
            shared["barrier"].wait()
            flat = shared["gradients"].mean(0)
            shared["barrier"].wait()
        for p, g in zip(every, flat.split([p.numel() for p in every])):
            p.grad = g.view_as(p).clone()
        torch.nn.utils.clip_grad_norm_(every, 1.0)
        optimizer.step()
        log.append(row)
        if rank == 0 and (step + 1) % 50 == 0:
            mean = torch.tensor(log[-50:]).mean(0).tolist()
            took = time.time() - start
            print("step %d  perturbation %.4f  others %.4f  %.0f tokens/s  %.0f s" % (step + 1, *mean, tokens * a.processes / took, took), flush=True)
        if rank == 0 and (step + 1) % 500 == 0 or step + 1 == a.steps:
            if rank == 0:
                save(a.out, net, cells, dict(steps=step + 1, tokens=tokens * a.processes, seconds=round(time.time() - start)))
    cells.close()


def save(out, net, cells, facts):
    torch.save(dict(c=net.c, state=net.state_dict(), facts=facts, world=cells.world), os.path.join(out, "demo.pt"))
    export.write_model(os.path.join(out, "demo.gguf"), net, cells.tokenizer, cells.world)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--steps", type=int, default=3000)
    p.add_argument("--processes", type=int, default=2)
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    program = os.path.join(tempfile.mkdtemp(), "worldgen")
    subprocess.run(["go", "build", "-o", program, "./worldgen"], cwd=HERE, check=True)
    if a.processes == 1:
        return train(0, a, program, None)
    cells = Cells(program, 0, 1)
    n = sum(p.numel() for p in gemma.Gemma2(dict(gemma.SIZE, vocabulary=len(cells.tokenizer.tokens))).parameters())
    cells.close()
    context = mp.get_context("spawn")
    shared = dict(gradients=torch.zeros(a.processes, n).share_memory_(), barrier=context.Barrier(a.processes))
    workers = [context.Process(target=worker, args=(rank, a, program, shared)) for rank in range(a.processes)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    raise SystemExit(max(abs(w.exitcode) for w in workers))


if __name__ == "__main__":
    main()
