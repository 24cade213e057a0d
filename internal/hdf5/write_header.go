package hdf5

import (
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	// wHeaderBlock is how large a block of an object header grows before a
	// continuation takes the rest.
	wHeaderBlock = 256 << 10
	// wMaxAttrs keeps the count of messages within its 16 bits.
	wMaxAttrs = 60000

	wHeaderPrefix = 16
	wMessageHead  = 8
	wContinuation = wMessageHead + 16
)

// ObjectWriter is what groups, datasets and named types have in common.
type ObjectWriter interface {
	// Path is the absolute path of the object.
	Path() string
	// SetAttr gives the object an attribute, or replaces the one of that name.
	// Attributes may be set until the writer is closed.
	SetAttr(name string, v Value) error
	// Address is the address that references to the object hold in the file. It
	// fixes the place of the object's header, so it is asked for only where a
	// reference lies in raw data; [RefValue] takes a path.
	Address() (uint64, error)
}

// wObject is an object under construction.
type wObject struct {
	w     *Writer
	path  string
	addr  uint64 // of the header, undefined until it is placed
	first int    // size of the header's first block, once placed
	early bool   // the header was placed before all attributes were known
	links uint32 // hard links to it
	attrs []wAttr
	named map[string]int // position in attrs
	plan  func() (sizes []int)
}

// wAttr is an attribute whose value is put into the file with the header.
type wAttr struct {
	head  []byte
	value Value
}

// size is that of the attribute's message body.
func (a *wAttr) size() int { return wPad8(len(a.head) + a.value.size()) }

func (o *wObject) base() *wObject { return o }

// Path implements [ObjectWriter].
func (o *wObject) Path() string { return o.path }

// SetAttr implements [ObjectWriter].
func (o *wObject) SetAttr(name string, v Value) error {
	if err := o.w.ready(); err != nil {
		return err
	}
	a, err := newAttr(name, v)
	if err == nil && len(o.attrs) >= wMaxAttrs {
		err = fmt.Errorf("%w: more than %d attributes", ErrTooLarge, wMaxAttrs)
	}
	if err != nil {
		return o.w.wrap(o.path, fmt.Errorf("attribute %q: %w", name, err))
	}
	if i, ok := o.named[name]; ok {
		o.attrs[i] = a
		return nil
	}
	if o.named == nil {
		o.named = make(map[string]int)
	}
	o.named[name] = len(o.attrs)
	o.attrs = append(o.attrs, a)
	return nil
}

func newAttr(name string, v Value) (wAttr, error) {
	if err := wCheckName(name); err != nil {
		return wAttr{}, err
	}
	if err := v.check(); err != nil {
		return wAttr{}, err
	}
	typ, err := encDatatype(v.typ)
	if err != nil {
		return wAttr{}, err
	}
	space, err := encSpace(v.space)
	if err != nil {
		return wAttr{}, err
	}
	if n := len(name) + 1; n > wMaxMessage {
		return wAttr{}, wTooLarge("name", n)
	}
	a := wAttr{encAttrHead(name, typ, space), v}
	if a.size() > wMaxMessage {
		return wAttr{}, wTooLarge("attribute", len(a.head)+v.size())
	}
	return a, nil
}

// sizes are those of all message bodies.
func (o *wObject) sizes() []int {
	s := o.plan()
	for i := range o.attrs {
		s = append(s, o.attrs[i].size())
	}
	return s
}

// Address implements [ObjectWriter].
func (o *wObject) Address() (uint64, error) {
	if err := o.w.ready(); err != nil {
		return 0, err
	}
	if o.addr == undefined {
		// The attributes may change: they get a block of their own.
		o.early = true
		n := wContinuation
		for _, size := range o.plan() {
			n += wMessageHead + wPad8(size)
		}
		if err := o.allocHeader(n); err != nil {
			return 0, o.w.stop(o.path, err)
		}
	}
	return o.addr, nil
}

// place gives the header its address, once all attributes are known.
func (o *wObject) place() error {
	if o.addr != undefined {
		return nil
	}
	sizes := o.sizes()
	n := wBlocks(sizes)[0].size
	return o.allocHeader(n)
}

func (o *wObject) allocHeader(n int) (err error) {
	o.first = n
	o.addr, err = o.w.alloc(uint64(wHeaderPrefix + n))
	return err
}

// wBlock is a run of messages in one block of a header.
type wBlock struct {
	n    int // messages, without the continuation
	size int // bytes, with the continuation if another block follows
}

// wBlocks distributes messages over blocks of at most wHeaderBlock bytes.
func wBlocks(sizes []int) []wBlock {
	blocks := []wBlock{{}}
	for i, s := range sizes {
		s = wMessageHead + wPad8(s)
		b := &blocks[len(blocks)-1]
		room := wHeaderBlock
		if i+1 < len(sizes) {
			room -= wContinuation
		}
		if b.n > 0 && b.size+s > room {
			b.size += wContinuation
			blocks = append(blocks, wBlock{})
			b = &blocks[len(blocks)-1]
		}
		b.n++
		b.size += s
	}
	return blocks
}

// writeHeader writes an object header, and first what it points at.
func (w *Writer) writeHeader(node wNode) error {
	o := node.base()
	messages, err := node.finish()
	if err != nil {
		return err
	}
	own := len(messages)
	for i := range o.attrs {
		body, err := w.encodeValue(slices.Clone(o.attrs[i].head), &o.attrs[i].value)
		if err != nil {
			return err
		}
		messages = append(messages, wMessage{kind: msgAttribute, body: body})
	}
	if o.early && len(messages) == own {
		// No continuation is needed after all: a null message fills its place.
		messages = append(messages, wMessage{kind: msgNil, body: make([]byte, 16)})
		own++
		o.early = false
	}
	sizes := make([]int, len(messages))
	for i, m := range messages {
		sizes[i] = len(m.body)
	}
	blocks := wBlocks(sizes)
	if o.early {
		blocks = append([]wBlock{{own, o.first}}, wBlocks(sizes[own:])...)
	}
	if blocks[0].size != o.first {
		return fmt.Errorf("object header of %d bytes instead of %d", blocks[0].size, o.first)
	}
	count := len(messages) + len(blocks) - 1
	le := binary.LittleEndian
	head := []byte{1, 0}
	head = le.AppendUint16(head, uint16(count))
	head = le.AppendUint32(head, o.links)
	head = le.AppendUint32(head, uint32(o.first))
	head = append(head, 0, 0, 0, 0)
	addr := o.addr
	for i, bl := range blocks {
		b := make([]byte, 0, len(head)+bl.size)
		b = append(b, head...)
		for _, m := range messages[:bl.n] {
			b = encMessage(b, m)
		}
		messages = messages[bl.n:]
		next := uint64(0)
		if i+1 < len(blocks) {
			if next, err = w.alloc(uint64(blocks[i+1].size)); err != nil {
				return err
			}
			body := le.AppendUint64(nil, next)
			b = encMessage(b, wMessage{kind: msgContinuation, body: le.AppendUint64(body, uint64(blocks[i+1].size))})
		}
		if err := w.writeAt(b, addr); err != nil {
			return err
		}
		head, addr = nil, next
	}
	return nil
}

func encMessage(b []byte, m wMessage) []byte {
	n := wPad8(len(m.body))
	b = binary.LittleEndian.AppendUint16(b, m.kind)
	b = binary.LittleEndian.AppendUint16(b, uint16(n))
	b = append(b, m.flags, 0, 0, 0)
	return wAppendPadded(b, m.body, n)
}
