package scfid

// Config says how an evaluation is done. The zero value is good; counts that are 0
// take the defaults given.
type Config struct {
	// Seed is where all random choices come from: the same seed gives the same
	// result.
	Seed uint64
	// Workers is the number of goroutines; 0 means as many as there are processors.
	Workers int
	// Splits is how often cells are split at random for the floor and the interval;
	// 0 means 5.
	Splits int
	// Sizes is the number of points that FD∞ is extrapolated from; 0 means 8, at
	// least 3.
	Sizes int
	// Subsets and SubsetSize are KID's; 0 means 100 subsets of 1,000 cells. MMD and
	// the permutation test take at most SubsetSize cells a side.
	Subsets, SubsetSize int
	// Permutations is the number of the permutation test; 0 means 999.
	Permutations int
	// Neighbours is the k of precision, recall, density and coverage; 0 means 5.
	// They take at most MaxNeighbours cells a side, drawn at random; 0 means 10,000.
	Neighbours, MaxNeighbours int
	// DropNonFinite leaves out rows with NaN or infinite values; otherwise they are
	// a *NonFiniteError.
	DropNonFinite bool
}

func (c Config) withDefaults() Config {
	for _, f := range []struct {
		value *int
		std   int
	}{
		{&c.Splits, 5},
		{&c.Sizes, 8},
		{&c.Subsets, 100},
		{&c.SubsetSize, 1000},
		{&c.Permutations, 999},
		{&c.Neighbours, 5},
		{&c.MaxNeighbours, 10_000},
	} {
		if *f.value <= 0 {
			*f.value = f.std
		}
	}
	c.Sizes = max(3, c.Sizes)
	return c
}

// Side is one of the two sets of cells: rows, or only their moments, which give
// the distance and nothing else.
type Side struct {
	Rows    Rows
	Moments *Moments
	// Groups names the group of each row, "" for a row of none, nil if there are no
	// groups. Groups of both sides are compared by name.
	Groups []string
	// Donors names the donor of each row, nil if they are not known.
	Donors []string
}

// Len is the number of cells.
func (s Side) Len() int {
	if s.Rows == nil {
		return s.Moments.N
	}
	return s.Rows.Len()
}

func (s Side) dim() int {
	if s.Rows == nil {
		return len(s.Moments.Mean)
	}
	return s.Rows.Dim()
}

// check looks for what no distance can be had from.
func (s Side) check(name string) error {
	if s.Rows == nil && s.Moments == nil {
		return badInput("%s: no embeddings", name)
	}
	for _, labels := range [][]string{s.Groups, s.Donors} {
		if labels != nil && (s.Rows == nil || len(labels) != s.Rows.Len()) {
			return badInput("%s: labels of %d cells for %d rows", name, len(labels), s.Len())
		}
	}
	if s.Rows != nil && s.Rows.Len() < 2 {
		return badInput("%s: %d rows: a covariance needs two", name, s.Rows.Len())
	}
	return nil
}

// part is the side's rows at the given places, without groups.
func (s Side) part(index []int) Side {
	return Side{Rows: pick(s.Rows, index), Donors: labelsAt(s.Donors, index)}
}

func labelsAt(labels []string, index []int) []string {
	if labels == nil {
		return nil
	}
	out := make([]string, len(index))
	for i, at := range index {
		out[i] = labels[at]
	}
	return out
}
