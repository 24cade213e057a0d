package hdf5

type v4Index struct{ kind uint8 }

func parseV4Index(c *cursor, f *File, flags uint8) (v4Index, error) {
	return v4Index{}, unsupportedf("v4")
}

func (f *File) readV4Index(ix v4Index, grid, maxGrid []uint64, chunkBytes uint64, filtered bool, add func(chunkRef) error) error {
	return unsupportedf("v4")
}

type fractalHeap struct{ idLen int }

func (f *File) fractalHeap(addr uint64) (*fractalHeap, error) { return nil, unsupportedf("heap") }

func (h *fractalHeap) object(id []byte) ([]byte, error) { return nil, unsupportedf("heap") }
