package simulate

import "fmt"

// Compounds returns n perturbations for a dual-context screen, of which split are of
// [ClassSplit]: they raise antigen presentation in interferon-positive cells only,
// which is what such a screen looks for. Of the others about one in twelve is
// additive, one in 25 each low-only, suppressor and interferon, one in four off
// target, and the rest inert. Names run from SIM-0001; which of them are hits, and
// how strong each is (0.6 to 1.4 times the effect in [Perturbations]), hangs on the
// seed. ED50 is 0.3, so that a dose of 1 has three quarters of the effect.
func Compounds(seed uint64, n, split int) ([]Perturbation, error) {
	if n < 1 || n > maxNames || split < 0 || split > n {
		return nil, fmt.Errorf("%w: %d hits among %d compounds (at most %d)", ErrConfig, split, n, maxNames)
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	s := newStream(seed, forCompounds, 0)
	for i := n - 1; i > 0; i-- {
		j := below(s.next(), i+1)
		order[i], order[j] = order[j], order[i]
	}
	out := make([]Perturbation, n)
	for rank, i := range order {
		own := newStream(seed, forCompounds, uint64(i)+1)
		p := Perturbation{Name: fmt.Sprintf("SIM-%04d", i+1), ED50: 0.3, Class: ClassSplit}
		if rank >= split {
			p.Class = otherClass(own.at(0))
		}
		p.act(0.6 + float64(0.8*uniform(own.at(1))))
		out[i] = p
	}
	return out, nil
}

// otherClass picks the class of a compound that is no hit.
func otherClass(x uint64) string {
	u := uniform(x)
	for _, c := range []struct {
		to    float64
		class string
	}{
		{0.08, ClassAdditive},
		{0.12, ClassLowOnly},
		{0.16, ClassSuppressor},
		{0.20, ClassInterferon},
		{0.45, ClassOffTarget},
	} {
		if u < c.to {
			return c.class
		}
	}
	return ClassInert
}
