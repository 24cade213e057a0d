"""Rewards from `c2s perturb serve-reward` for TRL and verl, with the standard library only.

TRL:       GRPOTrainer(reward_funcs=[c2s_reward.trl_reward], ...); the dataset has a
           column "truth" beside "prompt".
verl:      reward.custom_reward_function.path=c2s_reward.py, name=compute_score (one
           answer a call) or name=compute_scores with the batch reward manager.
OpenRLHF:  needs no client: --remote_rm_url http://127.0.0.1:5000/get_reward and
           --label_key truth.

C2S_REWARD_URL (http://127.0.0.1:5000) and C2S_REWARD_TOKEN name the server.
"""
import json
import os
import time
import urllib.error
import urllib.request


def ask(path, body, tries=5, timeout=180):
    """Posts body as JSON and returns the answer; only what may pass by itself is tried again."""
    headers = {"Content-Type": "application/json"}
    token = os.environ.get("C2S_REWARD_TOKEN")
    if token:
        headers["Authorization"] = "Bearer " + token
    url = os.environ.get("C2S_REWARD_URL", "http://127.0.0.1:5000").rstrip("/") + path
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    for left in reversed(range(tries)):
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as e:
            text = e.read().decode(errors="replace")
            if e.code != 503 or not left:
                raise RuntimeError(f"{url}: {e.code}: {text.strip()}") from e
        except OSError:
            if not left:
                raise
        time.sleep(1)


def trl_reward(prompts, completions, truth, **_):
    """TRL's reward function: a number for each completion, None where none is defined."""
    return ask("/trl", {"prompts": prompts, "completions": completions, "truth": truth})["rewards"]


def compute_score(data_source, solution_str, ground_truth, extra_info=None, **_):
    """verl's custom reward function, one answer at a time."""
    return ask("/verl", {
        "data_source": data_source, "solution_str": solution_str, "ground_truth": ground_truth,
        "extra_info": index_of(extra_info),
    })


def compute_scores(data_sources, solution_strs, ground_truths, extra_infos, **_):
    """verl's custom reward function for the batch reward manager."""
    return ask("/verl/batch", {
        "data_sources": list(data_sources), "solution_strs": list(solution_strs),
        "ground_truths": list(ground_truths), "extra_infos": [index_of(e) for e in extra_infos],
    })["scores"]


def index_of(extra_info):
    """What tells prompts apart; the rest of extra_info may hold arrays that are no JSON."""
    index = (extra_info or {}).get("index")
    return {} if index is None else {"index": str(index)}
