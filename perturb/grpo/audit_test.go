package grpo_test

import (
	"math"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/grpo"
)

func TestAudit(t *testing.T) {
	const log = `{"step":1,"group":"a","reward":1,"advantage":0.5,"tokens":17408}
{"step":1,"group":"a","reward":0,"advantage":-0.25}
{"step":2,"group":"a","reward":null,"logprobs":[-1]}

{"step":1,"group":"b","reward":1}
`
	rollouts, err := grpo.ReadRollouts(strings.NewReader(log), grpo.Keys{})
	if err != nil || len(rollouts) != 4 || rollouts[3].Line != 5 || rollouts[2].Tokens != 1 || rollouts[1].Tokens != -1 {
		t.Fatalf("%+v, %v", rollouts, err)
	}
	rule, _ := grpo.TrainerRule("trl", grpo.ScaleNone)
	checked, steps, err := grpo.Audit{Rule: rule, Filter: grpo.FilterEqual}.Check(rollouts)
	if err != nil || len(steps) != 2 {
		t.Fatalf("%+v, %v", steps, err)
	}
	s := steps[0]
	if s.Answers != 3 || s.Prompts != 2 || s.Equal != 1 || s.Dropped != 1 || s.Compared != 2 || s.MaxDiff != .25 || s.DiffLine != 2 || !closeTo(s.Reward, 2./3) {
		t.Errorf("%+v", s)
	}
	if s = steps[1]; s.Missing != 1 || s.Reward != 0 || s.Dropped != 1 || s.Compared != 0 {
		t.Errorf("%+v", s)
	}
	if checked[0].Want != .5 || checked[3].Kept || !math.IsNaN(checked[3].Advantage) {
		t.Errorf("%+v", checked)
	}
	long := grpo.Audit{Rule: rule, Overlong: &grpo.Overlong{Max: 20480, Cache: 4096}}
	checked, _, err = long.Check(rollouts[:1])
	if err != nil || checked[0].Shaped != .75 { // 1 − .25
		t.Errorf("%+v, %v", checked, err)
	}
	if _, _, err := long.Check(rollouts); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("%v", err)
	}
	loss := grpo.Audit{Rule: rule, Loss: &grpo.Loss{Objective: grpo.ObjectiveClip, Aggregation: grpo.TokenMean}}
	if _, _, err := loss.Check(rollouts); err == nil || !strings.Contains(err.Error(), "no logprobs") {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"", "{}\n", "[1]", `{"group":1}`, `{"group":1,"reward":"x"}`, `{"group":1,"reward":0,"logprobs":3}`} {
		_, err := grpo.ReadRollouts(strings.NewReader(bad), grpo.Keys{})
		if b, ok := err.(interface{ BadInput() bool }); !ok || !b.BadInput() {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
