package hdf5

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// GroupWriter is a group under construction.
type GroupWriter struct {
	wObject
	members []wMember
	index   map[string]int
	tree    uint64 // addresses of its symbol table, undefined until written
	heap    uint64
}

// wMember is a name in a group: an object or a soft link.
type wMember struct {
	name   string
	node   wNode
	target string
}

func (w *Writer) newObject(path string) wObject {
	return wObject{w: w, path: path, addr: undefined, links: 1}
}

func (w *Writer) newGroup(path string) *GroupWriter {
	g := &GroupWriter{wObject: w.newObject(path), tree: undefined, heap: undefined}
	g.plan = func() []int { return []int{16} } // the symbol table message
	w.objects = append(w.objects, g)
	return g
}

// wCheckName refuses names that no reader finds again.
func wCheckName(name string) error {
	if name == "" || strings.IndexByte(name, 0) >= 0 {
		return wInvalidf("the name %q is empty or contains NUL", name)
	}
	return nil
}

// admit checks that a member of that name can be added.
func (g *GroupWriter) admit(name string) error {
	if err := g.w.ready(); err != nil {
		return err
	}
	err := wCheckName(name)
	if err == nil && (name == "." || strings.Contains(name, "/")) {
		err = wInvalidf("the name %q is a path", name)
	}
	if _, ok := g.index[name]; err == nil && ok {
		err = ErrExists
	}
	return g.w.wrap(join(g.path, name), err)
}

func (g *GroupWriter) add(m wMember) {
	if g.index == nil {
		g.index = make(map[string]int)
	}
	g.index[m.name] = len(g.members)
	g.members = append(g.members, m)
}

// Has reports whether the group has a link of that name.
func (g *GroupWriter) Has(name string) bool {
	_, ok := g.index[name]
	return ok
}

// CreateGroup adds an empty group. The name is a single one, not a path.
func (g *GroupWriter) CreateGroup(name string) (*GroupWriter, error) {
	if err := g.admit(name); err != nil {
		return nil, err
	}
	c := g.w.newGroup(join(g.path, name))
	g.add(wMember{name: name, node: c})
	return c, nil
}

// SoftLink adds a name that stands for a path, which need not exist.
func (g *GroupWriter) SoftLink(name, target string) error {
	if err := g.admit(name); err != nil {
		return err
	}
	if err := wCheckName(target); err != nil {
		return g.w.wrap(join(g.path, name), err)
	}
	g.add(wMember{name: name, target: target})
	return nil
}

// HardLink adds one more name for an object of the same writer.
func (g *GroupWriter) HardLink(name string, o ObjectWriter) error {
	if err := g.admit(name); err != nil {
		return err
	}
	node, ok := o.(wNode)
	if !ok || node.base().w != g.w {
		return g.w.wrap(join(g.path, name), wInvalidf("a hard link to an object of another file"))
	}
	node.base().links++
	g.add(wMember{name: name, node: node})
	return nil
}

// TypeWriter is a datatype with a name of its own.
type TypeWriter struct {
	wObject
	body []byte
}

// CommitType adds a datatype under a name.
func (g *GroupWriter) CommitType(name string, t *Datatype) (*TypeWriter, error) {
	if err := g.admit(name); err != nil {
		return nil, err
	}
	body, err := encDatatype(t)
	if err != nil {
		return nil, g.w.wrap(join(g.path, name), err)
	}
	n := &TypeWriter{wObject: g.w.newObject(join(g.path, name)), body: body}
	n.plan = func() []int { return []int{len(body)} }
	g.w.objects = append(g.w.objects, n)
	g.add(wMember{name: name, node: n})
	return n, nil
}

func (t *TypeWriter) finish() ([]wMessage, error) {
	// 4: the message must not be shared, for others refer to this object.
	return []wMessage{{msgDatatype, wConstant | 4, t.body}}, nil
}

// Lookup finds an object of the new file by its absolute path, along hard links.
func (w *Writer) Lookup(path string) (ObjectWriter, error) {
	var node wNode = w.root
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." {
			continue
		}
		g, ok := node.(*GroupWriter)
		i, found := 0, false
		if ok {
			i, found = g.index[name]
		}
		if !found || g.members[i].node == nil {
			return nil, w.wrap(path, ErrNotFound)
		}
		node = g.members[i].node
	}
	return node, nil
}

// finish writes the symbol table: names in a local heap, links in nodes, and a
// B-tree over these.
func (g *GroupWriter) finish() ([]wMessage, error) {
	le := binary.LittleEndian
	members := slices.Clone(g.members)
	slices.SortFunc(members, func(a, b wMember) int { return cmp.Compare(a.name, b.name) })

	names := make([]byte, 8) // offset 0 is the empty name
	put := func(s string) (off uint64) {
		off = uint64(len(names))
		names = wAppendPadded(names, s, wPad8(len(s)+1))
		return off
	}
	const perNode = 2 * wLeafK
	const nodeSize = 8 + perNode*40
	nodes := (len(members) + perNode - 1) / perNode
	first, err := g.w.alloc(uint64(nodes) * nodeSize)
	if err != nil {
		return nil, err
	}
	last := make([]uint64, nodes) // where the last name of each node lies
	for i := range nodes {
		part := members[i*perNode : min(len(members), (i+1)*perNode)]
		b := append(make([]byte, 0, nodeSize), 'S', 'N', 'O', 'D', 1, 0)
		b = le.AppendUint16(b, uint16(len(part)))
		for _, m := range part {
			last[i] = put(m.name)
			if m.node == nil {
				b = encSoftEntry(b, last[i], put(m.target))
				continue
			}
			b = encEntry(b, last[i], m.node)
		}
		b = append(b, make([]byte, nodeSize-len(b))...)
		if err := g.w.writeAt(b, first+uint64(i)*nodeSize); err != nil {
			return nil, err
		}
	}
	tree := wTree{
		kind: 0, width: 2 * wGroupK, keySize: 8,
		key: func(b []byte, i int) []byte {
			if i == 0 {
				return le.AppendUint64(b, 0)
			}
			return le.AppendUint64(b, last[i-1])
		},
		child: func(i int) uint64 { return first + uint64(i)*nodeSize },
	}
	if g.tree, err = tree.write(g.w, nodes); err != nil {
		return nil, err
	}
	data, err := g.w.put(names)
	if err != nil {
		return nil, err
	}
	h := append(make([]byte, 0, 32), 'H', 'E', 'A', 'P', 0, 0, 0, 0)
	h = le.AppendUint64(h, uint64(len(names)))
	h = le.AppendUint64(h, 1) // no free space
	h = le.AppendUint64(h, data)
	if g.heap, err = g.w.put(h); err != nil {
		return nil, err
	}
	body := le.AppendUint64(nil, g.tree)
	return []wMessage{{kind: msgSymbolTable, body: le.AppendUint64(body, g.heap)}}, nil
}

// encEntry appends a symbol table entry. That of a group repeats where its
// symbol table lies, if that is known.
func encEntry(b []byte, name uint64, node wNode) []byte {
	le := binary.LittleEndian
	b = le.AppendUint64(b, name)
	b = le.AppendUint64(b, node.base().addr)
	g, ok := node.(*GroupWriter)
	if !ok || g.tree == undefined || g.heap == undefined {
		return append(b, make([]byte, 24)...)
	}
	b = le.AppendUint32(b, 1)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint64(b, g.tree)
	return le.AppendUint64(b, g.heap)
}

func encSoftEntry(b []byte, name, target uint64) []byte {
	le := binary.LittleEndian
	b = le.AppendUint64(b, name)
	b = le.AppendUint64(b, undefined)
	b = le.AppendUint32(b, 2)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, uint32(target))
	return append(b, make([]byte, 12)...)
}

// entry appends the symbol table entry of the group.
func (g *GroupWriter) entry(b []byte, name uint64) []byte { return encEntry(b, name, g) }
