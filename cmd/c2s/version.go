package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"golang.org/x/sys/cpu"
)

// version is the version of c2s.
const version = "0.1.0-dev"

type versionInfo struct {
	Version string   `json:"version"`
	Commit  string   `json:"commit"`
	Go      string   `json:"go"`
	OS      string   `json:"os"`
	Arch    string   `json:"arch"`
	CPU     []string `json:"cpu"` // features that code of c2s may use
}

func currentVersion() versionInfo {
	v := versionInfo{Version: version, Commit: "unknown", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: []string{}}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				v.Commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				v.Commit += "+changes"
			}
		}
	}
	for _, f := range []struct {
		has  bool
		name string
	}{{cpu.X86.HasAVX2, "avx2"}, {cpu.X86.HasFMA, "fma"}, {cpu.X86.HasAVX512F, "avx512f"}, {cpu.ARM64.HasASIMD, "asimd"}} {
		if f.has {
			v.CPU = append(v.CPU, f.name)
		}
	}
	return v
}

func newVersion(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", GroupID: groupOther, Args: need(0, 0),
		Example: "  c2s version --json",
		RunE: func(*cobra.Command, []string) error {
			return printVersion(g, currentVersion())
		},
	}
}

func printVersion(g *globals, v versionInfo) (err error) {
	out, err := g.create()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Abort()) }()
	if g.json {
		err = printJSON(out, v)
	} else {
		_, err = fmt.Fprintf(out, "c2s %s (commit %s, %s, %s/%s, %v)\n", v.Version, v.Commit, v.Go, v.OS, v.Arch, v.CPU)
	}
	if err != nil {
		return err
	}
	return out.Commit()
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
