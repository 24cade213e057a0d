package checkpoint

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	configFile = "config.json"
	singleFile = "model.safetensors"
	indexFile  = "model.safetensors.index.json"
	maxShards  = 512
)

// folder is an open Hugging Face checkpoint.
type folder struct {
	path    string
	config  *fields
	tensors map[string]*stored
	used    map[string]bool
	files   []*os.File
}

func openFolder(path string) (*folder, error) {
	f := &folder{path: path, used: map[string]bool{}}
	var err error
	if f.config, err = readFields(filepath.Join(path, configFile)); err != nil {
		return nil, err
	}
	if f.config == nil {
		return nil, f.whatElse()
	}
	if err := f.openWeights(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *folder) close() error {
	var errs []error
	for _, in := range f.files {
		errs = append(errs, in.Close())
	}
	f.files = nil
	return errors.Join(errs...)
}

func (f *folder) file(name string) string { return filepath.Join(f.path, name) }

// find is the first file of a pattern, "" for none.
func (f *folder) find(pattern string) string {
	entries, _ := os.ReadDir(f.path) // what cannot be read is not found
	for _, e := range entries {
		if ok, _ := filepath.Match(pattern, e.Name()); ok {
			return f.file(e.Name())
		}
	}
	return ""
}

// whatElse says what a folder without a configuration might be.
func (f *folder) whatElse() error {
	e := badf(f.path, "", "no checkpoint: the folder has no %s", configFile)
	if _, err := os.Stat(f.file("adapter_config.json")); err == nil {
		return badf(f.path, "", "an adapter (LoRA) and no whole model").
			tip("merge it into its base model: model.merge_and_unload().save_pretrained(folder)")
	}
	if found := f.find("*.gguf"); found != "" {
		return e.tip("name the GGUF file itself: " + found)
	}
	return e.tip("name the folder that holds config.json, the .safetensors files and the tokenizer")
}

// openWeights opens the one file or all shards that the index names.
func (f *folder) openWeights() error {
	single := f.file(singleFile)
	if _, err := os.Stat(single); err == nil {
		f.tensors, err = f.openShard(single)
		return err
	}
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	found, err := readJSON(f.file(indexFile), maxIndex, &index)
	if err != nil {
		return err
	}
	if !found {
		return f.noWeights()
	}
	names := slices.Compact(slices.Sorted(maps.Values(index.WeightMap)))
	if len(names) == 0 || len(names) > maxShards || len(index.WeightMap) > maxTensors {
		return badf(f.file(indexFile), "", "%d tensors in %d files", len(index.WeightMap), len(names))
	}
	f.tensors = map[string]*stored{}
	for _, name := range names {
		// The index must not lead out of the folder.
		if name != filepath.Base(name) || strings.ContainsAny(name, `/\`) || !strings.HasSuffix(name, ".safetensors") {
			return badf(f.file(indexFile), "", "the file name %q", name)
		}
		shard, err := f.openShard(f.file(name))
		if err != nil {
			return err
		}
		for tensor, t := range shard {
			if index.WeightMap[tensor] != name {
				continue // the index rules, as it does in transformers
			}
			f.tensors[tensor] = t
		}
	}
	for _, tensor := range slices.Sorted(maps.Keys(index.WeightMap)) {
		if f.tensors[tensor] == nil {
			return badf(f.file(index.WeightMap[tensor]), "tensor "+tensor, "the file lacks it, where the index says that it is there")
		}
	}
	return nil
}

func (f *folder) openShard(path string) (map[string]*stored, error) {
	in, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	if in == nil {
		return nil, badf(path, "", "the file is missing, where the index names it").tip("finish the download of the checkpoint")
	}
	f.files = append(f.files, in)
	return readHeader(in, size, path)
}

// noWeights says what a folder without safetensors has instead.
func (f *folder) noWeights() error {
	for _, pattern := range []string{"pytorch_model*.bin", "*.bin", "*.pt", "*.pth", "*.ckpt"} {
		if found := f.find(pattern); found != "" {
			return pickleError(found)
		}
	}
	return badf(f.path, "", "no checkpoint: the folder has neither %s nor %s", singleFile, indexFile)
}

// take gives a tensor that the model must have, in a shape and as floating-point
// numbers.
func (f *folder) take(name string, shape ...int64) (*stored, error) {
	t := f.tensors[name]
	if t == nil {
		return nil, badf(f.path, "tensor "+name, "the checkpoint lacks it")
	}
	f.used[name] = true
	if !slices.Equal(t.shape, shape) {
		return nil, badf(t.file, "tensor "+name, "its shape is %v, where %s asks for %v", t.shape, configFile, shape)
	}
	if _, ok := floats[t.dtype]; !ok {
		return nil, badf(t.file, "tensor "+name, "stored as %s, where F32, F16 and BF16 can be converted", t.dtype).
			tip("take the checkpoint before it was quantised")
	}
	return t, nil
}

// checkRest refuses tensors that were not taken: the model would not be the one
// that was trained.
func (f *folder) checkRest(ignored func(name string) bool) error {
	for _, name := range slices.Sorted(maps.Keys(f.tensors)) {
		if !f.used[name] && !ignored(name) {
			return badf(f.tensors[name].file, "tensor "+name, "the architecture has no such tensor")
		}
	}
	return nil
}
