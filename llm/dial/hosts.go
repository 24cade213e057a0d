package dial

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxHosts bounds what a list of hosts can stand for.
const maxHosts = 100_000

// Expand gives the backends that a name stands for, which is mostly the name itself.
// "llamacpp://node[01-03,07]:8080" is a server on each of these hosts, and
// "slurm://llamacpp:8080" one on each node of the job, whose list is nodes
// (SLURM_JOB_NODELIST). The names are not parsed: see [Parse].
func Expand(name, nodes string) ([]string, error) {
	scheme, rest, found := strings.Cut(name, "://")
	if !found {
		return []string{name}, nil
	}
	if scheme == "slurm" {
		kind, tail, _ := strings.Cut(rest, ":")
		if i := strings.IndexByte(kind, '/'); i >= 0 { // a path, and no port
			kind, tail = kind[:i], kind[i:]
		} else if tail != "" {
			tail = ":" + tail
		}
		if nodes == "" {
			return nil, &SpecError{Name: name, What: "is for a job of Slurm: SLURM_JOB_NODELIST is not set"}
		}
		if ports[strings.TrimSuffix(kind, "+https")] == "" {
			return nil, &SpecError{Name: name, What: "names no kind of server, as slurm://llamacpp:8080 does"}
		}
		return expand(name, kind, nodes, tail)
	}
	end := strings.IndexByte(rest, '[')
	if end < 0 || strings.HasPrefix(rest, "[") { // an address of IPv6 is no list
		return []string{name}, nil
	}
	end = strings.LastIndexByte(rest, ']') + 1
	if i := strings.IndexAny(rest[end:], ":/"); i >= 0 {
		end += i
	} else {
		end = len(rest)
	}
	return expand(name, scheme, rest[:end], rest[end:])
}

func expand(name, scheme, hosts, tail string) ([]string, error) {
	list, err := Hosts(hosts)
	if err != nil {
		return nil, &SpecError{Name: name, What: "has a bad list of hosts: " + err.Error()}
	}
	for i, host := range list {
		list[i] = scheme + "://" + host + tail
	}
	return list, nil
}

// Hosts expands a list of hosts in the form of Slurm (scontrol show hostnames):
// names separated by commas, in which brackets hold numbers and ranges, such as
// "login,node[01-03,07],rack[1-2]n[1-4]". Numbers keep the width of the first one of
// their range; the order is that of the list.
func Hosts(list string) ([]string, error) {
	var out []string
	for len(list) > 0 {
		item, rest, err := cutItem(list)
		if err != nil {
			return nil, err
		}
		list = rest
		if out, err = appendHosts(out, "", item); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, errors.New("it is empty")
	}
	return out, nil
}

// cutItem splits at the first comma outside brackets.
func cutItem(list string) (item, rest string, err error) {
	depth := 0
	for i := range len(list) {
		switch list[i] {
		case '[':
			depth++
		case ']':
			depth--
		case ',':
			if depth == 0 {
				return list[:i], list[i+1:], nil
			}
		}
		if depth < 0 || depth > 1 {
			return "", "", fmt.Errorf("the brackets of %q do not match", list)
		}
	}
	if depth != 0 {
		return "", "", fmt.Errorf("the brackets of %q do not match", list)
	}
	return list, "", nil
}

// appendHosts adds the hosts that begin with head and go on as one of item.
func appendHosts(out []string, head, item string) ([]string, error) {
	before, rest, found := strings.Cut(item, "[")
	head += before
	if !found {
		if head == "" || strings.ContainsAny(head, " \t/:@?#") {
			return nil, fmt.Errorf("%q is no name of a host", head)
		}
		if len(out) == maxHosts {
			return nil, fmt.Errorf("it has more than %d hosts", maxHosts)
		}
		return append(out, head), nil
	}
	ranges, rest, _ := strings.Cut(rest, "]")
	for r := range strings.SplitSeq(ranges, ",") {
		first, last, isRange := strings.Cut(r, "-")
		if !isRange {
			last = first
		}
		lo, err := number(first)
		if err != nil {
			return nil, err
		}
		hi, err := number(last)
		if err != nil {
			return nil, err
		}
		if hi < lo || hi-lo >= maxHosts {
			return nil, fmt.Errorf("%q is no range", r)
		}
		for n := lo; n <= hi; n++ {
			if out, err = appendHosts(out, fmt.Sprintf("%s%0*d", head, len(first), n), rest); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// number is one of digits alone, as many as fit.
func number(digits string) (int, error) {
	n, err := strconv.Atoi(digits)
	if err != nil || strings.ContainsAny(digits, "+-") || len(digits) > 18 {
		return 0, fmt.Errorf("%q is no number", digits)
	}
	return n, nil
}
