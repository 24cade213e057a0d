package dataset_test

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/internal/simulate"
)

// benchCells makes blocks of simulated cells, about 5 KB a sentence.
func benchCells(b *testing.B) *dataset.Batch {
	b.Helper()
	cells, _ := simulated(b, simulate.Config{NGenes: 12_000, Perturbations: []simulate.Perturbation{}}, 0, 4096, 0)
	batch := dataset.NewBatch(dataset.Schema{
		{Name: "cell_name", Kind: dataset.Text},
		{Name: "cell_sentence", Kind: dataset.Text},
		{Name: "cell_type", Kind: dataset.Category},
		{Name: "donor", Kind: dataset.Category},
	})
	for _, c := range cells {
		for i, s := range []string{c.name, c.sentence, c.label, c.donor} {
			batch.Columns[i].AppendString(s)
		}
	}
	return batch
}

// benchBlocks is how many blocks are written: 32,768 cells.
const benchBlocks = 8

func report(b *testing.B, cells int, bytes int64) {
	s := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(float64(cells)/s, "cells/s")
	b.ReportMetric(float64(bytes)/1e6/s, "MB/s")
}

func BenchmarkWrite(b *testing.B) {
	cells := benchCells(b)
	for _, format := range formats {
		b.Run(format, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "x."+format)
			var bytes int64
			for b.Loop() {
				w, err := dataset.Create(path, cells.Schema, dataset.Options{Force: true, Jobs: runtime.GOMAXPROCS(0)})
				if err != nil {
					b.Fatal(err)
				}
				for range benchBlocks {
					if err := w.Append(cells, nil); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.Commit(); err != nil {
					b.Fatal(err)
				}
				bytes = w.Bytes()
			}
			report(b, benchBlocks*cells.Rows(), bytes)
		})
	}
}

func BenchmarkRead(b *testing.B) {
	cells := benchCells(b)
	for _, format := range formats {
		b.Run(format, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "x."+format)
			w, err := dataset.Create(path, cells.Schema, dataset.Options{})
			if err != nil {
				b.Fatal(err)
			}
			for range benchBlocks {
				if err := w.Append(cells, nil); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Commit(); err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			for b.Loop() {
				if err := drain(b, path, dataset.ReadOptions{}); err != nil {
					b.Fatal(err)
				}
			}
			report(b, benchBlocks*cells.Rows(), w.Bytes())
		})
	}
}

func BenchmarkAudit(b *testing.B) {
	cells, _ := simulated(b, simulate.Config{Perturbations: []simulate.Perturbation{}}, 0, 20_000, 0)
	in := []dataset.AuditInput{{Name: "x", Path: save(b, "x.parquet", cells)}}
	bytes := int64(0)
	for _, c := range cells {
		bytes += int64(len(c.sentence))
	}
	for b.Loop() {
		if _, err := dataset.Audit(b.Context(), in, dataset.AuditConfig{}); err != nil {
			b.Fatal(err)
		}
	}
	report(b, len(cells), bytes)
}
