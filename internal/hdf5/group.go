package hdf5

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"sync"
)

// LinkKind says what a name in a group leads to.
type LinkKind uint8

// The kinds of links.
const (
	LinkHard     LinkKind = 0
	LinkSoft     LinkKind = 1
	LinkExternal LinkKind = 64
)

// Link is a name in a group.
type Link struct {
	Name   string
	Kind   LinkKind
	Addr   uint64 // hard: address of the object
	Target string // soft, external: path
	File   string // external: file
	order  uint64 // creation order, where it is tracked
}

// Limits on the walk through a group.
const (
	maxLinks     = 1 << 26
	maxSoftDepth = 16
	maxTreeDepth = 32
)

// Group is an HDF5 group.
type Group struct {
	object
	once  sync.Once
	links []Link
	index map[string]int
	err   error
}

// Links lists the names in the group, sorted by name, as h5py lists them.
func (g *Group) Links() ([]Link, error) {
	g.once.Do(func() {
		g.links, g.err = g.readLinks()
		if g.err != nil {
			g.links, g.err = nil, g.fail(g.err)
			return
		}
		sort.Slice(g.links, func(i, j int) bool { return g.links[i].Name < g.links[j].Name })
		g.index = make(map[string]int, len(g.links))
		for i, l := range g.links {
			if _, twice := g.index[l.Name]; twice {
				g.links, g.err = nil, g.fail(corruptf("two links are named %q", l.Name))
				return
			}
			g.index[l.Name] = i
		}
	})
	return g.links, g.err
}

// Names lists the names in the group, sorted.
func (g *Group) Names() ([]string, error) {
	links, err := g.Links()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = l.Name
	}
	return names, nil
}

// Has reports whether the group has a link of that name, dangling or not.
func (g *Group) Has(name string) bool {
	if _, err := g.Links(); err != nil {
		return false
	}
	_, ok := g.index[name]
	return ok
}

// Open opens the object that name leads to: a name in this group, or a path of
// names from here. Soft links are followed; external links are refused.
func (g *Group) Open(name string) (Object, error) {
	return g.lookup(name, 0)
}

// Group opens the group of that name.
func (g *Group) Group(name string) (*Group, error) {
	o, err := g.Open(name)
	if err != nil {
		return nil, err
	}
	c, ok := o.(*Group)
	if !ok {
		return nil, g.file.fail(o.Path(), typef("expected a group, found a dataset"))
	}
	return c, nil
}

// Dataset opens the dataset of that name.
func (g *Group) Dataset(name string) (*Dataset, error) {
	o, err := g.Open(name)
	if err != nil {
		return nil, err
	}
	d, ok := o.(*Dataset)
	if !ok {
		return nil, g.file.fail(o.Path(), typef("expected a dataset, found a group"))
	}
	return d, nil
}

func (g *Group) lookup(path string, soft int) (Object, error) {
	var o Object = g
	if strings.HasPrefix(path, "/") {
		root, err := g.file.Root()
		if err != nil {
			return nil, err
		}
		o = root
	}
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." {
			continue
		}
		in, ok := o.(*Group)
		if !ok {
			return nil, g.file.fail(join(o.Path(), name), fmt.Errorf("%w: %s is not a group", ErrNotFound, o.Path()))
		}
		next, err := in.child(name, soft)
		if err != nil {
			return nil, err
		}
		o = next
	}
	return o, nil
}

func (g *Group) child(name string, soft int) (Object, error) {
	if _, err := g.Links(); err != nil {
		return nil, err
	}
	path := join(g.path, name)
	i, ok := g.index[name]
	if !ok {
		return nil, g.file.fail(path, ErrNotFound)
	}
	switch l := g.links[i]; l.Kind {
	case LinkHard:
		return g.file.object(l.Addr, path)
	case LinkSoft:
		if soft >= maxSoftDepth {
			return nil, g.file.fail(path, corruptf("soft links form a loop"))
		}
		o, err := g.lookup(l.Target, soft+1)
		if err != nil {
			return nil, &Error{g.file.name, path, fmt.Errorf("soft link to %q: %w", l.Target, err)}
		}
		return o, nil
	case LinkExternal:
		return nil, g.file.fail(path, unsupportedf("link into another file (%s of %s); h5repack merges them", l.Target, l.File))
	default:
		return nil, g.file.fail(path, unsupportedf("user-defined link of type %d", l.Kind))
	}
}

func (g *Group) readLinks() ([]Link, error) {
	if m, ok := g.hdr.find(msgSymbolTable); ok {
		c := &cursor{b: m.body}
		tree, heap := c.addr(g.file.sb.offsetSize), c.addr(g.file.sb.offsetSize)
		if err := c.err("symbol table message"); err != nil {
			return nil, err
		}
		return g.file.symbolTable(tree, heap)
	}
	var links []Link
	for _, m := range g.hdr.messages {
		if m.kind != msgLink {
			continue
		}
		l, err := g.file.parseLink(m.body)
		if err != nil {
			return nil, err
		}
		links = append(links, l)
	}
	if m, ok := g.hdr.find(msgLinkInfo); ok {
		dense, err := g.file.denseLinks(m.body)
		if err != nil {
			return nil, err
		}
		links = append(links, dense...)
	}
	return links, nil
}

// parseLink reads a link message.
func (f *File) parseLink(b []byte) (Link, error) {
	c := &cursor{b: b}
	var l Link
	if v := c.u8(); v != 1 {
		return l, unsupportedf("link message version %d", v)
	}
	flags := c.u8()
	if flags&8 != 0 {
		l.Kind = LinkKind(c.u8())
	}
	if flags&4 != 0 {
		l.order = c.uint(8)
	}
	if flags&16 != 0 {
		c.skip(1) // character set of the name
	}
	n := c.uint(1 << (flags & 3))
	if n > uint64(len(b)) {
		return l, corruptf("link name of %d bytes", n)
	}
	l.Name = string(c.bytes(int(n)))
	switch l.Kind {
	case LinkHard:
		l.Addr = c.addr(f.sb.offsetSize)
	case LinkSoft:
		l.Target = string(c.bytes(int(c.u16())))
	default:
		v := c.bytes(int(c.u16()))
		if l.Kind == LinkExternal && len(v) > 1 {
			file, rest, _ := strings.Cut(string(v[1:]), "\x00")
			l.File, l.Target = file, cString([]byte(rest))
		}
	}
	if err := c.err("link message"); err != nil {
		return l, err
	}
	return l, checkLinkName(l.Name)
}

func checkLinkName(name string) error {
	if name == "" || strings.ContainsAny(name, "/\x00") {
		return corruptf("link named %q", name)
	}
	return nil
}

// symbolTable lists the links of an old-style group: a B-tree of symbol nodes
// whose names lie in a local heap.
func (f *File) symbolTable(tree, heap uint64) ([]Link, error) {
	h, err := f.localHeap(heap)
	if err != nil {
		return nil, err
	}
	var links []Link
	err = f.walkTree(tree, 0, func(node uint64) error {
		b, err := f.at(node, 8)
		if err != nil {
			return err
		}
		if !sameMagic(b, "SNOD") {
			return corruptf("no symbol table node at address %d", node)
		}
		n := uint64((&cursor{b: b, pos: 6}).u16())
		entry := 2*f.sb.offsetSize + 24
		if b, err = f.at(node+8, n*uint64(entry)); err != nil {
			return err
		}
		c := &cursor{b: b}
		for range n {
			nameOff := c.uint(f.sb.offsetSize)
			l := Link{Addr: c.addr(f.sb.offsetSize)}
			cache := c.u32()
			c.skip(4)
			scratch := cursor{b: c.bytes(16)}
			if l.Name, err = h.str(nameOff); err != nil {
				return err
			}
			if err = checkLinkName(l.Name); err != nil {
				return err
			}
			if cache == 2 {
				l.Kind = LinkSoft
				if l.Target, err = h.str(uint64(scratch.u32())); err != nil {
					return err
				}
			}
			if len(links) >= maxLinks {
				return corruptf("group of more than %d links", maxLinks)
			}
			links = append(links, l)
		}
		return c.err("symbol table node")
	})
	return links, err
}

// walkTree calls leaf for each symbol node of a version 1 B-tree of type 0.
func (f *File) walkTree(root uint64, kind uint8, leaf func(uint64) error) error {
	key := f.sb.lengthSize
	visited := 0
	var walk func(addr uint64, level int) error
	walk = func(addr uint64, level int) error {
		if visited++; visited > maxLinks {
			return corruptf("B-tree of more than %d nodes", maxLinks)
		}
		n, level, err := f.treeNode(addr, kind, level)
		if err != nil {
			return err
		}
		off := addr + 8 + uint64(2*f.sb.offsetSize)
		b, err := f.at(off, uint64(n)*uint64(key+f.sb.offsetSize))
		if err != nil {
			return err
		}
		c := &cursor{b: b}
		for range n {
			c.skip(key)
			child := c.addr(f.sb.offsetSize)
			if level == 0 {
				err = leaf(child)
			} else {
				err = walk(child, level-1)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return walk(root, -1)
}

// treeNode reads the head of a version 1 B-tree node. A child's level must be
// one below its parent's, so that a tree cannot loop; want is −1 at the root.
func (f *File) treeNode(addr uint64, kind uint8, want int) (entries, level int, err error) {
	b, err := f.at(addr, 8)
	if err != nil {
		return 0, 0, err
	}
	if !sameMagic(b, "TREE") {
		return 0, 0, corruptf("no B-tree node at address %d", addr)
	}
	if b[4] != kind {
		return 0, 0, corruptf("B-tree node at address %d is of type %d, expected %d", addr, b[4], kind)
	}
	level = int(b[5])
	if level > maxTreeDepth || want >= 0 && level != want {
		return 0, 0, corruptf("B-tree node at address %d has level %d", addr, level)
	}
	return int(b[6]) | int(b[7])<<8, level, nil
}

// localHeap holds the names of an old-style group.
type localHeap struct{ data []byte }

func (f *File) localHeap(addr uint64) (localHeap, error) {
	b, err := f.at(addr, uint64(8+2*f.sb.lengthSize+f.sb.offsetSize))
	if err != nil {
		return localHeap{}, err
	}
	if !sameMagic(b, "HEAP") {
		return localHeap{}, corruptf("no local heap at address %d", addr)
	}
	c := &cursor{b: b, pos: 8}
	size := c.uint(f.sb.lengthSize)
	c.skip(f.sb.lengthSize)
	data, err := f.at(c.addr(f.sb.offsetSize), size)
	return localHeap{data}, err
}

func (h localHeap) str(off uint64) (string, error) {
	if off >= uint64(len(h.data)) {
		return "", corruptf("name at %d of a local heap of %d bytes", off, len(h.data))
	}
	i := bytes.IndexByte(h.data[off:min(uint64(len(h.data)), off+1<<16)], 0)
	if i < 0 {
		return "", corruptf("name at %d of a local heap has no end", off)
	}
	return string(h.data[off : off+uint64(i)]), nil
}
