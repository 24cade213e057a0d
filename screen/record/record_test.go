package record_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/screen/record"
)

// small is a table with every arm and kind.
func small() *record.Table {
	p := 0.25
	t := &record.Table{Header: record.Header{
		Plan: "abc", Predictor: "demo", Program: []string{"B2M", "HLA-A"}, ProgramSeen: 2, SentenceLength: 200,
		Items: []record.Item{
			{Name: "a <drug>", Kind: record.Test, Known: "inducer", Evidence: "PMID 1", MainDose: 1, Targets: []string{"CSNK2A1"}, Specificity: &p},
			{Name: "blorb", Kind: record.Decoy, Family: "invented", StoppedAt: 1},
			{Name: "IFN-γ", Kind: record.Control},
			{Name: "", Kind: record.Baseline},
			{Name: "a <drug>", Kind: record.Baseline, Side: map[string]record.Pair{"apoptosis": {0.1, -0.2}}},
		},
		Clusters:  []record.Cluster{{Name: "D1", In: [2]bool{true, true}}, {Name: "line", In: [2]bool{false, true}}},
		CellTypes: []string{"B", "T"}, Doses: []string{"0.1 uM", "1 uM"}, Margin: 0.1, Weights: []float64{0.5, 0.5}, Design: "racing",
	}}
	nan := float32(math.NaN())
	for _, r := range []record.Row{
		{Item: -1, Draw: 1, U: 0.1, Expr: nan, Valid: true},
		{Arm: record.Compound, Dose: 1, CellType: 1, Cell: math.MaxInt32, U: float32(1) / 3, Expr: -1.5e-7, Valid: true, Copy: true},
		{Context: record.Neutral, Arm: record.Interferon, Item: -1, Cluster: 1, U: nan, Expr: nan},
		{Context: record.Neutral, Arm: record.CompoundAndIFN, Cluster: 1, U: 1, Expr: math.MaxFloat32, Valid: true},
		{Context: record.Neutral, Arm: record.Vehicle, Item: 3, U: 0, Expr: 0, Valid: true},
		{Context: record.Neutral, Arm: record.Compound, Item: 4, U: math.SmallestNonzeroFloat32, Expr: 0, Valid: true},
	} {
		t.Append(r)
	}
	return t
}

func TestRoundTrip(t *testing.T) {
	want := small()
	path := filepath.Join(t.TempDir(), record.FileName)
	if err := record.WriteFile(path, want, atomicfile.Options{}); err != nil {
		t.Fatal(err)
	}
	got, err := record.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Check(); err != nil {
		t.Fatal(err)
	}
	same(t, got, want)
}

// same compares tables bit by bit, NaN equal to NaN.
func same(t *testing.T, got, want *record.Table) {
	t.Helper()
	if !reflect.DeepEqual(got.Header, want.Header) {
		t.Fatalf("header %+v, want %+v", got.Header, want.Header)
	}
	if got.Len() != want.Len() {
		t.Fatalf("%d rows, want %d", got.Len(), want.Len())
	}
	for i := range want.Len() {
		a, b := got.Row(i), want.Row(i)
		for _, pair := range [][2]*float32{{&a.U, &b.U}, {&a.Expr, &b.Expr}} {
			if math.IsNaN(float64(*pair[0])) && math.IsNaN(float64(*pair[1])) {
				*pair[0], *pair[1] = 0, 0
			}
		}
		if a != b {
			t.Fatalf("row %d is %+v, want %+v", i, a, b)
		}
	}
}

func text(t *testing.T, table *record.Table) string {
	t.Helper()
	var b bytes.Buffer
	if err := record.Write(&b, table); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func packed(plain string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, plain)
	_ = z.Close()
	return b.Bytes()
}

func TestErrors(t *testing.T) {
	good := text(t, small())
	row := "neu\tcompound\t4\t0\t0\t0\t0\t0\t1e-45\t0\t1\t0\n" // the last one
	if !strings.HasSuffix(good, row) {
		t.Fatalf("the last row is not %q in %q", row, good)
	}
	swap := func(from, to string) string {
		return strings.TrimSuffix(good, row) + strings.Replace(row, from, to, 1)
	}
	for _, c := range []struct{ name, plain, want string }{
		{"empty", "", "f:1: the file is empty"},
		{"other", "a\tb\n", "f:1: no table of a screen"},
		{"json", "# {\n", "f:1: the header: unexpected end of JSON"},
		{"kind", strings.Replace(good, `"decoy"`, `"dcoy"`, 1), `f:1: the header: item 1 ("blorb"): the kind "dcoy" is not known`},
		{"dose", strings.Replace(good, `"main_dose":1`, `"main_dose":2`, 1), `the main dose is 2 of 2`},
		{"weights", strings.Replace(good, `[0.5,0.5]`, `[0.5]`, 1), `1 weights for 2 cell types`},
		{"lists", strings.Replace(good, `"cell_types":[`, `"cell_types":[`+strings.Repeat(`"",`, 999_999), 1), `cell types, whose product is above 1000000`},
		{"columns", strings.Replace(good, "context\tarm", "context\tArm", 1), "f:2: the columns are"},
		{"no columns", strings.SplitAfter(good, "\n")[0], "f:2: the columns are"},
		{"context", swap("neu", "new"), `f:8: context: "new" is not known`},
		{"arm", swap("compound", ""), `f:8: arm: "" is not known`},
		{"item", swap("\t4", "\t5"), "f:8: item: 5 is not below 5"},
		{"no item", swap("\t4", "\t-1"), "f:8: item: an arm with a compound names none"},
		{"plus", swap("\t4", "\t+4"), `f:8: item: "+4" is no number up to`},
		{"large", swap("\t4", "\t4294967300"), `f:8: item: "4294967300" is no number up to 2147483647`},
		{"score", swap("1e-45", "NaN"), `f:8: u: "NaN" is no finite number`},
		{"no score", swap("1e-45", ""), `f:8: u: NaN is no score`},
		{"wide score", swap("1e-45", "1e39"), `f:8: u: "1e39" is no finite number`},
		{"valid", swap("\t1\t0\n", "\ttrue\t0\n"), `f:8: valid: "true" is not known`},
		{"short", swap("\t1\t0\n", "\t1\n"), "f:8: copy: the line ends before it"},
		{"long", swap("\t1\t0\n", "\t1\t0\t\n"), "f:8: copy: the line goes on behind it"},
		{"cut", strings.TrimSuffix(good, "\n"), "f:8: the last line is cut off"},
		{"endless", good + strings.Repeat("1", 10000), "f:9: a line of more than 4096 bytes"},
		{"context of a cluster", swap("neu\tcompound\t4\t0\t0", "pos\tcompound\t4\t0\t1"), `f:8: cluster: "line" has no cells in this context`},
		{"arm of a context", swap("neu\tcompound", "pos\tboth"), "f:8: arm: an interferon arm in the positive context"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := record.Read(bytes.NewReader(packed(c.plain)), "f")
			var e *record.Error
			if !errors.As(err, &e) || !e.BadInput() || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
		})
	}
	whole := packed(good)
	for _, n := range []int{0, 5, len(whole) / 2, len(whole) - 1} { // −1: the checksum
		if _, err := record.Read(bytes.NewReader(whole[:n]), "f"); err == nil {
			t.Errorf("no error for the first %d of %d bytes", n, len(whole))
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	w, err := record.NewWriter(io.Discard, small().Header)
	if err != nil {
		t.Fatal(err)
	}
	err = w.Write(record.Row{Arm: record.Vehicle, Item: 0, Valid: true})
	if err == nil || !strings.Contains(err.Error(), `row 0 (counted from 0): item: a vehicle names "a <drug>"`) {
		t.Fatal(err)
	}
}

// FuzzRead: what can be read is written and read again as it was.
func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := record.Write(&b, small()); err != nil {
		f.Fatal(err)
	}
	z, _ := gzip.NewReader(bytes.NewReader(b.Bytes()))
	plain, _ := io.ReadAll(z)
	f.Add(plain)
	f.Add([]byte("# {}\n"))
	f.Fuzz(func(t *testing.T, plain []byte) {
		got, err := record.Read(bytes.NewReader(packed(string(plain))), "f")
		if err != nil {
			return
		}
		if err := got.Check(); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := record.Write(&b, got); err != nil {
			t.Fatal(err)
		}
		again, err := record.Read(&b, "f")
		if err != nil {
			t.Fatal(err)
		}
		same(t, again, got)
	})
}

func BenchmarkRead(b *testing.B) {
	t := small()
	for t.Len() < 1_000_000 {
		r := t.Row(1)
		r.Cell, r.U, r.Expr = int32(t.Len()/2000), float32(t.Len())/1e6, float32(t.Len())/3e6
		t.Append(r)
	}
	var packed bytes.Buffer
	if err := record.Write(&packed, t); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(packed.Len())/float64(t.Len()), "B/row")
	for b.Loop() {
		if _, err := record.Read(bytes.NewReader(packed.Bytes()), "f"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(t.Len())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
