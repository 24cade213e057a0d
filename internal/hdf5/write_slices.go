package hdf5

import (
	"context"
	"fmt"
)

// wStringBatch is how many strings are put into the file at a time.
const wStringBatch = 4096

// AppendNumbers appends numbers to a dataset of the same type.
func AppendNumbers[T Number](ctx context.Context, d *DatasetWriter, x []T) error {
	if t := d.spec.Type; !wSame[T](t) {
		return d.w.wrap(d.path, typef("%T for elements of type %v of %d bytes", x, t.Class, t.Size))
	}
	return d.Append(ctx, numberBytes(x))
}

// wSame reports whether t is what TypeOf[T] is.
func wSame[T Number](t *Datatype) bool {
	u := TypeOf[T]()
	if t.Class != u.Class || t.Size != u.Size || t.BigEndian && t.Size > 1 || t.BitOffset != 0 || t.Precision != u.Precision {
		return false
	}
	return t.Class == ClassFloat && t.ieee() || t.Class == ClassInteger && t.Signed == u.Signed
}

// AppendBools appends bools to a dataset of type [BoolType].
func AppendBools(ctx context.Context, d *DatasetWriter, x []bool) error {
	if !d.spec.Type.IsBool() {
		return d.w.wrap(d.path, typef("bools for elements of type %v", d.spec.Type.Class))
	}
	return d.Append(ctx, boolBytes(x))
}

// AppendStrings appends strings to a dataset of strings of fixed or variable
// length.
func AppendStrings(ctx context.Context, d *DatasetWriter, x []string) error {
	if err := d.w.ready(); err != nil {
		return err
	}
	t := d.spec.Type
	vlen := t.Class == ClassVLen && t.IsString
	for i, s := range x {
		if err := wCheckText(s); vlen && err != nil {
			return d.w.wrap(d.path, fmt.Errorf("string %d: %w", i, err))
		}
	}
	var b []byte
	for len(x) > 0 {
		var err error
		part := x[:min(len(x), wStringBatch)]
		x = x[len(part):]
		if vlen {
			b, err = d.w.encodeValue(b[:0], &Value{text: part})
			if err != nil {
				return d.w.stop(d.path, err)
			}
		} else if b, err = encFixedStrings(b[:0], t, part); err != nil {
			return d.w.wrap(d.path, err)
		}
		if err := d.Append(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// WriteValue adds a dataset that holds v, whose type and shape replace those of
// spec; what else spec says stands. References by path are written when the
// writer is closed.
func (g *GroupWriter) WriteValue(ctx context.Context, name string, v Value, spec DatasetSpec) (*DatasetWriter, error) {
	if err := v.check(); err != nil {
		return nil, g.w.wrap(join(g.path, name), err)
	}
	spec.Type, spec.Dims, spec.Null = v.typ, v.space.Dims, v.space.Null
	if spec.MaxDims == nil {
		spec.MaxDims = v.space.MaxDims
	}
	d, err := g.CreateDataset(name, spec)
	if err != nil {
		return nil, err
	}
	if v.text != nil {
		if err := AppendStrings(ctx, d, v.text); err != nil {
			return nil, err
		}
		return d, d.Close()
	}
	write := func(ctx context.Context) (err error) {
		b := v.raw
		if len(v.fixes) > 0 {
			if b, err = g.w.encodePatched(nil, v.raw, v.fixes); err != nil {
				return g.w.stop(d.path, err)
			}
		}
		if err := d.Append(ctx, b); err != nil {
			return g.w.stop(d.path, err)
		}
		return d.Close()
	}
	if v.typ.wHas(ClassReference) && len(v.fixes) > 0 {
		g.w.deferred = append(g.w.deferred, func() error { return write(context.Background()) })
		return d, nil
	}
	return d, write(ctx)
}
