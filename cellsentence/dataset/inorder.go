package dataset

// inOrder makes something of blocks beside each other and emits it in their order.
type inOrder[T any] struct {
	jobs    int
	make    func(*Batch) (T, error)
	emit    func(*Batch, T) error // on the caller's goroutine
	waiting []chan made[T]
	err     error // the first
}

type made[T any] struct {
	rows *Batch
	what T
	err  error
}

// write takes a block over. It returns one that is free, or nil while fewer than jobs
// are in work.
func (o *inOrder[T]) write(b *Batch) (*Batch, error) {
	done := make(chan made[T], 1)
	go func() {
		var m made[T]
		m.rows = b
		m.err = guard(func() (err error) {
			m.what, err = o.make(b)
			return err
		})
		done <- m
	}()
	o.waiting = append(o.waiting, done)
	if len(o.waiting) < o.jobs {
		return nil, o.err
	}
	return o.next()
}

// next emits the oldest block.
func (o *inOrder[T]) next() (*Batch, error) {
	m := <-o.waiting[0]
	o.waiting = o.waiting[1:]
	if o.err == nil {
		o.err = m.err
	}
	if o.err == nil {
		o.err = o.emit(m.rows, m.what)
	}
	return m.rows, o.err
}

// flush emits all blocks.
func (o *inOrder[T]) flush() error {
	for len(o.waiting) > 0 {
		_, _ = o.next() // the first error stays
	}
	return o.err
}
