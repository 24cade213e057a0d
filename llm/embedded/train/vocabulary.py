"""The vocabulary of the demo model and its SentencePiece tokenizer.

Every gene, drug and prompt word becomes one token. The vocabulary is that of a
SentencePiece BPE model: special tokens, bytes for what it has no characters for,
merges, characters. The score of a merge falls with its order, so that an encoder
that joins the best scored pair first, as llama.cpp's does, repeats the merges.
"""

import re

MARK = "\u2581"  # SentencePiece writes a blank as this
PAD, EOS, BOS, UNKNOWN = range(4)
NORMAL, UNKNOWN_TYPE, CONTROL, UNUSED, BYTE = 1, 2, 3, 5, 6  # token types of GGUF
FIRST_BYTE = 4


def words_of(world):
    """All words, each with the mark that stands for the blank before it."""
    words = [MARK + w for w in world["genes"] + world["drugs"] + world["words"]]
    texts = list(world["prompts"].values())
    texts += [" " + t for t in world["cell_types"] + world["contexts"]]
    for text in texts:
        # A word that opens a line has no blank before it.
        for word in re.findall(r"(?: |(?<=\n)|^)[^ \n]+", re.sub(r"\{\w+\}", "", text)):
            word = word.replace(" ", MARK).rstrip(".,:")
            if word not in ("", MARK):
                words.append(word)
    return list(dict.fromkeys(words))


def merges_of(words):
    """Byte pair encoding, down to one piece a word: the joined pairs in order."""
    parts = {w: list(w) for w in words}
    merges = []
    while True:
        counts = {}
        for pieces in parts.values():
            for a, b in zip(pieces, pieces[1:]):
                counts[a + b] = counts.get(a + b, 0) + 1
        if not counts:
            return merges
        best = max(counts, key=lambda p: (counts[p], -len(p), p))
        merges.append(best)
        for word in list(parts):
            pieces, out = parts[word], []
            for piece in pieces:
                if out and out[-1] + piece == best:
                    out[-1] = best
                else:
                    out.append(piece)
            parts[word] = out
            if len(out) == 1:
                del parts[word]


class Tokenizer:
    """tokens, scores and types are lists by token id."""

    def __init__(self, world):
        words = words_of(world)
        pieces = [("<pad>", 0.0, CONTROL), ("<eos>", 0.0, CONTROL), ("<bos>", 0.0, CONTROL), ("<unk>", 0.0, UNKNOWN_TYPE)]
        pieces += [("<0x%02X>" % i, 0.0, BYTE) for i in range(256)]
        pieces += [(p, -1.0 - i, NORMAL) for i, p in enumerate(merges_of(words))]
        pieces += [(c, -10000.0 - i, NORMAL) for i, c in enumerate([MARK, "\n"] + [chr(c) for c in range(33, 127)])]
        # Whole blocks of 32 suit quantised rows and fast kernels.
        pieces += [("<unused%d>" % i, 0.0, UNUSED) for i in range(-len(pieces) % 32)]
        self.tokens, self.scores, self.types = (list(c) for c in zip(*pieces))
        self.id = {p: i for i, (p, _, t) in enumerate(pieces) if t == NORMAL}
        self.known = {}
        split = [w for w in words if len(self.word(w)) != 1]
        if split:
            raise ValueError("more than one token: %s" % split[:5])

    def word(self, word):
        """ids of a piece of text without a blank inside; each word is split once."""
        if word in self.known:
            return self.known[word]
        parts = list(word)
        while True:
            pairs = [(self.scores[self.id[a + b]], -i) for i, (a, b) in enumerate(zip(parts, parts[1:])) if a + b in self.id]
            if not pairs:
                break
            i = -max(pairs)[1]
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        ids = []
        for part in parts:
            ids += [self.id[part]] if part in self.id else [FIRST_BYTE + b for b in part.encode()]
        self.known[word] = ids
        return ids

    def encode(self, text):
        """ids of a text, without the beginning of text. No blank is put in front."""
        ids = []
        for word in re.findall(MARK + "?[^%s\n]+|%s|\n" % (MARK, MARK), text.replace(" ", MARK)):
            ids += self.word(word)
        return ids

    def decode(self, ids):
        return "".join(self.tokens[i] for i in ids if i > UNKNOWN).replace(MARK, " ")
