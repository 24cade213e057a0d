package hdf5

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// Options says how a file is read. The zero value is good.
type Options struct {
	// Name is the file's name in errors; Open sets it to the path.
	Name string
	// Workers is how many chunks are decoded at the same time; 0 means as many
	// as there are processors.
	Workers int
	// CacheBytes bounds the decoded chunks that are kept for the next read of a
	// dataset, because only a part of them was asked for; 0 means 32 MiB. A
	// single chunk larger than that is still kept.
	CacheBytes int64
	// NoMap reads contiguous data with pread even from a local file.
	NoMap bool
}

// File is an open HDF5 file. Its methods may be called from several goroutines.
type File struct {
	name    string
	src     *source
	sb      superblock
	closer  io.Closer
	osFile  *os.File // for mapping; nil when the reader is not a local file
	workers int
	cache   int64
	noMap   bool

	decoders sync.Pool // *scratch

	mu    sync.Mutex
	heaps map[uint64]*collection // recently used global heap collections
	bytes int64                  // bytes held in heaps
}

// Open opens the file at path for reading.
func Open(path string, opts Options) (*File, error) {
	opts.Name = path
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	h, err := NewReader(f, st.Size(), opts)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	h.closer, h.osFile = f, f
	return h, nil
}

// NewReader reads the HDF5 file of size bytes behind r, which must allow
// concurrent calls, as [io.ReaderAt] demands.
func NewReader(r io.ReaderAt, size int64, opts Options) (*File, error) {
	f := &File{
		name: opts.Name, src: newSource(r, size), workers: opts.Workers,
		cache: opts.CacheBytes, noMap: opts.NoMap, heaps: make(map[uint64]*collection),
	}
	if f.workers <= 0 {
		f.workers = runtime.GOMAXPROCS(0)
	}
	if f.cache <= 0 {
		f.cache = 32 << 20
	}
	f.decoders.New = func() any { return &scratch{dec: new(filter.Decoder)} }
	var err error
	if f.sb, err = findSuperblock(f.src); err != nil {
		return nil, f.fail("", err)
	}
	return f, nil
}

// Close closes the file. Views of it must have been released.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Name is the path given to Open.
func (f *File) Name() string { return f.name }

// Size is the size of the file in bytes.
func (f *File) Size() int64 { return f.src.size }

// UserBlock is the size in bytes of the block before the HDF5 data, 0 if none.
func (f *File) UserBlock() int64 { return int64(f.sb.base) }

// at reads metadata at an address of the file.
func (f *File) at(addr, n uint64) ([]byte, error) {
	if addr > undefined-f.sb.base {
		return nil, corruptf("address %d", addr)
	}
	return f.src.at(f.sb.base+addr, n)
}

// fail wraps an error with its place, once.
func (f *File) fail(object string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return &Error{File: f.name, Object: object, Err: err}
}

// Object is what a name in a group stands for: a [*Group], a [*Dataset] or a
// [*NamedType].
type Object interface {
	// Path is the absolute path by which the object was reached.
	Path() string
	// Addr identifies the object within its file: two paths to one object have
	// one address.
	Addr() uint64
	// Attrs lists the attributes in the order of the file. An attribute that
	// cannot be read is listed with its error in Err.
	Attrs() ([]*Attr, error)
	// Attr is the attribute of that name, or an error with ErrNotFound.
	Attr(name string) (*Attr, error)
}

// object is what groups, datasets and named types share.
type object struct {
	file *File
	path string
	hdr  *header
}

func (o *object) Path() string { return o.path }

func (o *object) Addr() uint64 { return o.hdr.addr }

func (o *object) fail(err error) error { return o.file.fail(o.path, err) }

// NamedType is a committed datatype.
type NamedType struct {
	object
	Type *Datatype
}

// Root is the root group.
func (f *File) Root() (*Group, error) {
	o, err := f.object(f.sb.root, "/")
	if err != nil {
		return nil, err
	}
	g, ok := o.(*Group)
	if !ok {
		return nil, f.fail("/", corruptf("the root is not a group"))
	}
	return g, nil
}

// Lookup finds an object by its absolute path.
func (f *File) Lookup(path string) (Object, error) {
	g, err := f.Root()
	if err != nil {
		return nil, err
	}
	return g.lookup(path, 0)
}

// object opens the object whose header is at addr.
func (f *File) object(addr uint64, path string) (Object, error) {
	h, err := f.readHeader(addr)
	if err != nil {
		return nil, f.fail(path, err)
	}
	o := object{file: f, path: path, hdr: h}
	if _, ok := h.find(msgLayout); ok {
		d := &Dataset{object: o}
		return d, f.fail(path, d.init())
	}
	if _, ok := h.find(msgDataspace); ok {
		return nil, f.fail(path, corruptf("dataset without a layout"))
	}
	for _, kind := range []uint16{msgSymbolTable, msgLinkInfo, msgLink, msgGroupInfo} {
		if _, ok := h.find(kind); ok {
			return &Group{object: o}, nil
		}
	}
	if m, ok := h.find(msgDatatype); ok {
		t, err := f.datatype(m.body, m.shared(), 0)
		if err != nil {
			return nil, f.fail(path, err)
		}
		return &NamedType{o, t}, nil
	}
	return nil, f.fail(path, corruptf("neither a group nor a dataset nor a datatype"))
}

// datatype parses a datatype message, or follows it to a committed datatype.
func (f *File) datatype(body []byte, shared bool, depth int) (*Datatype, error) {
	if !shared {
		return parseDatatype(body)
	}
	if depth > 8 {
		return nil, corruptf("committed datatypes form a loop")
	}
	c := &cursor{b: body}
	version, kind := c.u8(), c.u8()
	switch {
	case version == 1:
		c.skip(6)
	case version == 2, version == 3 && kind == 2:
	case version == 3 && kind == 1:
		return nil, unsupportedf("shared object header messages; h5repack rewrites the file without them")
	default:
		return nil, unsupportedf("shared message version %d type %d", version, kind)
	}
	addr := c.addr(f.sb.offsetSize)
	if err := c.err("shared message"); err != nil {
		return nil, err
	}
	h, err := f.readHeader(addr)
	if err != nil {
		return nil, err
	}
	m, ok := h.find(msgDatatype)
	if !ok {
		return nil, corruptf("a committed datatype at address %d has no datatype", addr)
	}
	return f.datatype(m.body, m.shared(), depth+1)
}

// join appends a name to a path.
func join(path, name string) string {
	if strings.HasSuffix(path, "/") {
		return path + name
	}
	return path + "/" + name
}

// borrow takes scratch memory for one goroutine.
func (f *File) borrow() *scratch { return f.decoders.Get().(*scratch) }

func (f *File) giveBack(s *scratch) { f.decoders.Put(s) }
