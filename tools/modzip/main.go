// Command modzip writes the repository as a version of its Go module into a folder that
// serves as a GOPROXY, as the module proxy would make it of a tag:
//
//	go run ./modzip -repo .. -version v0.0.0-ci -proxy DIR
//	GOPROXY=file://DIR,$(go env GOPROXY) go install MODULE/cmd/c2s@v0.0.0-ci
//
// What goes in is what git has committed at HEAD, less nested modules (folders with a
// go.mod of their own). It prints the number of files and the size, and refuses what the
// go command would: names that collide, files and archives that are too large.
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
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

func main() {
	repo := flag.String("repo", ".", "root of the git repository")
	version := flag.String("version", "", "version of the module, such as v0.0.0-ci")
	proxy := flag.String("proxy", "", "folder of the proxy")
	flag.Parse()
	if err := run(*repo, *version, *proxy); err != nil {
		fmt.Fprintln(os.Stderr, "modzip:", err)
		os.Exit(1)
	}
}

func run(repo, version, proxy string) (err error) {
	if version == "" || proxy == "" || flag.NArg() > 0 {
		return errors.New("usage: modzip -repo DIR -version VERSION -proxy DIR")
	}
	git := func(args ...string) ([]byte, error) {
		out, err := exec.Command("git", append([]string{"-C", repo}, args...)...).Output()
		if err != nil {
			return nil, fmt.Errorf("git %s: %w", args[0], err)
		}
		return out, nil
	}
	mod, err := git("show", "HEAD:go.mod")
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
	stamp, err := git("show", "-s", "--format=%cI", "HEAD")
	if err != nil {
		return err
	}
	committed, err := time.Parse(time.RFC3339, strings.TrimSpace(string(stamp)))
	if err != nil {
		return err
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
	if err := write(archive, m, repo); err != nil {
		return err
	}
	if err := tell(archive, m); err != nil {
		return err
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{version, committed.UTC()})
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, version+".mod"), mod, 0o666),
		os.WriteFile(filepath.Join(dir, version+".info"), info, 0o666),
		os.WriteFile(filepath.Join(dir, "list"), []byte(version+"\n"), 0o666),
	)
}

func write(path string, m module.Version, repo string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return modzip.CreateFromVCS(f, m, repo, "HEAD", "")
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
