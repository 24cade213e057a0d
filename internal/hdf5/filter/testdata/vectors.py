"""Writes ../vectors_test.go: chunks as h5py writes them. Run: python3 vectors.py > ../vectors_test.go; gofumpt -w it."""
import h5py, numpy as np

print('''package filter_test

import "github.com/cellsentence/c2s/internal/hdf5/filter"

// h5pyChunks are chunks of np.arange(n) %% 5 as h5py %s (libhdf5 %s) wrote them.
var h5pyChunks = []struct {
	name, chunk, data string
	pipeline          filter.Pipeline
	checked           bool // damage is always noticed
}{''' % (h5py.__version__, h5py.version.hdf5_version))
cases = [(40, '<f4', dict(compression='gzip')), (40, '<f4', dict(compression='gzip', shuffle=True, fletcher32=True)),
         (60, '<i8', dict(compression='lzf')), (60, '<i8', dict(compression='lzf', shuffle=True)),
         (13, 'u1', dict(fletcher32=True)), (700, '<u2', dict(fletcher32=True, compression='gzip', shuffle=True))]
with h5py.File('vectors', 'w', driver='core', backing_store=False) as f:
    for i, (n, dt, kw) in enumerate(cases):
        a = (np.arange(n) % 5).astype(dt)
        mask, chunk = f.create_dataset(str(i), data=a, chunks=(n,), **kw).id.read_direct_chunk((0,))
        assert mask == 0, kw
        filters = [x for x, used in (('{ID: filter.Shuffle, Client: []uint32{%d}}' % a.dtype.itemsize, kw.get('shuffle')),
                                     ('{ID: filter.Deflate}', kw.get('compression') == 'gzip'),
                                     ('{ID: filter.LZF}', kw.get('compression') == 'lzf'),
                                     ('{ID: filter.Fletcher32}', kw.get('fletcher32'))) if used]
        print('\t{"%s %s", "%s", "%s", filter.Pipeline{%s}, %s},' % (dt, ' '.join(kw), chunk.hex(), a.tobytes().hex(),
              ', '.join(filters), 'true' if kw.get('fletcher32') else 'false'))
print('}')
