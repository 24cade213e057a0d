package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// What scripts are written against: names, flags, keys and columns may be added to, and
// none may go. A test here that fails says that a change breaks other people's scripts.

const (
	samplingFlags = " temperature top-k-tokens top-p max-tokens"
	backendFlag   = " backend model slots timeout journal num-ctx prompts"
)

var promisedFlags = map[string]string{
	"":                     "out force jobs memory seed json quiet verbose log-format progress",
	"inspect":              "",
	"validate":             "",
	"convert":              "compression level to where cells genes sample groupby layer raw min-genes min-cells max-mito normalize log1p",
	"concat":               "join",
	"encode":               "x layer raw top-k ties gene-names gene-map collisions obs min-genes min-cells delimiter shard",
	"decode":               "rank-model vocab n-genes",
	"fidelity":             "parity",
	"vocab":                "",
	"dataset build":        "",
	"dataset audit":        "",
	"dataset split":        "",
	"dataset mix":          "",
	"plan":                 "",
	"merge":                "",
	"doctor":               "",
	"model import":         "name quantize to",
	"model list":           "",
	"model check":          "backend model",
	"annotate":             "labels cluster batch truth" + backendFlag,
	"generate":             "cell-type n" + backendFlag + samplingFlags,
	"embed":                "method" + backendFlag,
	"predict":              "control perturbation perturbations predictor reference" + backendFlag + samplingFlags,
	"scfid":                "key groupby donor drop-nonfinite",
	"perturb pairs":        "",
	"perturb score":        "pert-col control preset",
	"perturb serve-reward": "",
	"perturb advantages":   "",
	"perturb scaling fit":  "",
	"perturb compare":      "",
	"screen plan":          "init config",
	"screen run":           "config",
	"screen analyse":       "config",
	"screen report":        "config",
	"screen simulate":      "compounds true",
	"demo":                 "",
	"completion":           "",
	"version":              "",
}

// promisedShort are flags of one letter; -h is cobra's.
var promisedShort = map[string]string{"o": "out", "j": "jobs", "q": "quiet", "v": "verbose"}

func TestContractFlags(t *testing.T) {
	e, _, _ := testEnv()
	root := newRoot(&globals{env: e})
	for path, flags := range promisedFlags {
		c, rest, err := root.Find(strings.Fields(path))
		if err != nil || len(rest) > 0 {
			t.Errorf("there is no command %q (%v)", path, err)
			continue
		}
		has := func(name string) bool {
			return c.Flags().Lookup(name) != nil || c.InheritedFlags().Lookup(name) != nil || c.PersistentFlags().Lookup(name) != nil
		}
		for name := range strings.FieldsSeq(flags) {
			if !has(name) {
				t.Errorf("c2s %s has no --%s", path, name)
			}
		}
	}
	for short, long := range promisedShort {
		if f := root.PersistentFlags().ShorthandLookup(short); f == nil || f.Name != long {
			t.Errorf("-%s is not --%s", short, long)
		}
	}
	for _, name := range []string{"plan", "run", "analyse", "report"} {
		c, _, _ := root.Find([]string{"screen", name})
		if f := c.Flags().ShorthandLookup("c"); f == nil || f.Name != "config" {
			t.Errorf("screen %s has no -c", name)
		}
	}
	f := mustFind(t, root, "generate").Flags().ShorthandLookup("n")
	if f == nil {
		t.Error("generate has no -n")
	}
	for flag, want := range map[string]string{"memory": "2GiB", "seed": "42", "jobs": "0", "log-format": "text", "progress": "auto"} {
		if got := root.PersistentFlags().Lookup(flag).DefValue; got != want {
			t.Errorf("--%s is %s if nothing is said, expected %s", flag, got, want)
		}
	}
}

func mustFind(t *testing.T, root *cobra.Command, path string) *cobra.Command {
	t.Helper()
	c, _, err := root.Find(strings.Fields(path))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// contractInputs makes a folder with testdata and what some commands read.
func contractInputs(t *testing.T) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, name := range []string{"testdata", "examples"} {
		if err := os.CopyFS(name, os.DirFS(filepath.Join(root, name))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("labels.txt", []byte("B cell\nMonocyte\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"convert testdata/demo.h5ad small.h5ad --sample 1 --groupby cell_type",
		"encode testdata/tiny.h5ad -o cells.parquet",
		"fidelity testdata/demo.h5ad -o fidelity",
		"embed testdata/demo.h5ad --method pca --components 5 -o cells.npy",
		"screen simulate --compounds 60 --true 3 -o simulated",
	} {
		contractRun(t, line)
	}
}

// contractRun runs a line that must succeed and gives what it printed.
func contractRun(t *testing.T, line string) []byte {
	t.Helper()
	args, err := words(line)
	if err != nil {
		t.Fatal(err)
	}
	e, stdout, stderr := testEnv()
	if code := run(t.Context(), args, e); code != exitGood {
		t.Fatalf("c2s %s: exit code %d: %s", line, code, stderr)
	}
	return stdout.Bytes()
}

// promisedKeys are the keys of results that are printed with --json; a dot leads into an
// object or, for a list, its first element.
var promisedKeys = []struct{ line, keys string }{
	{
		"inspect testdata/demo.h5ad",
		"path format n_obs n_vars x.encoding x.dtype x.kind x.nnz x.compression x.chunks layers raw obs.name obs.kind obs.dtype obs.n_categories " +
			"var.name var.kind var.dtype var.n_categories obsm varm obsp varp uns genes.id genes.duplicates genes.collisions warnings",
	},
	{"inspect testdata/scaled.h5ad", "raw.encoding raw.kind"},
	{"version", "version commit go cpu"},
	{"validate testdata/demo.h5ad", "problems notes"},
	{"convert testdata/tiny.h5ad copy.h5ad", "out n_obs n_vars warnings"},
	{"concat testdata/tiny.h5ad testdata/demo.h5ad -o both.h5ad", "out n_obs n_vars warnings"},
	{"encode testdata/tiny.h5ad -o tiny.jsonl", "out cells warnings"},
	{"decode cells.parquet --rank-model fidelity/rank.json --vocab testdata/tiny.h5ad -o decoded.h5ad", "out n_obs n_vars stats.unknown stats.repeats stats.empty_cells unknown"},
	{
		"fidelity testdata/demo.h5ad -o fidelity2",
		"linear.r2 linear.pearson linear.spearman linear.mae linear.slope linear.intercept linear.n_points linear.n_cells " +
			"conditional.r2 conditional.pearson conditional.spearman conditional.mae conditional.n_points conditional.n_cells",
	},
	{"vocab testdata/tiny.h5ad", "gene cells"},
	{"plan testdata/tiny.h5ad", "files parts global"},
	{"dataset tasks", "name"},
	{"annotate small.h5ad --backend demo --labels labels.txt --truth cell_type -o types.tsv", "out model notice cells truth.accuracy truth.macro_f1 truth.confusion"},
	{"generate --backend demo --cell-type Monocyte -n 1 --vocab testdata/demo.h5ad -o new.jsonl", "out model notice cells"},
	{"embed testdata/demo.h5ad --method pca --components 5 -o pca.npy", "out method n_obs dim"},
	{"predict testdata/drugs.h5ad --control vehicle --predictor control -o control.h5ad", "out predictor n_obs n_vars perturbations.name"},
	{
		"scfid cells.npy cells.npy",
		"fd mean_term cov_term n_real n_gen dim method bias_floor donor_floor fd_infinity ci kid.mean kid.std precision recall density coverage groups mean_over_groups warnings",
	},
	{"perturb pairs testdata/perturb.h5ad --control control --format table -o pairs", "out design train test"},
	{
		"perturb score testdata/perturb.h5ad testdata/perturb.h5ad --pert-col perturbation --control control --bootstraps 20 --tricks=false -o score",
		"preset metrics.name metrics.score metrics.normalised metrics.ceiling metrics.baseline flags warnings",
	},
	{"perturb advantages examples/rewards/rollouts.jsonl --trainer verl", "rollouts.advantage steps"},
	{"perturb scaling fit examples/rewards/run.jsonl --resamples 20", "fits.a fits.b fits.c_mid"},
	{"perturb compare examples/compare/model-junk-000 examples/compare/additive", "ranking.name pairs.metric frontiers"},
	{"screen simulate --compounds 60 --true 3", "recall fdr calls settings"},
	{"screen analyse simulated", "calls compounds warnings"},
	{"screen report simulated", "out compounds hits"},
}

func TestContractKeys(t *testing.T) {
	contractInputs(t)
	for _, tc := range promisedKeys {
		var result any
		if err := json.Unmarshal(contractRun(t, tc.line+" --json"), &result); err != nil {
			t.Errorf("c2s %s --json: %v", tc.line, err)
			continue
		}
		for key := range strings.FieldsSeq(tc.keys) {
			if !hasKey(result, strings.Split(key, ".")) {
				t.Errorf("c2s %s --json: no %s", tc.line, key)
			}
		}
	}
	for file, columns := range promisedColumns {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		first, _, _ := bytes.Cut(text, []byte("\n"))
		got := strings.FieldsFunc(string(first), func(r rune) bool { return r == '\t' || r == ',' })
		for name := range strings.FieldsSeq(columns) {
			if !slices.Contains(got, name) {
				t.Errorf("%s: no column %s in %q", file, name, first)
			}
		}
	}
}

// promisedColumns are those of the tables that the lines above write.
var promisedColumns = map[string]string{
	"simulated/analysis/hits.tsv": "rank compound call delta_pos delta_pos_lo delta_pos_hi delta_neu delta_neu_lo delta_neu_hi split split_lo split_hi " +
		"p_pos p_equiv p_split p q decoy_p decoy_family synergy_bits synergy_p excess_ifn excess_lo excess_hi excess_q dose_trend_p baseline_split " +
		"rel_pos rel_neu program_genes_seen program_specificity_p n_pos n_neu n_donors_pos n_donors_neu valid_rate copy_rate known",
	"types.tsv":             "cell_name c2s_cell_type c2s_confidence",
	"fidelity2/metrics.csv": "threshold slope intercept r_squared pearson_r_statistic spearman_r_statistic",
	"score/results.csv":     "perturbation pearson_delta mse mae discrimination_score_l1",
	"score/agg_results.csv": "statistic pearson_delta",
}

// hasKey looks for a path of keys in what JSON holds.
func hasKey(v any, path []string) bool {
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	if len(path) == 0 {
		return true
	}
	object, ok := v.(map[string]any)
	if !ok {
		return false
	}
	next, ok := object[path[0]]
	return ok && hasKey(next, path[1:])
}

// TestContractErrors has the exit code of wrong calls, and nothing on stdout.
func TestContractErrors(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	data, err := filepath.Abs(filepath.Join("..", "..", "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, tc := range []struct {
		name string
		ctx  context.Context
		args []string
		code int
		want []string
	}{
		{"missing", t.Context(), []string{"inspect", data + "/demo.h5da"}, exitFailed, []string{"demo.h5da: no such file", "hint: did you mean ", "demo.h5ad?"}},
		{"no folder", t.Context(), []string{"inspect", "nowhere/demo.h5ad"}, exitFailed, []string{"hint: there is no folder nowhere"}},
		{"scaled", t.Context(), []string{"encode", data + "/scaled.h5ad", "-o", "x.txt"}, exitBadInput, []string{"looks scaled", "hint: ", "--raw"}},
		{"bare", t.Context(), []string{"screen", "run"}, exitUsage, []string{"-c screen.yaml is missing; for example: c2s screen run -c examples/"}},
		{"no backend of this name", t.Context(), []string{"annotate", data + "/tiny.h5ad", "--backend", "bogus://1", "-o", "x.tsv"}, exitUsage, []string{"is no backend", "hint: use demo"}},
		{"no server", t.Context(), []string{"annotate", data + "/tiny.h5ad", "--backend", "ollama://127.0.0.1:9", "-o", "x.tsv"}, exitUnreachable, []string{"hint: start one with"}},
		{"stopped", stopped, []string{"encode", data + "/demo.h5ad", "-o", "x.txt"}, exitInterrupted, []string{"interrupted", "run the command again"}},
		{"as JSON", t.Context(), []string{"inspect", "nowhere/demo.h5ad", "--log-format", "json"}, exitFailed, []string{`"level":"ERROR"`, `"exit_code":1`, `"hint":"there is no folder nowhere"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, stdout, stderr := testEnv()
			if code := run(tc.ctx, tc.args, e); code != tc.code {
				t.Errorf("exit code %d, expected %d: %s", code, tc.code, stderr)
			}
			for _, want := range tc.want {
				if !strings.Contains(filepath.ToSlash(stderr.String()), want) {
					t.Errorf("%q does not say %q", stderr, want)
				}
			}
			if stdout.Len() > 0 {
				t.Errorf("it prints %q", stdout)
			}
			for _, name := range []string{"x.txt", "x.tsv"} {
				if _, err := os.Stat(name); err == nil {
					t.Errorf("it leaves %s", name)
				}
			}
		})
	}
}

// stopper is a stderr at whose first line the user presses Ctrl-C.
type stopper struct {
	bytes.Buffer
	stop context.CancelFunc
}

func (s *stopper) Write(p []byte) (int, error) {
	s.stop()
	return s.Buffer.Write(p)
}

// TestContractResume stops a model at work: the first line is that of the demo model.
func TestContractResume(t *testing.T) {
	data, err := filepath.Abs(filepath.Join("..", "..", "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for want, journal := range map[string][]string{
		"hint: the answers so far are gone; with --journal FILE": nil,
		"hint: the answers so far are in j.db":                   {"--journal", "j.db"},
	} {
		ctx, stop := context.WithCancel(t.Context())
		e, _, _ := testEnv()
		stderr := &stopper{stop: stop}
		e.stderr = stderr
		args := append([]string{"annotate", data + "/demo.h5ad", "--backend", "demo", "-o", "x.tsv"}, journal...)
		if code := run(ctx, args, e); code != exitInterrupted || !strings.Contains(stderr.String(), want) {
			t.Errorf("exit code %d and %q, expected %q", code, stderr, want)
		}
		if _, err := os.Stat("x.tsv"); err == nil {
			t.Error("it leaves x.tsv")
		}
		stop()
	}
}
