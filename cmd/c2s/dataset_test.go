package main

import (
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/dataset"
)

func TestAuditVerdict(t *testing.T) {
	v := 0.81
	for _, tc := range []struct {
		r    dataset.Report
		want string
	}{
		{dataset.Report{Rows: 5000, Clean: 5000}, "Yes: no flag on 5,000 rows."},
		{dataset.Report{Rows: 1, Clean: 1}, "Yes: no flag on 1 row."},
		{
			dataset.Report{Rows: 5000, Clean: 4999, Junk: dataset.JunkReport{Cheap: 1, Content: 1, Both: 1}},
			"Yes, but for small things. < 0.1 % of 5,000 rows have a flag: 1 row looks like junk.",
		},
		{
			// One row in a hundred is still small, more is not.
			dataset.Report{Rows: 1000, Clean: 990, Duplicates: dataset.Duplicates{Exact: 7, Near: 3}},
			"Yes, but for small things. 1.0 % of 1,000 rows have a flag: 10 rows repeat an earlier one.",
		},
		{
			dataset.Report{Rows: 1000, Clean: 989, Duplicates: dataset.Duplicates{Exact: 11}},
			"Not as it is. 1.1 % of 1,000 rows have a flag: 11 rows repeat an earlier one.",
		},
		{
			// A leak spoils the evaluation however small it is.
			dataset.Report{Rows: 5000, Clean: 4999, Leakage: []dataset.Leakage{{From: "train", To: "test", Near: 1}}},
			"Not as it is. < 0.1 % of 5,000 rows have a flag: 1 row of test repeats train.",
		},
		{
			dataset.Report{Rows: 10, Clean: 8, Flags: map[string]int64{"conflict": 2}},
			"Not as it is. 20.0 % of 10 rows have a flag: 2 rows have another label elsewhere.",
		},
		{
			dataset.Report{Rows: 100, Clean: 100, Confounding: []dataset.Confounding{{Column: "donor", Label: "cell_type", V: &v, Confounded: true}}},
			"Not as it is. There is no flag on 100 rows, but donor goes with cell_type (Cramér's V 0.81).",
		},
		{dataset.Report{Rows: 50, Clean: 40, Flags: map[string]int64{"unknown": 9, "repeat": 1}}, "Not as it is. 20.0 % of 50 rows have a flag: most often unknown."},
	} {
		if got := auditVerdict(&tc.r); got != tc.want {
			t.Errorf("%q, expected %q", got, tc.want)
		}
	}
}

func TestPercent(t *testing.T) {
	for _, tc := range []struct {
		n, of int64
		want  string
	}{{0, 0, "–"}, {0, 7, "0 %"}, {7, 7, "100 %"}, {1, 3, "33.3 %"}, {1, 2000, "< 0.1 %"}, {1999, 2000, "> 99.9 %"}} {
		if got := percent(tc.n, tc.of); got != tc.want {
			t.Errorf("%d of %d: %q, expected %q", tc.n, tc.of, got, tc.want)
		}
	}
}

// TestFlagTexts explains each flag once.
func TestFlagTexts(t *testing.T) {
	want := map[string]bool{}
	for k := 0; ; k++ {
		names := (dataset.Flags(1) << k).Names()
		if len(names) == 0 {
			break
		}
		want[names[0]] = true
	}
	for _, f := range flagTexts() {
		if !want[f.name] {
			t.Errorf("%q is no flag, or is explained twice", f.name)
		}
		delete(want, f.name)
	}
	for name := range want {
		t.Errorf("the flag %q is not explained", name)
	}
}

func TestEnding(t *testing.T) {
	for _, tc := range []struct {
		format, like string
		columns      bool
		want         string // "" for an error
	}{
		{"", "a/cells.parquet", true, ".parquet"},
		{"", "cells.jsonl.GZ", true, ".jsonl.gz"},
		{"", "cells.txt.zst", false, ".txt.zst"},
		{"", "cells.txt", true, ".parquet"},
		{"", "folder", true, ".parquet"},
		{"jsonl.zst", "cells.parquet", true, ".jsonl.zst"},
		{".hf", "cells.parquet", true, ".hf"},
		{"txt", "cells.parquet", true, ""},
		{"txt", "cells.parquet", false, ".txt"},
		{"csv", "cells.parquet", false, ""},
		{"parquet.gz", "cells.parquet", false, ""},
	} {
		got, err := ending(tc.format, tc.like, tc.columns)
		if got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%q like %q: %q, %v, expected %q", tc.format, tc.like, got, err, tc.want)
		}
	}
}

func TestAuditInputs(t *testing.T) {
	var names []string
	for _, in := range auditInputs([]string{"a/train.parquet", "b/train.jsonl.gz", "c/test.HF/", "manifest.arrow", "folder", "train-2.txt"}) {
		names = append(names, in.Name)
	}
	if got, want := strings.Join(names, " "), "train train-2 test manifest-2 folder train-2-2"; got != want {
		t.Errorf("%s, expected %s", got, want)
	}
}

func TestPairsOf(t *testing.T) {
	got, err := pairsOf("set", []string{"a=b=c", "d= e"}, false)
	if err != nil || len(got) != 2 || got["a"] != "b=c" || got["d"] != " e" {
		t.Errorf("%v, %v", got, err)
	}
	got, err = pairsOf("hold", []string{"a=b=c"}, true)
	if err != nil || got["a=b"] != "c" {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range [][]string{{"a"}, {"=b"}, {"a="}, {"a=b", "a=c"}} {
		if got, err := pairsOf("set", bad, false); err == nil {
			t.Errorf("%q gives %v", bad, got)
		}
	}
}
