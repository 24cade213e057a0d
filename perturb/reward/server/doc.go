// Package server answers trainers over HTTP with the rewards of package reward.
//
// Start with [New], [Listen] and [Server.Serve]. The forms, all POST and JSON:
//
//	/get_reward  OpenRLHF: query, prompts, labels → rewards, scores, extra_logs
//	/trl         TRL's reward function: prompts, completions, truth → rewards, null where
//	             none is defined
//	/verl        verl's compute_score: data_source, solution_str, ground_truth, extra_info
//	             → score, valid, undefined
//	/verl/batch  the plural of each → scores, a list of the same
//
// A truth (label, ground_truth) is a [reward.Truth], as an object or as the text of one.
// GET /healthz says whether requests are taken; GET /metrics is Prometheus's text format
// (version 0.0.4). Errors are {"error": "…"} with status 400 (no JSON), 401, 413, 415, 422
// (the content is bad) or 503. Nothing is written to disk.
package server
