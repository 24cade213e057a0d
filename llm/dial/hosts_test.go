package dial_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/llm/dial"
)

// TestHosts: the lists without an error are in the form that Slurm's own programs print,
// and what they stand for is what "scontrol show hostnames" of Slurm 22.05.8 prints.
func TestHosts(t *testing.T) {
	for _, c := range []struct{ list, want string }{
		{"vm", "vm"},
		{"node[01-03,07]", "node01 node02 node03 node07"},
		{"node[9-11]", "node9 node10 node11"},
		{"node[008-010]", "node008 node009 node010"},
		{"a,b[1-2],c", "a b1 b2 c"},
		{"rack[1-2]n[08-09]", "rack1n08 rack1n09 rack2n08 rack2n09"},
		{"n[1,3,5]-ib", "n1-ib n3-ib n5-ib"}, // Slurm itself has nothing after the last bracket
		{"gpu-3.cluster.org", "gpu-3.cluster.org"},
		{"", "!empty"},
		{"node[1-3", "!brackets"},
		{"node1-3]", "!brackets"},
		{"node[[1]]", "!brackets"},
		{"node[3-1]", "!no range"},
		{"node[a-b]", "!no number"},
		{"node[1-]", "!no number"},
		{"node[]", "!no number"},
		{"node[-1]", "!no number"},
		{"a,,b", "!no name"},
		{"a b", "!no name"},
		{"n[0-99999][0-99999]", "!more than"},
		{"n[1-99999999999]", "!no range"},
		{"n[1-999999999999999999999]", "!no number"},
	} {
		got, err := dial.Hosts(c.list)
		if says, bad := strings.CutPrefix(c.want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%q: %v, %v, expected %q", c.list, len(got), err, says)
			}
			continue
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q: %v, %v, expected %s", c.list, got, err, c.want)
		}
	}
}

func TestExpand(t *testing.T) {
	for _, c := range []struct{ name, nodes, want string }{
		{"demo", "", "demo"},
		{"llamacpp://host:8080", "", "llamacpp://host:8080"},
		{"llamacpp://[::1]:8080", "", "llamacpp://[::1]:8080"},
		{"openai+https://n[1-2]/v1", "", "openai+https://n1/v1 openai+https://n2/v1"},
		{"llamacpp://n[1-2]x:8080", "", "llamacpp://n1x:8080 llamacpp://n2x:8080"},
		{"ollama://n[1-2]", "", "ollama://n1 ollama://n2"},
		{"slurm://llamacpp:8080", "node[1-2]", "llamacpp://node1:8080 llamacpp://node2:8080"},
		{"slurm://ollama", "a,b", "ollama://a ollama://b"},
		{"slurm://openai/v1", "a", "openai://a/v1"},
		{"slurm://openai+https:443/v1", "a", "openai+https://a:443/v1"},
		{"slurm://llamacpp:8080", "", "!SLURM_JOB_NODELIST"},
		{"slurm://demo", "a", "!no kind of server"},
		{"slurm://:8080", "a", "!no kind of server"},
		{"llamacpp://n[1-x]:8080", "", "!bad list of hosts"},
	} {
		got, err := dial.Expand(c.name, c.nodes)
		if says, bad := strings.CutPrefix(c.want, "!"); bad {
			var spec *dial.SpecError
			if !errors.As(err, &spec) || !strings.Contains(err.Error(), says) {
				t.Errorf("%q: %v, %v, expected %q", c.name, got, err, says)
			}
			continue
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q: %v, %v, expected %s", c.name, got, err, c.want)
		}
	}
}

// FuzzHosts expands anything without harm.
func FuzzHosts(f *testing.F) {
	for _, list := range []string{"node[01-03,07]", "a,b[1-2]c[3-4]", "n[0-99999]", "[", "]"} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		hosts, err := dial.Hosts(list)
		if (err == nil) != (len(hosts) > 0) || len(hosts) > 100_000 {
			t.Errorf("%d hosts, %v", len(hosts), err)
		}
	})
}
