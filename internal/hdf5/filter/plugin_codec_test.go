package filter_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// again appends n bytes to b that lie back before them.
func again(b []byte, back, n int) []byte {
	for range n {
		b = append(b, b[len(b)-back])
	}
	return b
}

// distance is near or far, in what is there.
func distance(r *rand.Rand, have, most int) int {
	back := 1 + r.IntN(min(have, most))
	if r.IntN(2) == 0 {
		back = 1 + r.IntN(min(have, 20))
	}
	return back
}

// lengths are mostly short.
func length(r *rand.Rand) int {
	switch r.IntN(8) {
	case 0:
		return r.IntN(700)
	case 1:
		return 200 + r.IntN(120)
	}
	return r.IntN(30)
}

// lz4Sequences writes sequences of LZ4, and what they stand for.
func lz4Sequences(r *rand.Rand, count int) (src, want []byte) {
	more := func(n int) {
		for n -= 15; n >= 0; n -= 255 {
			src = append(src, byte(min(n, 255)))
		}
	}
	for i := range count {
		lit, match := length(r), length(r)
		if i == 0 {
			lit++
		}
		last := i == count-1
		if last {
			match = 0
		}
		src = append(src, byte(min(lit, 15)<<4|min(match, 15)))
		more(lit)
		for range lit {
			src = append(src, byte(r.Uint32()))
		}
		want = append(want, src[len(src)-lit:]...)
		if last {
			break
		}
		back := distance(r, len(want), 65535)
		src = append(src, byte(back), byte(back>>8))
		more(match)
		want = again(want, back, match+4)
	}
	return src, want
}

// blosclzInstructions writes instructions of BloscLZ, and what they stand for.
func blosclzInstructions(r *rand.Rand, count int) (src, want []byte) {
	for i := range count {
		if i == 0 || r.IntN(2) == 0 {
			n := 1 + r.IntN(32)
			if i < 3 { // somewhere to go back to
				n = 32
			}
			src = append(src, byte(n-1))
			for range n {
				src = append(src, byte(r.Uint32()))
			}
			want = append(want, src[len(src)-n:]...)
			continue
		}
		n, back := 3+length(r), distance(r, len(want), 8192+65535)
		near := min(back-1, 8191)
		src = append(src, byte(min(n-2, 7)<<5|near>>8))
		for rest := n - 9; rest >= 0; rest -= 255 {
			src = append(src, byte(min(rest, 255)))
		}
		src = append(src, byte(near))
		if far := back - 8192; far >= 0 {
			src = append(src, byte(far>>8), byte(far))
		}
		want = again(want, back, n)
	}
	return src, want
}

// TestCodecInstructions decodes what no encoder would write; damaged, it fails or
// fills dst, and nothing else.
func TestCodecInstructions(t *testing.T) {
	for _, codec := range []struct {
		name string
		make func(*rand.Rand, int) (src, want []byte)
		wrap func(src []byte, n int) (filter.Pipeline, []byte)
		at   int // where the instructions are
	}{
		{"lz4", lz4Sequences, func(src []byte, n int) (filter.Pipeline, []byte) {
			b := binary.BigEndian.AppendUint64(nil, uint64(n))
			b = binary.BigEndian.AppendUint32(b, uint32(n))
			b = binary.BigEndian.AppendUint32(b, uint32(len(src)))
			return filter.Pipeline{{ID: filter.LZ4}}, append(b, src...)
		}, 16},
		{"blosclz", blosclzInstructions, func(src []byte, n int) (filter.Pipeline, []byte) {
			return filter.Pipeline{{ID: filter.Blosc}}, bloscChunk(1<<4, 4, n, n, stream(src))
		}, 24},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		var d filter.Decoder
		for i := range 400 {
			instructions, want := codec.make(r, 1+i)
			if len(instructions) == len(want) { // would be taken for stored
				continue
			}
			p, src := codec.wrap(instructions, len(want))
			buf := bytes.Repeat([]byte{0xa5}, len(want)+64)
			if err := d.Decode(p, 0, src, buf[:len(want)]); err != nil || !bytes.Equal(buf[:len(want)], want) {
				t.Errorf("%s, %d instructions: %v", codec.name, 1+i, err)
			}
			for cut := max(0, len(instructions)-100); cut < len(instructions); cut++ {
				if p, src := codec.wrap(instructions[:cut], len(want)); cut != len(want) && d.Decode(p, 0, src, buf[:len(want)]) == nil {
					t.Errorf("%s, %d instructions, cut after %d of %d bytes: no error", codec.name, 1+i, cut, len(instructions))
				}
			}
			for range 20 {
				bad := bytes.Clone(src)
				bad[codec.at+r.IntN(len(instructions))] = byte(r.Uint32())
				_ = d.Decode(p, 0, bad, buf[:len(want)])
			}
			if !bytes.Equal(buf[len(want):], bytes.Repeat([]byte{0xa5}, 64)) {
				t.Errorf("%s, %d instructions: wrote past the result", codec.name, 1+i)
			}
		}
	}
}
