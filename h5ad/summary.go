package h5ad

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Summary is what `c2s inspect` prints; its JSON keys are a contract.
type Summary struct {
	Path     string                   `json:"path"`
	Format   Format                   `json:"format"`
	NObs     int                      `json:"n_obs"`
	NVars    int                      `json:"n_vars"`
	X        *MatrixSummary           `json:"x"`
	Layers   map[string]MatrixSummary `json:"layers"`
	Raw      *RawSummary              `json:"raw"`
	Obs      []ColumnSummary          `json:"obs"`
	Var      []ColumnSummary          `json:"var"`
	Obsm     map[string][]int         `json:"obsm"`
	Varm     map[string][]int         `json:"varm"`
	Obsp     map[string][]int         `json:"obsp"`
	Varp     map[string][]int         `json:"varp"`
	Uns      []string                 `json:"uns"`
	Warnings []string                 `json:"warnings"`
}

// MatrixSummary describes a matrix.
type MatrixSummary struct {
	Encoding    string    `json:"encoding"`
	DType       string    `json:"dtype"`
	Kind        ValueKind `json:"kind"`
	Sampled     int       `json:"sampled"` // stored values that Kind was told from
	NNZ         int64     `json:"nnz"`
	Compression string    `json:"compression"`
	Chunks      []int     `json:"chunks"`
}

// RawSummary describes raw.
type RawSummary struct {
	NVars int `json:"n_vars"`
	MatrixSummary
}

// ColumnSummary describes a column; NCategories is 0 unless it is categorical.
type ColumnSummary struct {
	Name        string `json:"name"`
	Kind        string `json:"kind"`
	DType       string `json:"dtype"`
	NCategories int    `json:"n_categories"`
}

// Summarise describes the file. It looks at headers and a sample of the
// matrices, not at every value. An element that cannot be read becomes a
// warning, so that one damaged element does not hide the rest.
func (f *File) Summarise(ctx context.Context) (*Summary, error) {
	s := &Summary{
		Path: f.path, Format: f.format, NObs: f.NObs(), NVars: f.NVars(),
		Layers: map[string]MatrixSummary{}, Warnings: f.Warnings(),
	}
	note := func(err error) {
		if err != nil {
			s.Warnings = append(s.Warnings, err.Error())
		}
	}
	if f.x != nil {
		x, err := f.x.summary(ctx)
		note(err)
		s.X = &x
	}
	for _, name := range f.Layers() {
		m, err := f.Layer(ctx, name)
		if err == nil {
			s.Layers[name], err = m.summary(ctx)
		}
		note(err)
	}
	if f.HasRaw() {
		m, vr, err := f.Raw(ctx)
		if err == nil {
			s.Raw = &RawSummary{NVars: vr.Length}
			s.Raw.MatrixSummary, err = m.summary(ctx)
		}
		note(err)
	}
	s.Obs = f.columns(ctx, f.obs, note)
	s.Var = f.columns(ctx, f.vr, note)
	for _, part := range []struct {
		name string
		to   *map[string][]int
	}{{"obsm", &s.Obsm}, {"varm", &s.Varm}, {"obsp", &s.Obsp}, {"varp", &s.Varp}} {
		*part.to = f.shapes(ctx, part.name, note)
	}
	s.Uns = []string{}
	for _, key := range f.children("uns") {
		if !f.categoriesOf(key) {
			s.Uns = append(s.Uns, key)
		}
	}
	if s.Warnings == nil {
		s.Warnings = []string{}
	}
	return s, ctx.Err()
}

func (m *Matrix) summary(ctx context.Context) (MatrixSummary, error) {
	kind, n, err := m.Kind(ctx)
	return MatrixSummary{m.Encoding, m.DType, kind, n, m.NNZ, m.Compression, m.Chunks}, err
}

func (f *File) columns(ctx context.Context, df *DataFrame, note func(error)) []ColumnSummary {
	out := []ColumnSummary{}
	for _, name := range df.Names {
		s, err := df.Describe(ctx, name)
		note(err)
		out = append(out, s)
	}
	return out
}

// shapes lists the members of obsm and its like with their shapes.
func (f *File) shapes(ctx context.Context, name string, note func(error)) map[string][]int {
	out := map[string][]int{}
	e, err := f.Aligned(ctx, name)
	if err != nil {
		note(err)
		return out
	}
	switch e := e.(type) {
	case *Records:
		for _, c := range e.Fields {
			out[c.Name] = c.Dims
		}
	case *Mapping:
		for _, key := range e.Keys {
			dims, err := e.shape(ctx, key)
			if err != nil {
				note(err)
				continue
			}
			out[key] = dims
		}
	}
	return out
}

// Shape is the shape of an element, empty for what has none.
func Shape(e Element) []int {
	switch e := e.(type) {
	case *Array:
		return e.Dims
	case *Matrix:
		return []int{e.NObs, e.NVars}
	case *DataFrame:
		return []int{e.Length, len(e.Names)}
	case *Categorical:
		return []int{len(e.Codes)}
	case *Records:
		if len(e.Fields) > 0 {
			return e.Fields[0].Dims[:min(1, len(e.Fields[0].Dims))]
		}
	case *Awkward:
		return []int{int(e.Length)}
	}
	return []int{}
}

// Text is the summary in the form that Python prints, with what it leaves out.
func (s *Summary) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "AnnData object with n_obs × n_vars = %d × %d\n", s.NObs, s.NVars)
	names := func(label string, list []string) {
		if len(list) > 0 {
			fmt.Fprintf(&b, "    %s: '%s'\n", label, strings.Join(list, "', '"))
		}
	}
	columns := func(list []ColumnSummary) (out []string) {
		for _, c := range list {
			out = append(out, c.Name)
		}
		return out
	}
	names("obs", columns(s.Obs))
	names("var", columns(s.Var))
	names("uns", s.Uns)
	names("obsm", sortedKeys(s.Obsm))
	names("varm", sortedKeys(s.Varm))
	names("layers", sortedKeys(s.Layers))
	names("obsp", sortedKeys(s.Obsp))
	names("varp", sortedKeys(s.Varp))
	b.WriteString("\n")
	matrix := func(label string, m MatrixSummary) {
		fmt.Fprintf(&b, "%-8s %s %s, looks like %s (%d values seen), %d stored", label, m.Encoding, m.DType, m.Kind, m.Sampled, m.NNZ)
		if m.Compression != "" {
			fmt.Fprintf(&b, ", %s", m.Compression)
		}
		if m.Chunks != nil {
			fmt.Fprintf(&b, ", chunks %v", m.Chunks)
		}
		b.WriteString("\n")
	}
	if s.X != nil {
		matrix("X", *s.X)
	} else {
		b.WriteString("X        none\n")
	}
	for _, name := range sortedKeys(s.Layers) {
		matrix("layer "+name, s.Layers[name])
	}
	if s.Raw != nil {
		matrix(fmt.Sprintf("raw (%d genes)", s.Raw.NVars), s.Raw.MatrixSummary)
	}
	return b.String()
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
