package hdf5

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
)

// The reasons why the writer refuses a call, beside those of the reader.
var (
	// ErrExists means that the group already has a link of that name.
	ErrExists = errors.New("already exists")
	// ErrInvalid means that the parts of a call contradict one another or the
	// format.
	ErrInvalid = errors.New("invalid")
	// ErrTooLarge means that a value exceeds what the file format can hold.
	ErrTooLarge = errors.New("too large")
	// ErrClosed means that the writer or the dataset was closed before the call.
	ErrClosed = errors.New("already closed")

	errAborted = errors.New("writing was given up")
)

func wInvalidf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Sizes of the superblock of version 0 with 8-byte offsets and lengths, and the
// branching of the B-trees that it announces. These are the values that h5py
// writes, so that files can be extended by any library.
const (
	wSuperblockSize = 96
	wLeafK          = 4  // a symbol table node holds 2 × wLeafK links
	wGroupK         = 16 // a node of a group's B-tree has 2 × wGroupK children
	wChunkK         = 32 // the same for chunks; superblock 0 cannot say otherwise
)

// WriteOptions says how a file is written. The zero value is good.
type WriteOptions struct {
	// Name is the file's name in errors.
	Name string
	// Workers is how many chunks are compressed at the same time; 0 means as
	// many as there are processors. It does not change the bytes of the file.
	Workers int
	// UserBlock is put before the HDF5 data, padded with zeros to 512 bytes or
	// the next larger power of two. Empty means none.
	UserBlock []byte
}

// Writer writes a new HDF5 file in the oldest form of the format (superblock 0,
// version 1 object headers, symbol tables, version 1 B-trees), which every
// library reads. Data go to the file as they come; what describes them is
// written by [Writer.Close], and a file that was not closed is no HDF5 file.
//
// A Writer, its groups and its datasets are used by one goroutine at a time. The
// same calls give the same bytes at any number of workers.
//
// Once writing has failed, every later call returns the same error.
type Writer struct {
	name  string
	out   wBuffer
	base  uint64 // bytes of the user block; addresses count from its end
	end   uint64 // first address not given out yet
	queue wQueue
	heap  wHeap
	root  *GroupWriter

	objects  []wNode // in the order of creation
	deferred []func() error
	err      error
	closed   bool
}

// wNode is an object of the file that is written: a group, a dataset or a type.
type wNode interface {
	ObjectWriter
	base() *wObject
	// finish writes all that the object header points at and returns the
	// header's messages without the attributes.
	finish() ([]wMessage, error)
}

// NewWriter starts an HDF5 file in out, which should be empty; if it has a
// method Truncate(int64) error, as [os.File] does, Close cuts it to the length
// of the new file. Renaming the finished file into place is up to the caller.
func NewWriter(out io.WriterAt, opts WriteOptions) (*Writer, error) {
	w := &Writer{name: opts.Name, out: wBuffer{to: out}}
	workers := opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	w.queue.init(w, workers)
	w.heap.w = w
	if n := len(opts.UserBlock); n > 0 {
		w.base = 512
		for w.base < uint64(n) {
			w.base *= 2
		}
		block := make([]byte, w.base)
		copy(block, opts.UserBlock)
		if err := w.out.writeAt(block, 0); err != nil {
			return nil, w.stop("", err)
		}
	}
	w.end = wSuperblockSize
	w.root = w.newGroup("/")
	return w, nil
}

// Root is the root group.
func (w *Writer) Root() *GroupWriter { return w.root }

// Close writes the rest of the file: partly filled chunks, indexes, attributes,
// object headers, groups and, last, the superblock. It waits for all of the
// writer's goroutines, after a failure as well. The underlying file stays open.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	err := w.finish()
	w.queue.wait()
	w.closed = true
	if err == nil {
		w.err = w.wrap("", ErrClosed)
	}
	return err
}

// Abort gives the file up and waits for all of the writer's goroutines. After
// Close it does nothing, so that it can be deferred.
func (w *Writer) Abort() {
	if !w.closed {
		_ = w.stop("", errAborted)
		_ = w.Close()
	}
}

func (w *Writer) finish() error {
	for _, fn := range w.deferred {
		if w.err == nil {
			_ = fn() // a failure is kept in w.err
		}
	}
	for _, o := range w.objects {
		if d, ok := o.(*DatasetWriter); ok && w.err == nil {
			if err := d.Close(); err != nil {
				return w.stop(d.path, err)
			}
		}
	}
	if err := w.drain(); err != nil {
		return err
	}
	for _, o := range w.objects {
		if err := o.base().place(); err != nil {
			return w.stop(o.Path(), err)
		}
	}
	// Groups come before their members in w.objects: backwards, a group finds
	// the tables of its subgroups written.
	for _, o := range slices.Backward(w.objects) {
		if err := w.writeHeader(o); err != nil {
			return w.stop(o.Path(), err)
		}
	}
	if err := w.heap.flush(); err != nil {
		return w.stop("", err)
	}
	if err := w.writeAt(w.superblock(), 0); err != nil {
		return w.stop("", err)
	}
	if err := w.out.finish(int64(w.base + w.end)); err != nil {
		return w.stop("", err)
	}
	return nil
}

func (w *Writer) superblock() []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, wSuperblockSize)
	b = append(b, signature...)
	b = append(b, 0, 0, 0, 0, 0, 8, 8, 0)
	b = le.AppendUint16(b, wLeafK)
	b = le.AppendUint16(b, wGroupK)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint64(b, w.base)
	b = le.AppendUint64(b, undefined) // free space is not recorded
	b = le.AppendUint64(b, w.base+w.end)
	b = le.AppendUint64(b, undefined) // no driver information
	return w.root.entry(b, 0)
}

// alloc gives out n bytes at the end of the file. Where they lie must not depend
// on how fast chunks are compressed: those under way come first.
func (w *Writer) alloc(n uint64) (addr uint64, err error) {
	if err := w.drain(); err != nil {
		return 0, err
	}
	return w.extend(n)
}

// extend gives out n bytes, rounded up to a multiple of 8, whatever the queue
// holds.
func (w *Writer) extend(n uint64) (addr uint64, err error) {
	if n > 1<<62 || w.end > 1<<62 {
		return 0, fmt.Errorf("%w: file of more than 2^62 bytes", ErrTooLarge)
	}
	addr = w.end
	w.end += (n + 7) &^ 7
	return addr, nil
}

// writeAt writes b at an address of the file.
func (w *Writer) writeAt(b []byte, addr uint64) error {
	return w.out.writeAt(b, int64(w.base+addr))
}

// put appends b to the file.
func (w *Writer) put(b []byte) (addr uint64, err error) {
	if addr, err = w.alloc(uint64(len(b))); err != nil {
		return 0, err
	}
	return addr, w.writeAt(b, addr)
}

// drain waits until every chunk handed to the queue is in the file.
func (w *Writer) drain() error {
	if w.err != nil {
		return w.err
	}
	return w.queue.drain()
}

// ready says why no further call is possible, if so.
func (w *Writer) ready() error { return w.err }

// wrap names the place of an error, once.
func (w *Writer) wrap(object string, err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return &Error{File: w.name, Object: object, Err: err}
}

// stop records an error after which the file cannot be finished.
func (w *Writer) stop(object string, err error) error {
	if w.err == nil {
		w.err = w.wrap(object, err)
		w.queue.cancel()
	}
	return w.err
}
