"""Gemma-2 in torch, for training on a CPU: Gemma Team, "Gemma 2: Improving Open
Language Models at a Practical Size", arXiv 2408.00118.

Its own autograd functions, products in bfloat16 where the processor has them, and
a prefix that many answers share make training about four times as fast.
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

SIZE = dict(width=192, layers=4, heads=4, kv_heads=2, head=64, feed=448)
ATTENTION_CAP, LOGIT_CAP, EPSILON, ROPE_BASE = 50.0, 30.0, 1e-6, 10000.0


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        r = torch.rsqrt((x * x).mean(-1, keepdim=True) + EPSILON)
        xr = x * r
        ctx.save_for_backward(xr, r, w)
        return xr * (1 + w)

    @staticmethod
    def backward(ctx, g):
        xr, r, w = ctx.saved_tensors
        gx = g * (1 + w)
        return (gx - xr * (gx * xr).mean(-1, keepdim=True)).mul_(r), (g * xr).flatten(0, -2).sum(0)


class _CappedSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, scores, mask):
        t = scores.mul_(1 / ATTENTION_CAP).tanh_()
        p = torch.softmax(torch.add(mask, t, alpha=ATTENTION_CAP), -1)
        ctx.save_for_backward(t, p)
        return p

    @staticmethod
    def backward(ctx, g):
        t, p = ctx.saved_tensors
        return torch._softmax_backward_data(g, p, -1, p.dtype).mul_(1 - t * t), None


class _GatedGelu(torch.autograd.Function):
    """gelu(g) * u by the tanh form of GELU."""

    @staticmethod
    def forward(ctx, g, u):
        t = (g * g).mul_(0.044715).add_(1).mul_(g).mul_(math.sqrt(2 / math.pi)).tanh_()
        ctx.save_for_backward(g, u, t)
        return (t + 1).mul_(g).mul_(0.5).mul_(u)

    @staticmethod
    def backward(ctx, d):
        g, u, t = ctx.saved_tensors
        half = (t + 1).mul_(0.5)
        slope = (g * g).mul_(3 * 0.044715).add_(1).mul_(0.5 * math.sqrt(2 / math.pi)).mul_(g).mul_(1 - t * t).add_(half)
        return slope.mul_(u).mul_(d), (half * g).mul_(d)


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return _Norm.apply(x, self.weight)


class Linear(nn.Module):
    half = False  # products in bfloat16

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * 0.5 / math.sqrt(inputs))

    def forward(self, x):
        if Linear.half:
            return F.linear(x.bfloat16(), self.weight.bfloat16())
        return F.linear(x, self.weight)


def rotate(x, angles):
    a, b = x.chunk(2, -1)
    cos, sin = angles
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        width, head = c["width"], c["head"]
        self.attn_norm, self.post_attention_norm = Norm(width), Norm(width)
        self.ffn_norm, self.post_ffw_norm = Norm(width), Norm(width)
        self.attn_q = Linear(width, c["heads"] * head)
        self.attn_k, self.attn_v = Linear(width, c["kv_heads"] * head), Linear(width, c["kv_heads"] * head)
        self.attn_output = Linear(c["heads"] * head, width)
        self.ffn_gate, self.ffn_up, self.ffn_down = Linear(width, c["feed"]), Linear(width, c["feed"]), Linear(c["feed"], width)

    def attend(self, q, k, v, mask):
        """q [batch, heads, s, head], k and v [batch, kv_heads, t, head] → [batch * s, heads * head]"""
        batch, heads, s, head = q.shape
        kv, t = k.shape[1:3]
        shared = heads // kv
        # Query heads that share a key head are rows of one product.
        q = q.reshape(batch * kv, shared * s, head) * head**-0.5
        scores = torch.bmm(q, k.reshape(batch * kv, t, head).transpose(1, 2)).float()
        p = _CappedSoftmax.apply(scores.view(batch * kv, shared, s, t), mask).view(batch * kv, shared * s, t)
        out = torch.bmm(p.to(v.dtype), v.reshape(batch * kv, t, head))
        return out.view(batch, heads, s, head).transpose(1, 2).reshape(batch * s, heads * head)

    def forward(self, x, tree):
        """x holds the rows of all prefixes, then those of all branches."""
        c, h, n = self.c, self.attn_norm(x), tree.prefix_rows

        def split(z, heads):
            prefix = z[:n].view(tree.batch, tree.prefix, heads, c["head"]).transpose(1, 2)
            branch = z[n:].view(tree.batch * tree.branches, tree.branch, heads, c["head"]).transpose(1, 2)
            return prefix, branch

        (q0, q1), (k0, k1), (v0, v1) = split(self.attn_q(h), c["heads"]), split(self.attn_k(h), c["kv_heads"]), split(self.attn_v(h), c["kv_heads"])
        q0, k0, q1, k1 = rotate(q0, tree.angles0), rotate(k0, tree.angles0), rotate(q1, tree.angles1), rotate(k1, tree.angles1)
        y = self.attend(q0, k0, v0, tree.mask0)
        if tree.branches:
            each = lambda z: z[:, None].expand(-1, tree.branches, -1, -1, -1).flatten(0, 1)
            y1 = self.attend(q1, torch.cat([each(k0), k1], 2), torch.cat([each(v0), v1], 2), tree.mask1)
            y = torch.cat([y, y1])
        x = x + self.post_attention_norm(self.attn_output(y).float())
        h = self.ffn_norm(x)
        h = _GatedGelu.apply(self.ffn_gate(h).float(), self.ffn_up(h).float())
        return x + self.post_ffw_norm(self.ffn_down(h).float())


class Tree:
    """Prefixes of one length, each continued by the same number of branches of one
    length; without branches, plain sequences."""

    def __init__(self, batch, prefix, branches, branch, head):
        self.batch, self.prefix, self.branches, self.branch = batch, prefix, branches, branch
        self.prefix_rows = batch * prefix
        f = ROPE_BASE ** (-torch.arange(0, head, 2).float() / head)
        angle = torch.arange(prefix + branch).float()[:, None] * f
        kind = torch.bfloat16 if Linear.half else torch.float32
        cos, sin = angle.cos().to(kind), angle.sin().to(kind)
        self.angles0, self.angles1 = (cos[:prefix], sin[:prefix]), (cos[prefix:], sin[prefix:])
        self.mask0 = torch.full((prefix, prefix), -math.inf).triu(1)
        self.mask1 = torch.full((branch, prefix + branch), -math.inf).triu(1 + prefix)


class Gemma2(nn.Module):
    """c: width, layers, heads, kv_heads, head, feed, vocabulary"""

    def __init__(self, c):
        super().__init__()
        self.c = c
        self.token_embd = nn.Embedding(c["vocabulary"], c["width"])
        nn.init.normal_(self.token_embd.weight, std=c["width"] ** -0.5)
        self.blk = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.output_norm = Norm(c["width"])

    def _run(self, ids, tree):
        x = self.token_embd(ids) * math.sqrt(self.c["width"])
        for block in self.blk:
            x = block(x, tree)
        return x

    def hidden(self, ids):
        """ids [batch, s] → states after the last norm [batch * s, width]"""
        batch, s = ids.shape
        return self.output_norm(self._run(ids.flatten(), Tree(batch, s, 0, 0, self.c["head"])))

    def hidden_of_branches(self, prefix, branch):
        """prefix [batch, p], branch [batch, n, l] → states of the branches [batch * n * l, width]"""
        batch, n, l = branch.shape
        tree = Tree(batch, prefix.shape[1], n, l, self.c["head"])
        return self.output_norm(self._run(torch.cat([prefix.flatten(), branch.flatten()]), tree)[tree.prefix_rows :])

    def logits(self, hidden):
        if Linear.half:
            raw = F.linear(hidden.bfloat16(), self.token_embd.weight.bfloat16()).float()
        else:
            raw = F.linear(hidden, self.token_embd.weight)
        return LOGIT_CAP * torch.tanh(raw / LOGIT_CAP)
