package gguf_test

import (
	"bytes"
	"fmt"
	"io"
	"log"

	"github.com/cellsentence/c2s/llm/gguf"
)

// A file with one entry of metadata and one tensor, written and read.
func Example() {
	values := []float32{0.5, -2}
	data, err := gguf.Encode(nil, gguf.F16, values)
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	err = gguf.Write(&file,
		[]gguf.KeyValue{{Key: "general.name", Value: "two numbers"}},
		[]gguf.Source{{Name: "pair", Type: gguf.F16, Shape: []int64{2}, Write: func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		}}})
	if err != nil {
		log.Fatal(err)
	}

	f, err := gguf.Parse(file.Bytes(), "two.gguf")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	name, err := gguf.Get[string](f, "general.name")
	if err != nil {
		log.Fatal(err)
	}
	t, err := f.Tensor("pair")
	if err != nil {
		log.Fatal(err)
	}
	stored, err := f.Data(t)
	if err != nil {
		log.Fatal(err)
	}
	got := make([]float32, 2)
	if err := gguf.Decode(got, t.Type, stored); err != nil {
		log.Fatal(err)
	}
	fmt.Println(name, got)
	// Output: two numbers [0.5 -2]
}
