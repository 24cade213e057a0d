package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// Types of pages, from parquet.thrift.
const (
	dataPage       = 0
	dictionaryPage = 2
	dataPageV2     = 3
)

// pageHeader is what is needed of the structure PageHeader of parquet.thrift.
type pageHeader struct {
	kind, raw, packed                      int32
	values, encoding, levels, repeatLevels int32
	nulls, rows                            int32
	stored                                 bool // not compressed
}

// check refuses sizes that cannot be, given the bytes left and the budget.
func (h *pageHeader) check(left, budget int64) error {
	switch {
	case h.raw < 0 || h.packed < 0 || h.values < 0 || int64(h.packed) > left:
		return errors.New("a page has an impossible size")
	case int64(h.raw) > budget:
		return fmt.Errorf("a page of %d bytes is too large for the memory set aside", h.raw)
	case h.kind == dataPageV2 && (h.levels < 0 || h.repeatLevels < 0 || h.levels > h.packed || h.repeatLevels > h.packed-h.levels ||
		h.levels+h.repeatLevels > h.raw):
		return errors.New("a page has an impossible size")
	}
	return nil
}

// readPageHeader reads a header at the beginning of b and its length.
func readPageHeader(b []byte) (h pageHeader, n int, err error) {
	t := &thrift{b: b, structs: 100}
	h.kind = -1
	err = t.fields(0, func(id int, kind byte) (bool, error) {
		switch id {
		case 1:
			return t.int32Field(kind, &h.kind)
		case 2:
			return t.int32Field(kind, &h.raw)
		case 3:
			return t.int32Field(kind, &h.packed)
		case 5, 7, 8: // DataPageHeader, DictionaryPageHeader, DataPageHeaderV2
			if kind != thriftStruct {
				return false, errThrift
			}
			return true, t.fields(1, func(field int, kind byte) (bool, error) { return h.inner(t, id, field, kind) })
		}
		return false, nil
	})
	return h, t.at, err
}

func (h *pageHeader) inner(t *thrift, id, field int, kind byte) (bool, error) {
	switch {
	case field == 1:
		return t.int32Field(kind, &h.values)
	case id != 8 && field == 2 || id == 8 && field == 4:
		return t.int32Field(kind, &h.encoding)
	case id == 5 && field == 3, id == 8 && field == 5:
		return t.int32Field(kind, &h.levels) // the encoding, or the bytes
	case id == 5 && field == 4, id == 8 && field == 6:
		return t.int32Field(kind, &h.repeatLevels)
	case id == 8 && field == 2:
		return t.int32Field(kind, &h.nulls)
	case id == 8 && field == 3:
		return t.int32Field(kind, &h.rows)
	case id == 8 && field == 7:
		h.stored = kind == thriftFalse
	}
	return false, nil
}

// unpacker undoes the compression of pages, never beyond the size that their
// headers give.
type unpacker struct {
	zstd *zstd.Decoder
}

func (u *unpacker) unpack(codec compress.Compression, packed []byte, size int) ([]byte, error) {
	var out []byte
	var err error
	switch codec {
	case compress.Codecs.Uncompressed:
		out = packed
	case compress.Codecs.Snappy:
		n := 0
		if n, err = snappy.DecodedLen(packed); err == nil && n == size {
			out, err = snappy.Decode(make([]byte, size), packed)
		}
	case compress.Codecs.Gzip:
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(packed)); err == nil {
			out, err = readAll(z, size)
		}
	case compress.Codecs.Zstd:
		if u.zstd == nil {
			if u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(128<<20)); err != nil {
				return nil, err
			}
		}
		if err = u.zstd.Reset(bytes.NewReader(packed)); err == nil {
			out, err = readAll(u.zstd, size)
		}
	default:
		return nil, fmt.Errorf("pages compressed with %v cannot be read; those with zstd, snappy or gzip can", codec)
	}
	if err == nil && len(out) != size {
		err = errors.New("a page has another size than its header says")
	}
	return out, err
}

// readAll reads up to size bytes, and one more if there is one.
func readAll(r io.Reader, size int) ([]byte, error) {
	out := make([]byte, size+1)
	n, err := io.ReadFull(r, out)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && n <= size {
		err = nil
	}
	return out[:n], err
}

func (u *unpacker) close() {
	if u.zstd != nil {
		u.zstd.Close()
	}
}

// pageReader gives the library the pages of a column chunk, checked and unpacked.
// It stands in for the library's own, which makes room for whatever a header says.
type pageReader struct {
	r      io.ReaderAt
	at     int64 // the next page
	end    int64 // of the chunk
	values int64 // that data pages still have to hold
	codec  compress.Compression
	budget int64
	unpack *unpacker
	fixed  int // bytes of a value, or the least that a string takes
	page   file.Page
	err    error
}

var _ file.PageReader = (*pageReader)(nil)

// Next moves to the next page.
func (p *pageReader) Next() bool {
	p.page = nil
	for p.err == nil && p.values > 0 && p.at < p.end && p.page == nil {
		p.err = p.next()
	}
	if p.err == nil && p.page == nil && p.values > 0 {
		p.err = errors.New("its pages end too early")
	}
	return p.page != nil
}

// maxPageHeader is what a header may take: statistics hold two values.
const maxPageHeader = 1 << 20

func (p *pageReader) next() error {
	var h pageHeader
	var n int
	for size := int64(256); ; size *= 4 {
		head := make([]byte, min(size, p.end-p.at))
		if _, err := p.r.ReadAt(head, p.at); err != nil {
			return err
		}
		var err error
		h, n, err = readPageHeader(head)
		if err == nil {
			break
		}
		if !errors.Is(err, errThriftShort) || size >= maxPageHeader || size >= p.end-p.at {
			return err
		}
	}
	p.at += int64(n)
	if err := h.check(p.end-p.at, p.budget); err != nil {
		return err
	}
	packed := make([]byte, h.packed)
	if _, err := p.r.ReadAt(packed, p.at); err != nil {
		return err
	}
	p.at += int64(h.packed)
	return p.open(&h, packed)
}

func (p *pageReader) open(h *pageHeader, packed []byte) error {
	switch h.kind {
	case dictionaryPage:
		data, err := p.unpack.unpack(p.codec, packed, int(h.raw))
		if err != nil {
			return err
		}
		if int64(h.values) > int64(len(data)/p.fixed) {
			return errors.New("a dictionary claims more values than it has")
		}
		p.page = file.NewDictionaryPage(memory.NewBufferBytes(data), h.values, parquet.Encoding(h.encoding))
	case dataPage:
		data, err := p.unpack.unpack(p.codec, packed, int(h.raw))
		if err != nil {
			return err
		}
		p.values -= int64(h.values)
		p.page = file.NewDataPageV1(memory.NewBufferBytes(data), h.values, parquet.Encoding(h.encoding),
			parquet.Encoding(h.levels), parquet.Encoding(h.repeatLevels), h.raw)
	case dataPageV2:
		levels := int(h.levels + h.repeatLevels)
		data := packed
		if !h.stored {
			values, err := p.unpack.unpack(p.codec, packed[levels:], int(h.raw)-levels)
			if err != nil {
				return err
			}
			data = append(packed[:levels:levels], values...)
		}
		p.values -= int64(h.values)
		p.page = file.NewDataPageV2(memory.NewBufferBytes(data), h.values, h.nulls, h.rows, parquet.Encoding(h.encoding),
			h.levels, h.repeatLevels, h.raw, false)
	}
	if p.values < 0 {
		return errors.New("its pages hold more values than the footer says")
	}
	return nil
}

// Page is the page that Next moved to.
func (p *pageReader) Page() file.Page { return p.page }

// Err is what ended the pages early.
func (p *pageReader) Err() error { return p.err }

// SetMaxPageHeaderSize is there for the interface.
func (p *pageReader) SetMaxPageHeaderSize(int) {}

// Reset is there for the interface; the library does not call it on this path.
func (p *pageReader) Reset(parquet.BufferedReader, int64, compress.Compression, *file.CryptoContext) {
	p.err = errors.New("a page reader cannot be reset")
}
