// Command modzip writes a folder as a version of its Go module into another that serves
// as a GOPROXY, as the module proxy would make it of a tag:
//
//	git archive HEAD | tar -x -C SOURCE
//	go run ./modzip -source SOURCE -version v0.0.0-ci -proxy PROXY
//	GOPROXY=file://PROXY,$(go env GOPROXY) go install MODULE/cmd/c2s@v0.0.0-ci
//
// Nested modules (folders with a go.mod of their own) stay out. It prints the number of
// files and their size, and refuses what the go command would: replace and exclude
// directives, names that collide, files and archives that are too large.
//
// The layout of the folder: https://go.dev/ref/mod#goproxy-protocol.
package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

func main() {
	source := flag.String("source", "", "root folder of the module")
	version := flag.String("version", "", "version of the module, such as v0.0.0-ci")
	proxy := flag.String("proxy", "", "folder of the proxy")
	flag.Parse()
	if err := run(*source, *version, *proxy); err != nil {
		fmt.Fprintln(os.Stderr, "modzip:", err)
		os.Exit(1)
	}
}

func run(source, version, proxy string) (err error) {
	if source == "" || version == "" || proxy == "" || flag.NArg() > 0 {
		return errors.New("usage: modzip -source DIR -version VERSION -proxy DIR")
	}
	mod, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		return err
	}
	file, err := modfile.Parse("go.mod", mod, nil)
	if err != nil {
		return err
	}
	// go install refuses a module that has any.
	if n := len(file.Replace) + len(file.Exclude); n > 0 {
		return fmt.Errorf("go.mod has %d replace and exclude directives", n)
	}
	m := module.Version{Path: file.Module.Mod.Path, Version: version}
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		return err
	}
	dir := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	archive := filepath.Join(dir, version+".zip")
	if err := write(archive, m, source); err != nil {
		return err
	}
	if err := tell(archive, m); err != nil {
		return err
	}
	info, err := json.Marshal(struct{ Version string }{version})
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, version+".mod"), mod, 0o666),
		os.WriteFile(filepath.Join(dir, version+".info"), info, 0o666),
		os.WriteFile(filepath.Join(dir, "list"), []byte(version+"\n"), 0o666),
	)
}

func write(path string, m module.Version, source string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return modzip.CreateFromDir(f, m, source)
}

// tell prints what the archive holds.
func tell(path string, m module.Version) error {
	r, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer r.Close()
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	var unpacked uint64
	for _, f := range r.File {
		unpacked += f.UncompressedSize64
		if name := strings.TrimPrefix(f.Name, m.String()+"/"); strings.HasPrefix(name, ".ci/") {
			return fmt.Errorf("the archive holds %s, which is no part of the module", name)
		}
	}
	fmt.Printf("%s: %d files, %d bytes, %d packed (at most %d)\n", m, len(r.File), unpacked, info.Size(), modzip.MaxZipFile)
	return nil
}
