package predictor_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/cellsentence/c2s/perturb/predictor"
)

// FuzzTables: whatever a table holds, reading it ends in bad input or in values that can
// be used.
func FuzzTables(f *testing.F) {
	f.Add([]byte("id\tA\tB\nX\t1\t-2.5\n"))
	f.Add([]byte("# c\n\nid\tA\r\nX\t1e308\r\n"))
	f.Add([]byte("\ufeffhuman_entrez\thuman_symbol\n1\tA1BG\n"))
	f.Add([]byte("silmitasertib\tCSNK2A1;CSNK2A2\n"))
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xcaL\xe1t\xe4\x8a\xe04\xe4\x02\x04\x00\x00\xff\xff"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := predictor.ReadSignatures(bytes.NewReader(text), predictor.SignatureConfig{Name: "t", Budget: 1 << 20})
		bad(t, err)
		if err == nil {
			p, err := predictor.NewAdditive(s, s.Genes(), predictor.Config{Norm: 1})
			bad(t, err)
			for _, name := range s.Perturbations() {
				if err != nil {
					break
				}
				// A name with the separator of combinations may be unknown as such.
				e, err := p.Explain(predictor.Parse(name, "\x00", "", "", ""), "", "")
				if err == nil && (math.IsNaN(e.Norm) || e.Norm > 1+1e-6) {
					t.Errorf("%q: norm %g", name, e.Norm)
				}
			}
		}
		_, err = predictor.ReadTargets(bytes.NewReader(text), "t")
		bad(t, err)
		_, err = predictor.ReadNames(bytes.NewReader(text), "t")
		bad(t, err)
	})
}

func bad(t *testing.T, err error) {
	t.Helper()
	var b interface{ BadInput() bool }
	if err != nil && (!errors.As(err, &b) || !b.BadInput()) {
		t.Errorf("%v is not bad input", err)
	}
}
