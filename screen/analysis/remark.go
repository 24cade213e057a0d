package analysis

// notes are what readers of any result should know.
func notes() map[string]string {
	return map[string]string{
		"q":           "q measures how consistent the model's answers are over donors, not the probability that the drug works.",
		"synergy":     "Synergy in bits is descriptive: it carries no call.",
		"unit":        "Effects are differences of the program's score from the vehicle's; rel_pos and rel_neu are in units of the positive control's effect.",
		"interval":    "An interval of delta_neu within the margin is an equivalence at (1 − level)/2.",
		"leading":     "excess_ifn and dose_trend_p are of leading compounds, which were chosen by their effects in the same rows: where these are weak, the tests find an excess, or a rise towards the dose of the choice, too often.",
		"replication": "The unit of replication is the donor or cell line, never the cell.",
	}
}

// remark adds warnings about the screen as a whole.
func (s *screen) remark(r *Result) {
	for _, note := range s.t.Header.Notes {
		s.warn("%s", note)
	}
	if s.clusters[0] == 2 || s.clusters[1] == 2 {
		s.warn("two donors or cell lines in a context: tests lean on the variances of the other compounds")
	}
	if r.VehicleDraws < 8 {
		s.warn("%.3g vehicle draws a cell: unless the predictor always answers the same, their error is shared by all compounds and makes them look alike", float64(r.VehicleDraws))
	}
	if r.Panel.Banner != "" {
		s.warn("%s", r.Panel.Banner)
	}
	if !r.Decoys.Estimable {
		s.warn("the false discovery rate by decoys is %s", r.Decoys.Reason)
	}
	for c, v := range r.VehicleValid {
		if v < LeastValid {
			s.warn("only %.3g of the vehicle's answers in the %s context are cells", float64(v), [2]string{"positive", "neutral"}[c])
		}
	}
	if n := s.t.Header.ProgramSeen; n > 0 && n < 3 {
		s.warn("only %d genes of the program can be seen at this sentence length", n)
	}
}
