package doctor

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Machine is what models can run on. Bytes throughout.
type Machine struct {
	Processors int `json:"processors"`
	// Total is the memory of the machine, or of the container if that is less,
	// Available what programs can still take of it; 0 where that is not known.
	Total     uint64 `json:"total"`
	Available uint64 `json:"available"`
	GPUs      []GPU  `json:"gpus"`
	// NoGPUs is why there are none, "" if there are.
	NoGPUs string `json:"no_gpus,omitempty"`
}

// GPU is a graphics card of NVIDIA's.
type GPU struct {
	Name   string `json:"name"`
	Driver string `json:"driver"`
	Total  uint64 `json:"total"`
	Free   uint64 `json:"free"`
}

// smiTime is what nvidia-smi may take: with a broken driver it hangs.
const smiTime = 4 * time.Second

// gpus asks nvidia-smi.
func gpus(ctx context.Context, program string) ([]GPU, error) {
	within, cancel := context.WithTimeoutCause(ctx, smiTime, fmt.Errorf("%s does not answer: is the driver in order?", program))
	defer cancel()
	cmd := exec.CommandContext(within, program, "--query-gpu=name,driver_version,memory.total,memory.free", "--format=csv,noheader,nounits")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case within.Err() != nil:
		return nil, context.Cause(within)
	case errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("nvidia-smi is not installed")
	case err != nil:
		// It reports on stdout.
		first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return nil, fmt.Errorf("nvidia-smi: %w: %s", err, first)
	}
	return parseGPUs(string(out))
}

// parseGPUs reads one line a card. What is not a number, as "[N/A]" for the memory of
// cards that share the machine's, is 0.
func parseGPUs(out string) ([]GPU, error) {
	r := csv.NewReader(strings.NewReader(out))
	r.FieldsPerRecord, r.TrimLeadingSpace = 4, true
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("nvidia-smi: %w", err)
	}
	var list []GPU
	for _, row := range rows {
		mib := func(s string) uint64 {
			n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
			if err != nil {
				return 0
			}
			return n << 20
		}
		list = append(list, GPU{Name: row[0], Driver: row[1], Total: mib(row[2]), Free: mib(row[3])})
	}
	if len(list) == 0 {
		return nil, errors.New("nvidia-smi finds no card")
	}
	return list, nil
}

// memory reads what Linux says; zeros elsewhere. A container's limit counts if it is
// less.
func memory(root fs.FS) (total, available uint64) {
	data, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(data)) {
		var n uint64
		fields := strings.Fields(line)
		if len(fields) >= 2 {
			n, _ = strconv.ParseUint(fields[1], 10, 54)
			switch fields[0] {
			case "MemTotal:":
				total = n << 10
			case "MemAvailable:":
				available = n << 10
			}
		}
	}
	number := func(path string) (uint64, bool) {
		data, err := fs.ReadFile(root, path)
		if err != nil {
			return 0, false
		}
		n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
		return n, err == nil // "max" is no number
	}
	if limit, ok := number("sys/fs/cgroup/memory.max"); ok && limit < total {
		total = limit
		if used, ok := number("sys/fs/cgroup/memory.current"); ok {
			available = min(available, limit-min(limit, used))
		}
	}
	return total, available
}
