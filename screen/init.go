package screen

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/screen/record"
)

// Guess is a configuration for the cells of two files, to be filled in: the columns of
// donors and cell types are found by their usual names.
func Guess(ctx context.Context, positive, neutral string) (*Config, error) {
	c := &Config{Compounds: "compounds.tsv"}
	for x, path := range []string{positive, neutral} {
		to := c.context(record.Context(x))
		f, err := h5ad.Open(ctx, path, h5ad.Options{})
		if err != nil {
			return nil, err
		}
		names := f.Obs().Names
		f.Close()
		to.File = path
		to.Donor = among(names, "donor", "donor_id", "patient", "patient_id", "individual", "subject", "cell_line", "sample", "sample_id")
		to.CellType = among(names, "cell_type", "celltype", "cell_ontology_class", "cluster_id", "bulk_labels", "leiden", "louvain")
		if filepath.Clean(positive) == filepath.Clean(neutral) {
			column := among(names, "context", "condition", "stim", "group_id", "treatment")
			to.Where = column + ` == "` + []string{"WITH INTERFERON", "WITHOUT"}[x] + `"`
		}
	}
	c.Controls.Positive = []string{"IFN-gamma", "IFN-beta"}
	c.Predictor.Temperature = 1
	c.defaults()
	return c, nil
}

// among is the first of some names that is there, else the first.
func among(names []string, wanted ...string) string {
	for _, w := range wanted {
		if slices.Contains(names, w) {
			return w
		}
	}
	return wanted[0]
}
