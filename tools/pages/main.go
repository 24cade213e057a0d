// Command pages opens reports in a headless Chromium as a reader would: on a desk and
// on a phone, in light and dark. It sorts and narrows their tables, and fails where a
// page logs an error, asks for anything from a network, is wider than its window, or
// has a table that does not do what its controls say.
//
//	pages [-shots DIR] FILE.html...
//
// It needs chromium or google-chrome on the PATH.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

func main() {
	shots := flag.String("shots", "", "write screenshots into this folder")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: pages [-shots DIR] FILE.html...")
		os.Exit(2)
	}
	failed, err := run(context.Background(), flag.Args(), *shots)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pages:", err)
		os.Exit(1)
	}
	if failed {
		os.Exit(1)
	}
}

// look is a window and the colours that its reader prefers.
type look struct {
	name          string
	width, height int64
	scheme        string
}

func looks() []look {
	return []look{
		{"desktop-light", 1280, 900, "light"},
		{"desktop-dark", 1280, 900, "dark"},
		{"phone-light", 390, 844, "light"},
		{"phone-dark", 390, 844, "dark"},
	}
}

func run(ctx context.Context, files []string, shots string) (failed bool, err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	ctx, end := chromedp.NewContext(ctx)
	defer end()
	if err := chromedp.Run(ctx); err != nil {
		return false, fmt.Errorf("chromium does not start: %w", err)
	}
	for _, f := range files {
		problems, err := open(ctx, f, shots)
		if err != nil {
			return false, fmt.Errorf("%s: %w", f, err)
		}
		fmt.Printf("%s: %d problems\n", f, len(problems))
		for _, p := range problems {
			failed = true
			fmt.Printf("  %s\n", p)
		}
	}
	return failed, nil
}

// open looks at one page in every way.
func open(ctx context.Context, file, shots string) ([]string, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	ctx, end := chromedp.NewContext(ctx)
	defer end()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	var mu sync.Mutex
	var problems []string
	report := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		problems = append(problems, fmt.Sprintf(format, args...))
	}
	address := (&url.URL{Scheme: "file", Path: path}).String()
	chromedp.ListenTarget(ctx, func(e any) {
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			report("exception: %s", e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			report("console.%s", e.Type)
		case *log.EventEntryAdded:
			report("log: %s: %s", e.Entry.Level, e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; u != address && !strings.HasPrefix(u, "data:") {
				report("asks for %s", u)
			}
		}
	})
	if err := chromedp.Run(ctx, network.Enable(), log.Enable()); err != nil {
		return nil, err
	}
	for _, l := range looks() {
		var width int64
		err := chromedp.Run(
			ctx,
			chromedp.EmulateViewport(l.width, l.height),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}),
			chromedp.Navigate(address),
			chromedp.Evaluate(`document.documentElement.scrollWidth`, &width),
		)
		if err != nil {
			return nil, err
		}
		if width > l.width {
			report("%s: the page is %d wide, the window %d", l.name, width, l.width)
		}
		if shots != "" {
			var png []byte
			if err := chromedp.Run(ctx, chromedp.FullScreenshot(&png, 100)); err != nil {
				return nil, err
			}
			name := strings.Trim(strings.ReplaceAll(strings.TrimSuffix(file, ".html"), string(filepath.Separator), "_"), "_.")
			if err := os.WriteFile(filepath.Join(shots, name+"-"+l.name+".png"), png, 0o600); err != nil {
				return nil, err
			}
		}
	}
	var wrong []string
	if err := chromedp.Run(ctx, chromedp.Evaluate(tables, &wrong)); err != nil {
		return nil, err
	}
	for _, w := range wrong {
		report("%s", w)
	}
	mu.Lock()
	defer mu.Unlock()
	return problems, nil
}

// tables sorts each table by each column, both ways, by a click on its heading, and
// narrows those that can be narrowed; it returns what went wrong.
const tables = `(() => {
  const wrong = [];
  document.querySelectorAll(".table").forEach((box, k) => {
    const name = "table " + (k + 1) + (box.querySelector("caption") ? " (" + box.querySelector("caption").textContent + ")" : "");
    const body = box.querySelector("tbody");
    const shown = () => [...body.rows].filter((r) => !r.hidden);
    const all = body.rows.length;
    [...box.querySelectorAll("thead th")].forEach((head, column) => {
      for (const way of ["ascending", "descending"]) {
        head.querySelector("button").click();
        if (head.getAttribute("aria-sort") !== way) wrong.push(name + ": " + head.textContent + " says " + head.getAttribute("aria-sort") + " instead of " + way);
        let cells = [...body.rows].map((r) => r.cells[column].textContent);
        if (head.classList.contains("number")) {
          cells = cells.map((c) => parseFloat(c.replace("\u2212", "-"))).filter((v) => !Number.isNaN(v));
          for (let i = 1; i < cells.length; i++) {
            if (way === "ascending" ? cells[i] < cells[i - 1] : cells[i] > cells[i - 1]) { wrong.push(name + ": " + head.textContent + " is not " + way); break; }
          }
        } else {
          for (let i = 1; i < cells.length; i++) {
            const d = cells[i - 1].localeCompare(cells[i], undefined, { numeric: true });
            if (way === "ascending" ? d > 0 : d < 0) { wrong.push(name + ": " + head.textContent + " is not " + way); break; }
          }
        }
      }
    });
    if (body.rows.length !== all) wrong.push(name + ": sorting lost rows");
    const search = box.querySelector(".search");
    if (search && all > 0) {
      const word = body.rows[0].cells[0].textContent;
      search.value = word;
      search.dispatchEvent(new Event("input"));
      if (shown().length === 0 || shown().some((r) => !word.toLowerCase().split(/\s+/).every((w) => r.textContent.toLowerCase().includes(w)))) wrong.push(name + ": the search for " + word + " shows " + shown().length);
      search.value = "no row has this word \u2603";
      search.dispatchEvent(new Event("input"));
      if (shown().length !== 0) wrong.push(name + ": a search for nothing shows " + shown().length);
      search.value = "";
      search.dispatchEvent(new Event("input"));
      if (shown().length !== all) wrong.push(name + ": an empty search hides rows");
    }
    const choice = box.querySelector(".choice");
    if (choice) {
      const at = [...box.querySelectorAll("thead th")].findIndex((h) => h.textContent === choice.dataset.column);
      for (const option of [...choice.options].filter((o) => o.value !== "")) {
        choice.value = option.value;
        choice.dispatchEvent(new Event("change"));
        if (shown().length === 0 || shown().some((r) => r.cells[at].textContent !== option.value)) wrong.push(name + ": the choice " + option.value + " does not hold");
      }
      choice.value = "";
      choice.dispatchEvent(new Event("change"));
      if (shown().length !== all) wrong.push(name + ": the choice of all hides rows");
    }
  });
  return wrong;
})()`
