package scfid

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// evaluation is the state of one call.
type evaluation struct {
	cfg      Config
	warnings []string
}

func (e *evaluation) warn(format string, args ...any) {
	e.warnings = append(e.warnings, fmt.Sprintf(format, args...))
}

// Evaluate compares generated cells with real ones, as a whole and by group.
//
// Different dimensions, fewer than two rows, rows that are not finite, and a side
// whose cells are all equal are errors with BadInput. What makes a number doubtful
// is a warning in the result.
func Evaluate(ctx context.Context, real, gen Side, cfg Config) (*Result, error) {
	e := &evaluation{cfg: cfg.withDefaults(), warnings: []string{}}
	r := &Result{
		Seed: cfg.Seed, cfg: e.cfg, Groups: []Group{}, OnlyReal: []string{}, OnlyGen: []string{},
		MeanOverGroups: missing, WeightedMeanOverGroups: missing,
	}
	var err error
	if real, r.DroppedReal, err = e.clean(ctx, "real", real); err != nil {
		return nil, err
	}
	if gen, r.DroppedGen, err = e.clean(ctx, "generated", gen); err != nil {
		return nil, err
	}
	if real.dim() != gen.dim() {
		return nil, badInput("real cells have %d dimensions, generated ones %d: both must come from one embedding", real.dim(), gen.dim())
	}
	if r.Scores, err = e.scores(ctx, "", real, gen); err != nil {
		return nil, err
	}
	if real.Groups != nil || gen.Groups != nil {
		if real.Groups == nil || gen.Groups == nil {
			return nil, badInput("groups are known on one side only")
		}
		if err := e.groups(ctx, r, real, gen); err != nil {
			return nil, err
		}
	}
	r.byDonor = real.Donors != nil || gen.Donors != nil
	r.Warnings = e.warnings
	return r, nil
}

// clean checks a side and leaves out rows that are not finite, if it may.
func (e *evaluation) clean(ctx context.Context, name string, s Side) (Side, int, error) {
	if err := s.check(name); err != nil {
		return s, 0, err
	}
	if s.Rows == nil {
		return s, 0, nil
	}
	bad, err := nonFinite(ctx, s.Rows)
	if err != nil || len(bad) == 0 {
		return s, 0, err
	}
	if !e.cfg.DropNonFinite {
		return s, 0, &NonFiniteError{name, bad}
	}
	good := make([]int, 0, s.Rows.Len()-len(bad))
	for i := range s.Rows.Len() {
		if _, found := slices.BinarySearch(bad, i); !found {
			good = append(good, i)
		}
	}
	e.warn("%s: %d of %d rows hold NaN or infinite values and were left out", name, len(bad), s.Rows.Len())
	groups := labelsAt(s.Groups, good)
	s = s.part(good)
	s.Groups = groups
	return s, len(bad), s.check(name)
}

// prepare prepares a side.
func (e *evaluation) prepare(ctx context.Context, s Side) (*Sample, error) {
	if s.Rows == nil {
		return FromMoments(ctx, s.Moments, e.cfg.Workers)
	}
	return Prepare(ctx, s.Rows, e.cfg.Workers)
}

// distance is that between two sets of rows.
func (e *evaluation) distance(ctx context.Context, a, b Rows) (FD, error) {
	s, err := Prepare(ctx, a, e.cfg.Workers)
	if err != nil {
		return FD{}, err
	}
	t, err := Prepare(ctx, b, e.cfg.Workers)
	if err != nil {
		return FD{}, err
	}
	return Distance(ctx, s, t)
}

// scores computes all there is about one pair. key names the group, "" for all.
func (e *evaluation) scores(ctx context.Context, key string, real, gen Side) (Scores, error) {
	s := noScores(real.Len(), gen.Len(), real.dim())
	of := ""
	if key != "" {
		of = "group " + key + ": "
	}
	a, err := e.prepare(ctx, real)
	if err != nil {
		return s, fmt.Errorf("%sreal: %w", of, err)
	}
	b, err := e.prepare(ctx, gen)
	if err != nil {
		return s, fmt.Errorf("%sgenerated: %w", of, err)
	}
	for _, side := range []struct {
		name  string
		trace float64
	}{{"real", a.trace}, {"generated", b.trace}} {
		if side.trace == 0 {
			if key == "" {
				return s, badInput("%s: all embeddings are equal", side.name)
			}
			e.warn("%s%s: all embeddings are equal", of, side.name)
		}
	}
	f, err := Distance(ctx, a, b)
	if err != nil {
		return s, err
	}
	s.FD, s.MeanTerm, s.CovTerm, s.Method = Value(f.Value), Value(f.MeanTerm), Value(f.CovTerm), f.Method
	e.warnFew(of, s)
	if real.Rows == nil || gen.Rows == nil {
		if key == "" {
			e.warn("statistics without cells: no floor, interval, kernel distance or neighbours")
		}
		return s, nil
	}
	return s, e.companions(ctx, of, real, gen, a, b, &s)
}

// warnFew says when the numbers of cells make the distance mean little.
func (e *evaluation) warnFew(of string, s Scores) {
	few := min(s.NReal, s.NGen)
	switch {
	case s.NReal == 0 || s.NGen == 0:
		e.warn("%sthe number of cells behind a covariance is not known: the bias of the distance cannot be judged", of)
	case few < 2*s.Dim:
		e.warn("%s%d cells in %d dimensions, fewer than two a dimension: the distance is mostly bias and FD∞ is not to be trusted; read KID", of, few, s.Dim)
	case few < intervalFactor*s.Dim:
		e.warn("%s%d cells in %d dimensions, fewer than four a dimension: no interval", of, few, s.Dim)
	}
	if s.NReal != 0 && s.NGen != 0 && few < smallGroup {
		e.warn("%s%d cells are too few for any distance between distributions", of, few)
	}
}

// smallGroup is the number of cells below which a group gets a warning whatever its
// dimensions.
const smallGroup = 20

// companions fills in what needs the cells themselves.
func (e *evaluation) companions(ctx context.Context, of string, real, gen Side, a, b *Sample, s *Scores) error {
	poolR, err := e.pool(ctx, real.Rows, forRealPool)
	if err != nil {
		return err
	}
	poolG, err := e.pool(ctx, gen.Rows, forGenPool)
	if err != nil {
		return err
	}
	if s.Floor, err = e.biasFloor(ctx, poolR, gen.Len()); err != nil {
		return err
	}
	s.BiasFloor = s.Floor.Value
	if real.Donors != nil {
		if s.Donors, err = e.donorFloor(ctx, real.Rows, real.Donors, gen.Len(), s.Floor); err != nil {
			return err
		}
		s.DonorFloor = s.Donors.Value
	}
	if s.Extrapolation, err = e.extrapolate(ctx, poolR, poolG); err != nil {
		return err
	}
	s.FDInfinity, s.FDInfinitySE = s.Extrapolation.Value, s.Extrapolation.SE
	if s.KID, err = e.kid(ctx, real.Rows, gen.Rows); err != nil {
		return err
	}
	if s.MMD, err = e.mmd(ctx, real.Rows, gen.Rows, real.Donors, gen.Donors); err != nil {
		return err
	}
	s.PermutationP = s.MMD.P
	if s.Neighbours, err = e.neighbours(ctx, real.Rows, gen.Rows); err != nil {
		return err
	}
	if s.MMD.P > 0.05 {
		e.warn("%sthe permutation test does not tell the sets apart (p = %.3g, %d cells a side): the distance may be 0 and has no interval", of, float64(s.MMD.P), s.MMD.N)
		return nil
	}
	est, err := e.influence(ctx, poolR, poolG, a, b, float64(s.FD), gen.Donors)
	if err != nil || est == nil {
		return err
	}
	var se float64
	if s.CI, se = est.interval(real.Donors); s.CI == nil {
		e.warn("%sone donor: no interval", of)
		return nil
	}
	s.FDInfinitySE = Value(math.Hypot(float64(s.FDInfinitySE), se))
	return nil
}

// groups compares the groups of both sides.
func (e *evaluation) groups(ctx context.Context, r *Result, real, gen Side) error {
	ofReal, ofGen := places(real.Groups), places(gen.Groups)
	if n, m := len(ofReal[""]), len(ofGen[""]); n+m > 0 {
		e.warn("%d real and %d generated cells have no group and are in none", n, m)
		delete(ofReal, "")
		delete(ofGen, "")
	}
	var keys []string
	for k := range ofReal {
		if ofGen[k] == nil {
			r.OnlyReal = append(r.OnlyReal, k)
			continue
		}
		keys = append(keys, k)
	}
	for k := range ofGen {
		if ofReal[k] == nil {
			r.OnlyGen = append(r.OnlyGen, k)
		}
	}
	slices.Sort(keys)
	slices.Sort(r.OnlyReal)
	slices.Sort(r.OnlyGen)
	if n := len(r.OnlyReal) + len(r.OnlyGen); n > 0 {
		e.warn("%d groups are present on one side only and are not in the averages", n)
	}
	var sum, weighted, weights float64
	var counted int
	for _, k := range keys {
		a, b := real.part(ofReal[k]), gen.part(ofGen[k])
		g := Group{Key: k, Effect: missing}
		if min(a.Len(), b.Len()) < 2 {
			e.warn("group %s: %d real and %d generated cells: no distance", k, a.Len(), b.Len())
			g.Scores = noScores(a.Len(), b.Len(), a.dim())
		} else {
			var err error
			if g.Scores, err = e.scores(ctx, k, a, b); err != nil {
				return err
			}
			sum += float64(g.FD)
			weighted += float64(g.FD) * float64(g.NReal)
			weights += float64(g.NReal)
			counted++
		}
		r.Groups = append(r.Groups, g)
	}
	if counted == 0 {
		return badInput("no group has two cells on both sides")
	}
	mean := sum / float64(counted)
	r.MeanOverGroups = Value(mean)
	r.WeightedMeanOverGroups = Value(weighted / weights)
	for i := range r.Groups {
		if g := &r.Groups[i]; !g.FD.Missing() && counted > 1 {
			g.Effect = Value(mean - (sum-float64(g.FD))/float64(counted-1))
		}
	}
	return nil
}

// places lists the rows of each label.
func places(labels []string) map[string][]int {
	out := map[string][]int{}
	for i, l := range labels {
		out[l] = append(out[l], i)
	}
	return out
}
