// Command weigh says what each module adds to an ELF binary of Go that was built with
// its symbols: the sizes of the symbols of its packages.
//
//	CGO_ENABLED=0 GOOS=linux go build -trimpath -o /tmp/c2s ./cmd/c2s
//	(cd tools && go run ./weigh /tmp/c2s)
//
// A symbol belongs to the module whose path is the longest that its package begins with.
// What has no symbol of a package is the rest. Sections for debuggers, which releases
// leave out, do not count.
package main

import (
	"cmp"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: weigh BINARY")
		os.Exit(2)
	}
	if err := weigh(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "weigh:", err)
		os.Exit(1)
	}
}

func weigh(path string) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	modules := []string{info.Main.Path}
	for _, m := range info.Deps {
		modules = append(modules, m.Path)
	}
	file, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	symbols, err := file.Symbols()
	if err != nil {
		return err
	}
	const standard, tables, rest = "(standard library and runtime)", "(line tables, about in proportion to code)", "(strings, embedded files, types)"
	sizes := map[string]uint64{}
	var left uint64
	for _, s := range file.Sections {
		switch {
		case s.Flags&elf.SHF_ALLOC == 0 || s.Type == elf.SHT_NOBITS: // for debuggers, or no place in the file
		case s.Name == ".gopclntab":
			sizes[tables] = s.Size
		default:
			left += s.Size
		}
	}
	for _, s := range symbols {
		if s.Size == 0 || int(s.Section) >= len(file.Sections) || file.Sections[s.Section].Type == elf.SHT_NOBITS {
			continue // takes no place in the file
		}
		owner := standard
		for _, m := range modules {
			if belongs(s.Name, m) && (owner == standard || len(m) > len(owner)) {
				owner = m
			}
		}
		if owner == standard && (strings.HasPrefix(s.Name, "go:") || file.Sections[s.Section].Name == ".gopclntab") {
			continue
		}
		sizes[owner] += s.Size
		left -= min(left, s.Size)
	}
	sizes[rest] = left
	names := make([]string, 0, len(sizes))
	for name := range sizes {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(sizes[b], sizes[a]), cmp.Compare(a, b)) })
	for _, name := range names {
		fmt.Printf("%9.1f kB  %s\n", float64(sizes[name])/1e3, name)
	}
	return nil
}

// belongs says whether a symbol is of a package of a module. Symbols of types begin with
// type:, those of generic functions name their arguments in brackets.
func belongs(symbol, module string) bool {
	symbol = strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(symbol, "type:"), ".eq."), "*")
	symbol, _, _ = strings.Cut(symbol, "[")
	// The linker escapes dots of the last element of a path: gopkg.in/yaml%2ev3.
	symbol = strings.ReplaceAll(symbol, "%2e", ".")
	after, ok := strings.CutPrefix(symbol, module)
	return ok && (strings.HasPrefix(after, "/") || strings.HasPrefix(after, "."))
}
