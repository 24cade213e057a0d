package pairs_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/pairs"
	"github.com/cellsentence/c2s/perturb/reward"
	"github.com/cellsentence/c2s/perturb/reward/server"
)

const examplesDir = "../../examples/training"

func example(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(examplesDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestExampleNumbers: the numbers of the L1000 training in C2S-Scale (Rizvi et al. 2025,
// methods): supervised 2 × 32, 1e-4, 3,500 steps; GRPO 8 × 4, 24 answers, 1e-6, β 5e-3,
// 3,000 steps, 4 GPUs.
func TestExampleNumbers(t *testing.T) {
	for name, want := range map[string][]string{
		"trl_sft.py":         {`per_device_train_batch_size=2,`, `gradient_accumulation_steps=32,`, `learning_rate=1e-4,`, `max_steps=3500,`},
		"axolotl.yaml":       {`micro_batch_size: 2\n`, `gradient_accumulation_steps: 32\n`, `learning_rate: 0\.0001\n`, `max_steps: 3500\n`},
		"llama_factory.yaml": {`per_device_train_batch_size: 2\n`, `gradient_accumulation_steps: 32\n`, `learning_rate: 0\.0001\n`, `max_steps: 3500\n`},
		"openrlhf_sft.sh":    {`--micro_train_batch_size 2 `, `--train_batch_size 64 `, `--learning_rate 1e-4 `},
		"trl_grpo.py":        {`per_device_train_batch_size=8,`, `gradient_accumulation_steps=4,`, `num_generations=24,`, `learning_rate=1e-6,`, `beta=5e-3,`, `max_steps=3000,`},
		"verl_grpo.sh":       {`train_batch_size=32 `, `rollout\.n=24 `, `optim\.lr=1e-6 `, `kl_loss_coef=0\.005 `, `n_gpus_per_node=4 `, `total_training_steps=3000 `},
		"openrlhf_grpo.sh":   {`--n_samples_per_prompt 24 `, `--actor_learning_rate 1e-6 `, `--init_kl_coef 5e-3 `, `--rollout_batch_size 32 `, `--train_batch_size 768 `},
	} {
		text := example(t, name)
		for _, w := range want {
			if !regexp.MustCompile(w).MatchString(text) {
				t.Errorf("%s: no %q", name, w)
			}
		}
	}
}

// readYAML reads a configuration as trainers do: with PyYAML, which comes with datasets.
func readYAML(t testing.TB, path string) (config map[string]any) {
	t.Helper()
	python := os.Getenv("C2S_PYTHON_DATASETS")
	if python == "" {
		if os.Getenv("C2S_CI") == "1" {
			t.Fatal("C2S_PYTHON_DATASETS is not set")
		}
		t.Skip("C2S_PYTHON_DATASETS is not set")
	}
	out, err := exec.Command(python, "-c", "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &config); err != nil {
		t.Fatal(err)
	}
	return config
}

// TestExamplePaths: what the examples read is what the writer writes.
func TestExamplePaths(t *testing.T) {
	dir, _ := written(t, pairs.Options{Test: true}, examples())
	path := regexp.MustCompile(`pairs/((?:trl|verl|openrlhf|axolotl|llama-factory)(?:/[\w.]+)?)`)
	n := 0
	entries, err := os.ReadDir(examplesDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		for _, m := range path.FindAllStringSubmatch(strings.ReplaceAll(example(t, e.Name()), "$pairs/", "pairs/"), -1) {
			n++
			if _, err := os.Stat(filepath.Join(dir, m[1])); err != nil {
				t.Errorf("%s: %v", e.Name(), err)
			}
		}
	}
	if n < 6 {
		t.Errorf("only %d paths were found", n)
	}
	for _, name := range []string{"verl_grpo.sh", "openrlhf_sft.sh", "openrlhf_grpo.sh"} {
		if out, err := exec.Command("bash", "-n", filepath.Join(examplesDir, name)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
	for _, name := range []string{"axolotl.yaml", "llama_factory.yaml"} {
		config := readYAML(t, filepath.Join(examplesDir, name))
		if name == "axolotl.yaml" {
			d, _ := config["datasets"].([]any)
			if first, _ := d[0].(map[string]any); first["type"] != "input_output" || config["train_on_inputs"] != false {
				t.Errorf("%v", config)
			}
		} else if config["template"] != "empty" || config["dataset"] != "c2s_train" || config["eval_dataset"] != "c2s_test" {
			t.Errorf("%v", config)
		}
	}
}

// TestTRLExamplesRun runs the scripts with stand-ins for trl and datasets that read the
// files and, for GRPO, ask the reward server about an answer that is the real cell and one
// that is the control cell.
func TestTRLExamplesRun(t *testing.T) {
	python := os.Getenv("C2S_PYTHON")
	if python == "" {
		var err error
		if python, err = exec.LookPath("python3"); err != nil {
			t.Skip("no python3")
		}
	}
	list := examples()
	for i := range list {
		list[i].Truth = reward.Truth{Control: "A B C D", Real: reward.Sentences{"D C B A", "D C A B", "C D B A"}}
	}
	dir, _ := written(t, pairs.Options{Test: true}, list)
	panel, err := reward.NewPanel([]string{"A", "B", "C", "D"})
	if err != nil {
		t.Fatal(err)
	}
	scorer, err := reward.NewScorer(reward.Config{Panel: panel})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(server.Config{Scorer: scorer})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	script := func(name string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), python, filepath.Join(examplesDir, name), dir)
		cmd.Env = append(os.Environ(), "PYTHONPATH=testdata/standins", "PYTHONDONTWRITEBYTECODE=1", "C2S_REWARD_URL="+web.URL)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
		return string(out)
	}
	if out := script("trl_sft.py"); !strings.Contains(out, "3 rows to train, 1 to test, 64 a step") {
		t.Errorf("%s", out)
	}
	// A copy of the control has the reward 0 by definition, a real cell one above.
	if out := script("trl_grpo.py"); !strings.Contains(out, "2 prompts, 24 answers, the real cell beats the control: True") {
		t.Errorf("%s", out)
	}
}
