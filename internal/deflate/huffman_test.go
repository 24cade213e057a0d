package deflate_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/internal/deflate"
)

// least is how many bits the best code takes: the sum of all sums of Huffman's
// algorithm, straight from its definition.
func least(count []uint32) (total uint64) {
	var nodes []uint64
	for _, n := range count {
		if n > 0 {
			nodes = append(nodes, uint64(n))
		}
	}
	if len(nodes) == 1 {
		return nodes[0]
	}
	for len(nodes) > 1 {
		slices.Sort(nodes)
		sum := nodes[0] + nodes[1]
		total += sum
		nodes = append(nodes[2:], sum)
	}
	return total
}

// TestLengths: codes are complete, keep to the limit, and are the best where the
// limit does not matter.
func TestLengths(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		count := make([]uint32, 1+r.IntN(286))
		fibonacci := [2]uint32{1, 1}
		for s := range count {
			switch i % 4 {
			case 0:
				count[s] = r.Uint32N(1000)
			case 1:
				count[s] = uint32(r.ExpFloat64() * r.ExpFloat64() * 10)
			case 2:
				count[s] = r.Uint32N(2)
			default: // words of one bit, two bits, three bits, and so on
				if s > 30 {
					break
				}
				count[s] = fibonacci[0]
				fibonacci[0], fibonacci[1] = fibonacci[1], fibonacci[0]+fibonacci[1]
			}
		}
		r.Shuffle(len(count), func(i, j int) { count[i], count[j] = count[j], count[i] })
		for _, limit := range []int{15, 9} {
			lens := make([]uint8, len(count))
			deflate.Lengths(lens, count, limit)
			sum, total, longest, symbols := 0, uint64(0), 0, 0
			for s, n := range lens {
				if count[s] > 0 {
					symbols++
				}
				if n == 0 != (count[s] == 0) && symbols > 1 {
					t.Fatalf("%v: symbol %d has %d bits", count, s, n)
				}
				if n > 0 {
					sum += 1 << (limit - int(n))
				}
				total += uint64(count[s]) * uint64(n)
				longest = max(longest, int(n))
			}
			want := least(count)
			switch {
			case longest > limit:
				t.Fatalf("%v: %d bits", count, longest)
			case symbols > 1 && sum != 1<<limit:
				t.Fatalf("%v: not complete", count)
			case longest < limit && total != want:
				t.Fatalf("%v: %d bits, the best code has %d", count, total, want)
			case total > want+want/8: // what the limit costs here at most
				t.Fatalf("%v: %d bits, without a limit %d", count, total, want)
			}
		}
	}
}

// TestWidth finds the width of elements, and none where there is none.
func TestWidth(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	_, columns := matrix(r, 5000)
	for _, width := range []int{1, 2, 4, 8} {
		var b []byte
		for _, v := range columns {
			b = binary.LittleEndian.AppendUint64(b, uint64(v))[:len(b)+width]
		}
		if got := deflate.Width(b); got != width {
			t.Errorf("%d, expected %d", got, width)
		}
	}
	for name, want := range map[string]int{"float32": 4, "float64": 8, "text": 1, "codes": 1, "random": 1, "zeros": 1, "empty": 1, "nine": 1} {
		if got := deflate.Width(samples()[name]); got != want {
			t.Errorf("%s: %d, expected %d", name, got, want)
		}
	}
}
