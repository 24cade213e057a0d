package journal

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/ncruces/go-sqlite3"
)

// Merge adds the answers of other journals to the one at dst, which need not exist,
// and returns how many it did not have. Where two differ, as those of a model that
// does not repeat may, the one that is there stays: results may rest on it. The
// sources are not changed, except that what a killed process left in their logs is
// brought home. What was claimed stays so: all of them must be of one owner, or of none,
// else the error is an [*OwnerError] and nothing is added. Each source is added in transactions of 1,000 answers: a merge that
// was interrupted is completed by doing it again.
func Merge(ctx context.Context, dst string, sources ...string) (added int64, err error) {
	for _, src := range sources {
		// Opening would begin a new one.
		s, err := os.Stat(src)
		if err != nil {
			return 0, fail(src, err)
		}
		if d, err := os.Stat(dst); err == nil && os.SameFile(s, d) {
			return 0, &Error{File: src, Err: errors.New("a journal cannot be merged into itself"), bad: true}
		}
	}
	owner, err := ownerOf(ctx, sources)
	if err != nil {
		return 0, err
	}
	j, err := Open(ctx, dst)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if had, err := j.owner(); err != nil {
		return 0, err
	} else if owner == "" && had != "" {
		return 0, &OwnerError{File: dst, Owner: had}
	}
	if owner != "" {
		if err := j.Claim(owner); err != nil {
			return 0, err
		}
	}
	for _, src := range sources {
		n, err := j.merge(ctx, src)
		added += n
		if err != nil {
			return added, err
		}
	}
	return added, nil
}

// merge copies in the order of the source's rows, which has no meaning.
func (j *Journal) merge(ctx context.Context, src string) (added int64, err error) {
	from, err := Open(ctx, src)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	s, _, err := from.db.Prepare(`SELECT key, kind, model, text, data FROM answers`)
	if err != nil {
		return 0, fail(src, err)
	}
	defer func() { _ = s.Close() }()
	const most, bytes = 1000, 16 << 20
	for more := true; more; {
		if ctx.Err() != nil {
			return added, context.Cause(ctx)
		}
		var rows []*row
		for size := 0; len(rows) < most && size < bytes; {
			if more = s.Step(); !more {
				break
			}
			r, err := scan(s)
			if err != nil {
				return added, fail(src, err)
			}
			rows = append(rows, r)
			size += len(r.text) + len(r.data)
		}
		if err := s.Err(); err != nil {
			return added, fail(src, err)
		}
		j.mu.Lock()
		n, err := j.write(j.add, rows)
		j.mu.Unlock()
		if err != nil {
			return added, err
		}
		added += n
	}
	return added, nil
}

func scan(s *sqlite3.Stmt) (*row, error) {
	k := s.ColumnRawBlob(0)
	if len(k) != len(key{}) {
		return nil, fmt.Errorf("%w: a key has %d bytes", errRow, len(k))
	}
	return &row{key: key(k), kind: s.ColumnText(1), model: s.ColumnText(2), text: s.ColumnText(3), data: s.ColumnBlob(4, nil)}, nil
}
