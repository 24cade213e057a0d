"""Trains the demo model and writes it to OUTDIR: demo.gguf, reference.json (what
torch computes from that file) and demo.pt.

  /usr/bin/python3 train.py OUTDIR [--steps 2000] [--processes 2]

Needs torch and numpy as Debian 12 has them (python3-torch 1.13), and Go, whose
program worldgen in this folder prints the cells. Twenty minutes on two free
cores that have AVX512-BF16 (Zen 4, Sapphire Rapids and later), else over an
hour. Two trainings give the same measured quality, not the same bytes.

Loss is taken on answers only. The learning rate falls as a cosine over the steps.
"""

import argparse
import math
import os
import sys
import time

# The allocator must not give memory back after each step; it reads this at its start.
if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
    os.environ.update(MALLOC_MMAP_THRESHOLD_="2000000000", MALLOC_TRIM_THRESHOLD_="8000000000", OMP_NUM_THREADS="1")
    os.execv(sys.executable, [sys.executable] + sys.argv)

import torch
import torch.multiprocessing as mp
import torch.nn.functional as F

import cells
import export
import model as gemma

RATE, FLOOR, WARM_UP, DECAY, BETAS, CLIP = 3e-3, 0.02, 100, 0.02, (0.9, 0.98), 1.0


def losses(net, tree, flat):
    """For each part of a batch: the sum of weighted losses, the weights' sum, and the tokens."""
    prefix, x, y = tree
    keep = y.flatten().nonzero()[:, 0]
    loss = F.cross_entropy(net.logits(net.hidden_of_branches(prefix, x)[keep]), y.flatten()[keep], reduction="sum")
    yield loss, len(keep), prefix.numel() + x.ne(0).sum().item()
    x, y, w = flat
    keep = y.flatten().nonzero()[:, 0]
    loss = F.cross_entropy(net.logits(net.hidden(x)[keep]), y.flatten()[keep], reduction="none") * w.flatten()[keep]
    yield loss.sum(), w.flatten()[keep].sum().item(), x.ne(0).sum().item()


def train(rank, a, program, shared):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    source = cells.Cells(program, rank, a.processes)
    gemma.Linear.half = "avx512_bf16" in open("/proc/cpuinfo").read()
    net = gemma.Gemma2(dict(gemma.SIZE, vocabulary=len(source.tokenizer.tokens)))
    every = list(net.parameters())
    matrices = [p for n, p in net.named_parameters() if p.dim() == 2 and "embd" not in n]
    others = [p for n, p in net.named_parameters() if not (p.dim() == 2 and "embd" not in n)]
    optimizer = torch.optim.AdamW([dict(params=matrices, weight_decay=DECAY), dict(params=others, weight_decay=0.0)], betas=BETAS)
    start, tokens, log = time.time(), 0, []
    for step in range(a.steps):
        rate = RATE * min(1, (step + 1) / WARM_UP) * max(FLOOR, 0.5 + 0.5 * math.cos(math.pi * step / a.steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        weights, row = 0.0, []
        for loss, weight, n in losses(net, *source.batch()):
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
        torch.nn.utils.clip_grad_norm_(every, CLIP)
        optimizer.step()
        log.append(row)
        if rank == 0 and (step + 1) % 50 == 0:
            mean = torch.tensor(log[-50:]).mean(0).tolist()
            took = time.time() - start
            print("step %d  perturbation %.4f  others %.4f  %.0f tokens/s  %.0f s" % (step + 1, *mean, tokens * a.processes / took, took), flush=True)
        if rank == 0 and (step + 1) % 500 == 0 or step + 1 == a.steps:
            facts = dict(steps=step + 1, tokens=tokens * a.processes, seconds=round(time.time() - start))
            if rank == 0:
                torch.save(dict(c=net.c, state=net.state_dict(), facts=facts), os.path.join(a.out, "demo.pt"))
    source.close()


def worker(rank, a, program, shared):
    try:
        train(rank, a, program, shared)
    except BaseException:
        shared["barrier"].abort()  # nobody waits for a process that failed
        raise


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--steps", type=int, default=2000)
    p.add_argument("--processes", type=int, default=2)
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    program = cells.build()
    if a.processes == 1:
        train(0, a, program, None)
    else:
        source = cells.Cells(program, 0, 1)
        n = sum(p.numel() for p in gemma.Gemma2(dict(gemma.SIZE, vocabulary=len(source.tokenizer.tokens))).parameters())
        source.close()
        context = mp.get_context("spawn")
        shared = dict(gradients=torch.zeros(a.processes, n).share_memory_(), barrier=context.Barrier(a.processes))
        workers = [context.Process(target=worker, args=(rank, a, program, shared)) for rank in range(a.processes)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        if any(w.exitcode for w in workers):
            sys.exit("training failed")
    export.write(a.out, program)


if __name__ == "__main__":
    main()
