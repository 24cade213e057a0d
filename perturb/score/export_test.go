package score

// What the tests of this package look at.
var (
	DiscriminateByPosition = discriminateByPosition
	Discriminate           = discriminate
	Targets                = targets
	L1                     = distance(l1)
	Cosine                 = distance(cosine)
	EarthMover             = earthMover
	SpearmanBrown          = spearmanBrown
)

// KeepTarget is discrimination_score_l1 with the target's own gene kept.
func KeepTarget(real, pred *Cells) ([]float64, error) {
	r, err := real.logNormalised(0)
	if err != nil {
		return nil, err
	}
	p, err := pred.logNormalised(0)
	if err != nil {
		return nil, err
	}
	x, y := r.means(), p.means()
	a, b := effects(x, x[0]), effects(y, y[0])
	out := make([]float64, len(a))
	for k := range out {
		out[k] = discriminateByPosition(l1, b, a, k, nil)
	}
	return out, nil
}

// DonorDE is differential expression on donor pseudobulks of counts.
func DonorDE(c *Cells) []Table { return c.donorDE(false) }
