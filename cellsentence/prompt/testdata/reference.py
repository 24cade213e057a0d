"""What Python and the package cell2sentence make of prompts and answers.

Reads one JSON request from standard input, writes one JSON answer:

    {"do": "pairs", "task", "top_k", "seed", "cells": [row...], "groups": [row...]}
        the package's formatters; groups for tasks over several cells
    {"do": "answers", "vocabulary": [word...], "answers": [text...]}
        the package's post-processing
    {"do": "time", "vocabulary": [word...], "answers": [text...]}
        seconds that it takes
    {"do": "format", "templates": [text...], "fields": {name: text}}
        str.format, null where it raises
    {"do": "choices", "seeds": [n...], "sizes": [n...], "count": n}
        for each seed and size, as many of random.choice(range(size)) after random.seed
"""
import ast
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import sys
import time
from unittest.mock import MagicMock


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for what the package imports and the functions here do not use."""

    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__path__, module.__spec__ = [], spec
        return module

    def exec_module(self, module):
        pass


def package(name):
    """Loads one file of the package, whose __init__ would load torch."""
    folder = importlib.util.find_spec("cell2sentence").submodule_search_locations[0]
    file = os.path.join(folder, name + ".py")
    imports = set()
    for node in ast.walk(ast.parse(open(file, encoding="utf-8").read())):
        if isinstance(node, ast.Import):
            imports.update(a.name.split(".")[0] for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            imports.add(node.module.split(".")[0])
    sys.meta_path.append(Absent({i for i in imports if importlib.util.find_spec(i) is None}))
    spec = importlib.util.spec_from_file_location("reference_" + name, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Rows:
    """The part of a Hugging Face dataset that the formatters use."""

    def __init__(self, rows):
        self.rows, self.num_rows = rows, len(rows)

    def __getitem__(self, i):
        return dict(self.rows[i])

    @staticmethod
    def from_dict(columns):
        return columns


def pairs(q):
    module = package("prompt_formatter")
    module.Dataset = Rows
    if "groups" in q:
        f = module.C2SMultiCellPromptFormatter(q["task"], q["top_k"], q["seed"])
        return f.format_hf_ds(Rows(q["cells"]), Rows(q["groups"]))
    return module.C2SPromptFormatter(q["task"], q["top_k"], q["seed"]).format_hf_ds(Rows(q["cells"]))


def answers(q):
    post = package("utils").post_process_generated_cell_sentences
    return [dict(zip(("words", "replaced"), post(a, q["vocabulary"]))) for a in q["answers"]]


def timed(q):
    post = package("utils").post_process_generated_cell_sentences
    start = time.perf_counter()
    for a in q["answers"]:
        post(a, q["vocabulary"])
    return time.perf_counter() - start


def formats(q):
    def one(t):
        try:
            return t.format(**q["fields"])
        except Exception:
            return None

    return [one(t) for t in q["templates"]]


def choices(q):
    def some(seed, size):
        random.seed(seed)
        return [random.choice(range(size)) for _ in range(q["count"])]

    return [some(seed, size) for seed in q["seeds"] for size in q["sizes"]]


q = json.load(sys.stdin)
do = {"pairs": pairs, "answers": answers, "time": timed, "format": formats, "choices": choices}[q["do"]]
json.dump(do(q), sys.stdout)
