package dataset_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cellsentence/c2s/cellsentence/dataset"
)

// Prompts with a label, written as Parquet and read back.
func Example() {
	dir, err := os.MkdirTemp("", "dataset")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "pairs.parquet")

	schema, err := dataset.PairSchema([]dataset.Field{{Name: "donor", Kind: dataset.Category}})
	if err != nil {
		fmt.Println(err)
		return
	}
	w, err := dataset.Create(path, schema, dataset.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Abort()
	b := dataset.NewBatch(schema)
	dataset.AppendPair(b, "cell_type_prediction", "Which cell is this? CD3D CD3E TRAC", "T cell.")
	b.Column("donor").AppendString("D1")
	dataset.AppendPair(b, "cell_type_prediction", "Which cell is this? MS4A1 CD79A", "B cell.")
	b.Column("donor").AppendMissing()
	if err := w.Append(b, nil); err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Commit(); err != nil {
		fmt.Println(err)
		return
	}

	columns := []string{dataset.ColumnResponse, "donor", dataset.ColumnInputTokens}
	for b, err := range dataset.Read(context.Background(), path, dataset.ReadOptions{Columns: columns}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for i := range b.Rows() {
			fmt.Printf("%s|%s|%s\n", b.Columns[0].Print(nil, i), b.Columns[1].Print(nil, i), b.Columns[2].Print(nil, i))
		}
	}
	// Output:
	// T cell.|D1|15
	// B cell.||14
}
