package record

import (
	"fmt"
	"math"
)

// Error says what is wrong with a table or its file.
type Error struct {
	File string // "" for a table in memory
	Line int    // from 1; 0 if no line is at fault
	Err  error
	Tip  string // what to do, "" when nothing can be said
}

// Error is "file:line: reason".
func (e *Error) Error() string {
	switch {
	case e.File == "":
		return e.Err.Error()
	case e.Line == 0:
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// Hint is what the user can do about it.
func (e *Error) Hint() string { return e.Tip }

// BadInput reports that the table is at fault.
func (e *Error) BadInput() bool { return true }

// Row is one row of a table.
type Row struct {
	Context  Context
	Arm      Arm
	Item     int32
	Dose     int16
	Cluster  int32
	CellType int32
	Cell     int32
	Draw     int16
	U, Expr  float32
	Valid    bool
	Copy     bool
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.Context) }

// Row is row i.
func (t *Table) Row(i int) Row {
	return Row{
		t.Context[i], t.Arm[i], t.Item[i], t.Dose[i], t.Cluster[i], t.CellType[i], t.Cell[i], t.Draw[i],
		t.U[i], t.Expr[i], t.Valid[i], t.Copy[i],
	}
}

// Append adds a row.
func (t *Table) Append(r Row) {
	t.Context = append(t.Context, r.Context)
	t.Arm = append(t.Arm, r.Arm)
	t.Item = append(t.Item, r.Item)
	t.Dose = append(t.Dose, r.Dose)
	t.Cluster = append(t.Cluster, r.Cluster)
	t.CellType = append(t.CellType, r.CellType)
	t.Cell = append(t.Cell, r.Cell)
	t.Draw = append(t.Draw, r.Draw)
	t.U = append(t.U, r.U)
	t.Expr = append(t.Expr, r.Expr)
	t.Valid = append(t.Valid, r.Valid)
	t.Copy = append(t.Copy, r.Copy)
}

// Check reports what is wrong with a table as an [*Error]: columns of different
// lengths, lists that contradict each other, rows that point beyond them.
func (t *Table) Check() error {
	n := t.Len()
	for _, l := range []int{
		len(t.Arm), len(t.Item), len(t.Dose), len(t.Cluster), len(t.CellType), len(t.Cell), len(t.Draw),
		len(t.U), len(t.Expr), len(t.Valid), len(t.Copy),
	} {
		if l != n {
			return &Error{Err: fmt.Errorf("a table with columns of %d and %d rows", n, l)}
		}
	}
	if err := t.Header.check(); err != nil {
		return &Error{Err: err}
	}
	for i := range n {
		if column, err := t.Header.checkRow(t.Row(i)); err != nil {
			return &Error{Err: fmt.Errorf("row %d (counted from 0): %s: %w", i, column, err)}
		}
	}
	return nil
}

// maxCells bounds donors times cell types: an analysis keeps a number for each.
const maxCells = 1_000_000

// check looks at the lists.
func (h *Header) check() error {
	if n := float64(len(h.Clusters)) * float64(len(h.CellTypes)); n > maxCells {
		return fmt.Errorf("%d donors or cell lines and %d cell types, whose product is above %d", len(h.Clusters), len(h.CellTypes), maxCells)
	}
	for i, it := range h.Items {
		switch it.Kind {
		case Test, Decoy, Control, Baseline:
		default:
			return fmt.Errorf("item %d (%q): the kind %q is not known", i, it.Name, it.Kind)
		}
		switch it.Known {
		case "", "inducer", "inert":
		default:
			return fmt.Errorf(`item %d (%q): known is %q, neither "inducer" nor "inert"`, i, it.Name, it.Known)
		}
		if it.Kind == Decoy && it.Family == "" {
			return fmt.Errorf("item %d (%q): a decoy without a family", i, it.Name)
		}
		if d := int(it.MainDose); d < 0 || d >= max(len(h.Doses), 1) {
			return fmt.Errorf("item %d (%q): the main dose is %d of %d", i, it.Name, d, len(h.Doses))
		}
	}
	if n := len(h.Weights); n > 0 && n != len(h.CellTypes) {
		return fmt.Errorf("%d weights for %d cell types", n, len(h.CellTypes))
	}
	for i, w := range h.Weights {
		if !(w >= 0 && w <= math.MaxFloat64) {
			return fmt.Errorf("cell type %q: the weight %g is no number from 0 on", h.CellTypes[i], w)
		}
	}
	for _, margin := range []float64{h.Margin, h.MarginShare} {
		if !(margin >= 0 && margin <= math.MaxFloat64) {
			return fmt.Errorf("the margin %g is no number from 0 on", margin)
		}
	}
	if h.Rising < 0 || h.Rising > len(h.Doses) {
		return fmt.Errorf("%d of %d doses rise", h.Rising, len(h.Doses))
	}
	return nil
}

// checkRow names the column that is wrong.
func (h *Header) checkRow(r Row) (column string, err error) {
	within := func(name string, i, n int) bool {
		if i < 0 || i >= n {
			column, err = name, fmt.Errorf("%d is not below %d", i, n)
		}
		return err == nil
	}
	if r.Context > Neutral {
		return "context", fmt.Errorf("%d is no context", r.Context)
	}
	if r.Arm > CompoundAndIFN {
		return "arm", fmt.Errorf("%d is no arm", r.Arm)
	}
	if !within("dose", int(r.Dose), max(len(h.Doses), 1)) ||
		!within("cluster", int(r.Cluster), len(h.Clusters)) ||
		!within("cell_type", int(r.CellType), len(h.CellTypes)) {
		return column, err
	}
	if !h.Clusters[r.Cluster].In[r.Context] {
		return "cluster", fmt.Errorf("%q has no cells in this context", h.Clusters[r.Cluster].Name)
	}
	switch {
	case r.Cell < 0:
		return "cell", fmt.Errorf("%d is negative", r.Cell)
	case r.Draw < 0:
		return "draw", fmt.Errorf("%d is negative", r.Draw)
	case r.Item < -1 || int(r.Item) >= len(h.Items):
		return "item", fmt.Errorf("%d is not below %d", r.Item, len(h.Items))
	case r.Item < 0 && (r.Arm == Compound || r.Arm == CompoundAndIFN):
		return "item", fmt.Errorf("an arm with a compound names none")
	case r.Item >= 0 && r.Arm == Interferon:
		return "item", fmt.Errorf("the arm of interferon alone names a compound")
	case r.Item >= 0 && r.Arm == Vehicle && (h.Items[r.Item].Kind != Baseline || h.Items[r.Item].Name != ""):
		return "item", fmt.Errorf("a vehicle names %q", h.Items[r.Item].Name)
	case r.Context != Neutral && r.Arm > Compound:
		return "arm", fmt.Errorf("an interferon arm in the positive context")
	}
	if !finite(r.U) && (r.Valid || !math.IsNaN(float64(r.U))) {
		return "u", fmt.Errorf("%g is no score", r.U)
	}
	if math.IsInf(float64(r.Expr), 0) {
		return "expr", fmt.Errorf("%g is no score", r.Expr)
	}
	return "", nil
}

func finite(v float32) bool { return v-v == 0 }
