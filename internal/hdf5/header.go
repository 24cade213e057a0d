package hdf5

// Header message types, numbered as in the specification, section IV.A.2.
const (
	msgNil          = 0x00
	msgDataspace    = 0x01
	msgLinkInfo     = 0x02
	msgDatatype     = 0x03
	msgFillOld      = 0x04
	msgFill         = 0x05
	msgLink         = 0x06
	msgExternal     = 0x07
	msgLayout       = 0x08
	msgGroupInfo    = 0x0a
	msgFilters      = 0x0b
	msgAttribute    = 0x0c
	msgContinuation = 0x10
	msgSymbolTable  = 0x11
	msgAttrInfo     = 0x15
)

// Limits that no honest object header reaches: an object has tens of messages
// and, through h5py, at most 64 KiB in each.
const (
	maxHeaderMessages = 1 << 17
	maxHeaderBlocks   = 1 << 14
)

// message is one header message; body is shared with the metadata cache.
type message struct {
	kind  uint16
	flags uint8
	body  []byte
}

func (m message) shared() bool { return m.flags&2 != 0 }

// header is an object header: the messages of all of its blocks.
type header struct {
	addr         uint64
	version      uint8
	orderTracked bool // version 2: messages carry their creation order
	messages     []message
}

// find returns the first message of a kind.
func (h *header) find(kind uint16) (message, bool) {
	for _, m := range h.messages {
		if m.kind == kind {
			return m, true
		}
	}
	return message{}, false
}

// span is a block of a header: a continuation points at one.
type span struct{ off, n uint64 }

// readHeader reads the object header at addr and follows its continuations.
func (f *File) readHeader(addr uint64) (*header, error) {
	if addr == undefined {
		return nil, corruptf("object header at the undefined address")
	}
	head, err := f.at(addr, 16)
	if err != nil {
		// The smallest version 2 header is shorter than 16 bytes and may end the file.
		if head, err = f.at(addr, 11); err != nil {
			return nil, err
		}
	}
	h := &header{addr: addr}
	var queue []span
	if sameMagic(head, "OHDR") {
		h.version = 2
		queue, err = f.headerV2(h, addr)
	} else {
		h.version = 1
		if head[0] != 1 {
			return nil, corruptf("no object header at address %d", addr)
		}
		queue, err = f.headerV1(h, addr)
	}
	if err != nil {
		return nil, err
	}
	seen := map[uint64]bool{addr: true}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if seen[s.off] || len(seen) > maxHeaderBlocks {
			return nil, corruptf("object header at address %d: its continuations form a loop", addr)
		}
		seen[s.off] = true
		more, err := f.headerBlock(h, s)
		if err != nil {
			return nil, err
		}
		queue = append(queue, more...)
	}
	return h, nil
}

func (f *File) headerV1(h *header, addr uint64) ([]span, error) {
	b, err := f.at(addr, 16)
	if err != nil {
		return nil, err
	}
	c := &cursor{b: b, pos: 8}
	n := uint64(c.u32())
	if b, err = f.at(addr+16, n); err != nil {
		return nil, err
	}
	return f.messagesV1(h, b)
}

func (f *File) messagesV1(h *header, b []byte) (more []span, err error) {
	c := &cursor{b: b}
	for len(c.rest()) >= 8 {
		kind, size, flags := c.u16(), c.u16(), c.u8()
		c.skip(3)
		body := c.bytes(int(size))
		if c.bad {
			return nil, corruptf("object header at address %d: a message of %d bytes reaches past its block", h.addr, size)
		}
		if more, err = f.addMessage(h, message{kind, flags, body}, more); err != nil {
			return nil, err
		}
	}
	return more, nil
}

func (f *File) headerV2(h *header, addr uint64) ([]span, error) {
	b, err := f.at(addr, 6)
	if err != nil {
		return nil, err
	}
	if b[4] != 2 {
		return nil, unsupportedf("object header version %d", b[4])
	}
	flags := b[5]
	prefix := uint64(6)
	if flags&0x20 != 0 {
		prefix += 16 // four times
	}
	if flags&0x10 != 0 {
		prefix += 4 // limits of compact and dense attribute storage
	}
	width := uint64(1) << (flags & 3)
	if b, err = f.at(addr+prefix, width); err != nil {
		return nil, err
	}
	n := (&cursor{b: b}).uint(int(width))
	if err := f.src.check(f.sb.base+addr, n); err != nil {
		return nil, err
	}
	if b, err = f.at(addr, prefix+width+n+4); err != nil {
		return nil, err
	}
	if b, err = verify(b, "object header"); err != nil {
		return nil, err
	}
	return f.messagesV2(h, b[prefix+width:], flags)
}

func (f *File) messagesV2(h *header, b []byte, headerFlags uint8) (more []span, err error) {
	h.orderTracked = headerFlags&4 != 0
	c := &cursor{b: b}
	least := 4
	if h.orderTracked {
		least = 6
	}
	for len(c.rest()) >= least { // what is shorter is a gap
		kind, size, flags := uint16(c.u8()), c.u16(), c.u8()
		if h.orderTracked {
			c.skip(2)
		}
		body := c.bytes(int(size))
		if c.bad {
			return nil, corruptf("object header at address %d: a message of %d bytes reaches past its block", h.addr, size)
		}
		if more, err = f.addMessage(h, message{kind, flags, body}, more); err != nil {
			return nil, err
		}
	}
	return more, nil
}

// headerBlock reads a continuation.
func (f *File) headerBlock(h *header, s span) ([]span, error) {
	b, err := f.at(s.off, s.n)
	if err != nil {
		return nil, err
	}
	if h.version == 1 {
		return f.messagesV1(h, b)
	}
	if !sameMagic(b, "OCHK") {
		return nil, corruptf("object header at address %d: its continuation lacks the signature OCHK", h.addr)
	}
	if b, err = verify(b, "object header continuation"); err != nil {
		return nil, err
	}
	flags := uint8(0)
	if h.orderTracked {
		flags = 4
	}
	return f.messagesV2(h, b[4:], flags)
}

// addMessage keeps a message, or queues the block that it points at.
func (f *File) addMessage(h *header, m message, more []span) ([]span, error) {
	switch m.kind {
	case msgNil:
		return more, nil
	case msgContinuation:
		c := &cursor{b: m.body}
		s := span{c.addr(f.sb.offsetSize), c.uint(f.sb.lengthSize)}
		if err := c.err("continuation message"); err != nil {
			return nil, err
		}
		return append(more, s), nil
	}
	if len(h.messages) >= maxHeaderMessages {
		return nil, corruptf("object header at address %d has more than %d messages", h.addr, maxHeaderMessages)
	}
	h.messages = append(h.messages, m)
	return more, nil
}
