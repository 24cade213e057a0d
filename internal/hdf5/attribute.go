package hdf5

import "fmt"

// Attr is an attribute: a small value beside an object.
type Attr struct {
	Name  string
	Type  *Datatype
	Space Space
	// Err says why the value cannot be read; Type and Space may then be unset.
	Err error

	file *File
	path string
	raw  []byte
}

// Attrs implements [Object].
func (o *object) Attrs() ([]*Attr, error) {
	var out []*Attr
	for _, m := range o.hdr.messages {
		switch m.kind {
		case msgAttribute:
			if m.shared() {
				return nil, o.fail(unsupportedf("shared attributes; h5repack rewrites the file without them"))
			}
			a, err := o.parseAttr(m.body)
			if err != nil {
				return nil, o.fail(err)
			}
			out = append(out, a)
		case msgAttrInfo:
			dense, err := o.denseAttrs(m.body)
			if err != nil {
				return nil, o.fail(err)
			}
			out = append(out, dense...)
		}
	}
	return out, nil
}

// Attr implements [Object].
func (o *object) Attr(name string) (*Attr, error) {
	all, err := o.Attrs()
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if a.Name == name {
			return a, a.Err
		}
	}
	return nil, o.fail(fmt.Errorf("attribute %q: %w", name, ErrNotFound))
}

// parseAttr reads an attribute message. Only a message whose name cannot be told
// is an error; what is wrong within one attribute stays with that attribute.
func (o *object) parseAttr(b []byte) (*Attr, error) {
	c := &cursor{b: b}
	version, flags := c.u8(), c.u8()
	nName, nType, nSpace := int(c.u16()), int(c.u16()), int(c.u16())
	pad := func(n int) int { return n }
	switch version {
	case 1:
		flags = 0
		pad = func(n int) int { return (n + 7) / 8 * 8 }
	case 2:
	case 3:
		c.skip(1) // character set of the name
	default:
		return nil, unsupportedf("attribute message version %d", version)
	}
	a := &Attr{file: o.file, path: o.path, Name: cString(c.bytes(pad(nName)))}
	typ, space := c.bytes(pad(nType)), c.bytes(pad(nSpace))
	if err := c.err("attribute message"); err != nil {
		return nil, err
	}
	fail := func(err error) (*Attr, error) {
		a.Err = o.fail(fmt.Errorf("attribute %q: %w", a.Name, err))
		return a, nil
	}
	var err error
	if a.Type, err = o.file.datatype(typ, flags&1 != 0, 0); err != nil {
		return fail(err)
	}
	if flags&2 != 0 {
		return fail(unsupportedf("shared dataspace"))
	}
	if a.Space, err = o.file.parseSpace(space); err != nil {
		return fail(err)
	}
	n, _ := a.Space.Elements()
	size, ok := product([]uint64{n, uint64(a.Type.Size)})
	if rest := c.rest(); !ok || size > uint64(len(rest)) {
		return fail(corruptf("%d elements of %d bytes in %d bytes", n, a.Type.Size, len(rest)))
	}
	a.raw = c.bytes(int(size))
	return a, nil
}

// Data is the attribute's value.
func (a *Attr) Data() (*Data, error) {
	if a.Err != nil {
		return nil, a.Err
	}
	n, _ := a.Space.Elements()
	return &Data{
		Type: a.Type, Space: a.Space, file: a.file, path: a.path + "@" + a.Name,
		raw: a.raw, stride: a.Type.Size, n: int(n),
	}, nil
}

// Text is the value of a scalar (or one-element) string attribute.
func (a *Attr) Text() (string, error) {
	d, err := a.Data()
	if err != nil {
		return "", err
	}
	s, err := d.Strings()
	if err != nil {
		return "", err
	}
	if len(s) != 1 {
		return "", d.fail(typef("expected one string, found %d", len(s)))
	}
	return s[0], nil
}

// Strings is the value of an attribute of strings. An empty attribute of any
// type gives none: anndata writes the column order of a frame without columns
// as an empty float64 array.
func (a *Attr) Strings() ([]string, error) {
	d, err := a.Data()
	if err != nil {
		return nil, err
	}
	if d.Len() == 0 {
		return nil, nil
	}
	return d.Strings()
}

// Ints is the value of an attribute of integers.
func (a *Attr) Ints() ([]int64, error) {
	d, err := a.Data()
	if err != nil {
		return nil, err
	}
	return Numbers[int64](d)
}
