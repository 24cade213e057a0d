// Package journal keeps every answer of a model, so that none is asked for twice.
//
// Start with [Open], then [Journal.Wrap] a llm.Backend: what it generates, scores and
// embeds is stored before it is returned, and comes from the journal from then on.
// A run that was killed and is started again asks at most for what was in flight.
// [Merge] unites the journals of runs that worked side by side.
//
// A journal is an SQLite 3 database that any tool opens while no run does:
//
//	CREATE TABLE answers (
//	  key   BLOB PRIMARY KEY,  -- SHA-256 of kind, model, prompt and options
//	  kind  TEXT NOT NULL,     -- generate, score, embed
//	  model TEXT NOT NULL,     -- its digest, or its name if it has none
//	  text  TEXT,              -- JSON: the answer without its tokens, or the scores
//	  data  BLOB               -- zlib: JSON of the tokens; or the vector, float32, little endian
//	)
//
// Prompts are not in it. On local disks it is written ahead (WAL): a killed process
// loses nothing that was returned, and when the machine itself stops, the last
// answers may be missing but the rest is sound. Elsewhere, where shared memory and
// the order of writes cannot be relied on, it has a rollback journal and every
// answer is synced.
package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"github.com/cellsentence/c2s/internal/disk"
)

const (
	application = 0x63327361 // "c2sa", in the database's header
	version     = 1
	// maxRow bounds what is read of a journal at a time: answers have kilobytes,
	// 100,000 tokens with alternatives some megabytes.
	maxRow = 64 << 20
)

// Journal is an open journal. It is safe for concurrent use, and no other process
// can open it meanwhile.
type Journal struct {
	path string

	mu       sync.Mutex // of the database
	db       *sqlite3.Conn
	get      *sqlite3.Stmt
	put, add *sqlite3.Stmt // replaces what is there, keeps it

	next struct { // the rows that the next transaction writes
		sync.Mutex
		*group
	}
	flights struct { // what is being asked for
		sync.Mutex
		by map[key]chan struct{}
	}
}

// Error is an error of a journal's file.
type Error struct {
	File string
	Err  error
	tip  string
	bad  bool
}

// Error is "file: reason".
func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.File, e.Err) }

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// BadInput reports whether the file, rather than the machine, is at fault.
func (e *Error) BadInput() bool { return e.bad }

// Hint is what can be done, "" for nothing.
func (e *Error) Hint() string { return e.tip }

// ErrClosed is returned by a journal that was closed.
var ErrClosed = errors.New("the journal is closed")

const roomTip = "make room and run again: what the journal holds is safe"

func fail(path string, err error) error {
	e := &Error{File: path, Err: err}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sqlite3.BUSY):
		e.Err = errors.New("another process has the journal open")
		e.tip = "wait for it, or give each process a journal of its own and merge them later"
	case errors.Is(err, sqlite3.FULL), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.Err = fmt.Errorf("the disk is full: %w", err)
		e.tip = roomTip
	case errors.Is(err, sqlite3.IOERR_LOCK), errors.Is(err, sqlite3.IOERR_RDLOCK), errors.Is(err, sqlite3.PROTOCOL):
		e.tip = "this file system cannot lock files: keep the journal on a local disk, and merge journals afterwards"
	case errors.Is(err, sqlite3.IOERR): // the cause may be lost when the transaction is rolled back
		e.tip = "the disk may be full: " + roomTip
	case errors.Is(err, sqlite3.NOTADB), errors.Is(err, sqlite3.CORRUPT), errors.Is(err, sqlite3.TOOBIG), errors.Is(err, errRow):
		e.bad, e.tip = true, "name another journal; sqlite3's .recover may save what this one holds"
	}
	return e
}

// Open opens a journal, or begins one that only its owner may read. The error is an
// [*Error].
func Open(ctx context.Context, path string) (*Journal, error) {
	local, err := disk.Local(filepath.Dir(path))
	if err != nil {
		return nil, fail(path, err)
	}
	return open(ctx, path, local)
}

func open(ctx context.Context, path string, local bool) (*Journal, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fail(path, err)
	}
	f, err := os.OpenFile(full, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case err == nil:
		if err := f.Close(); err != nil {
			return nil, fail(path, err)
		}
	case !errors.Is(err, fs.ErrExist):
		return nil, fail(path, err)
	}
	j := &Journal{path: path}
	j.flights.by = map[key]chan struct{}{}
	j.db, err = sqlite3.OpenFlags(address(full), sqlite3.OPEN_READWRITE|sqlite3.OPEN_URI)
	if err != nil {
		return nil, fail(path, err)
	}
	j.db.SetInterrupt(ctx)
	if err := j.begin(local); err != nil {
		_ = j.db.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fail(path, err)
	}
	j.db.SetInterrupt(context.Background())
	return j, nil
}

// address is the URI of a database. Its parameter gives the log beside the file the
// file's mode: it holds answers as well.
func address(full string) string {
	slashed := filepath.ToSlash(full)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/…
	}
	mode := strings.ReplaceAll(url.QueryEscape(full), "+", "%20") // SQLite takes + for itself
	return (&url.URL{Scheme: "file", Path: slashed, RawQuery: "modeof=" + mode}).String()
}

// begin takes the file for this process, checks what it is, and makes the table.
func (j *Journal) begin(local bool) error {
	j.db.Limit(sqlite3.LIMIT_LENGTH, maxRow)
	// The lock is never given back, so that the end of the process frees it and nothing
	// else does; the write-ahead log then needs no shared memory.
	if err := j.db.Exec(`PRAGMA locking_mode = EXCLUSIVE`); err != nil {
		return err
	}
	var state [3]string
	for i, query := range []string{`PRAGMA application_id`, `PRAGMA user_version`, `SELECT count(*) FROM sqlite_schema`} {
		var err error
		if state[i], err = j.value(query); err != nil {
			return err
		}
	}
	create := ""
	switch app, v := strconv.Itoa(application), strconv.Itoa(version); {
	case state == [3]string{"0", "0", "0"}:
		create = fmt.Sprintf(`CREATE TABLE answers (key BLOB PRIMARY KEY, kind TEXT NOT NULL, model TEXT NOT NULL, text TEXT, data BLOB);
			PRAGMA application_id = %s; PRAGMA user_version = %s;`, app, v)
	case state[0] != app:
		return fmt.Errorf("%w: it is a database of something else", errRow)
	case state[1] != v:
		return fmt.Errorf("%w: it has version %s, this program writes version %s", errRow, state[1], v)
	}
	mode := "DELETE"
	if local {
		mode = "WAL"
	}
	got, err := j.value(`PRAGMA journal_mode = ` + mode)
	if err != nil {
		return err
	}
	sync := "FULL"
	if got == "wal" { // sound without: only the last answers would be missing
		sync = "NORMAL"
	}
	// The transaction takes the lock, even if there is nothing to write.
	if err := j.db.Exec(`PRAGMA synchronous = ` + sync + `; BEGIN EXCLUSIVE; ` + create + ` COMMIT`); err != nil {
		return err
	}
	if j.get, _, err = j.db.Prepare(`SELECT text, data FROM answers WHERE key = ?`); err != nil {
		return fmt.Errorf("%w: %w", errRow, err)
	}
	const insert = `INSERT INTO answers (key, kind, model, text, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO `
	if j.put, _, err = j.db.Prepare(insert + `UPDATE SET text = excluded.text, data = excluded.data`); err != nil {
		return err
	}
	j.add, _, err = j.db.Prepare(insert + `NOTHING`)
	return err
}

// value is the answer to a query that has one row and column.
func (j *Journal) value(query string) (string, error) {
	s, _, err := j.db.Prepare(query)
	if err != nil {
		return "", err
	}
	defer func() { _ = s.Close() }() // it says again what Err said
	v := ""
	if s.Step() {
		v = s.ColumnText(0)
	}
	return v, s.Err()
}

// Len counts the answers.
func (j *Journal) Len() (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.db == nil {
		return 0, fail(j.path, ErrClosed)
	}
	v, err := j.value(`SELECT count(*) FROM answers`)
	if err != nil {
		return 0, fail(j.path, err)
	}
	return strconv.Atoi(v)
}

// Close closes the file. What was returned is in it already.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.db == nil {
		return nil
	}
	err := errors.Join(j.get.Close(), j.put.Close(), j.add.Close(), j.db.Close())
	j.db = nil
	return fail(j.path, err)
}

// find reads an answer; nil says that there is none.
func (j *Journal) find(k key) (*row, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.db == nil {
		return nil, fail(j.path, ErrClosed)
	}
	defer func() { _ = j.get.Reset() }()
	if err := j.get.BindBlob(1, k[:]); err != nil {
		return nil, fail(j.path, err)
	}
	if !j.get.Step() {
		return nil, fail(j.path, j.get.Err())
	}
	return &row{key: k, text: j.get.ColumnText(0), data: j.get.ColumnBlob(1, nil)}, nil
}

// group is rows that one transaction writes.
type group struct {
	rows    []*row
	written bool
	err     error
}

// store writes rows and returns when they are in the file. Those that come while
// another transaction is under way go together in the next one: whoever gets the
// database first writes them for all.
func (j *Journal) store(rows ...*row) error {
	j.next.Lock()
	if j.next.group == nil {
		j.next.group = &group{}
	}
	g := j.next.group
	g.rows = append(g.rows, rows...)
	j.next.Unlock()

	j.mu.Lock()
	defer j.mu.Unlock()
	if g.written {
		return g.err
	}
	j.next.Lock()
	j.next.group = nil
	j.next.Unlock()
	g.written = true
	_, g.err = j.write(j.put, g.rows)
	return g.err
}

// write runs one transaction, all of it or nothing, and counts the rows that are
// new or changed. j.mu is held.
func (j *Journal) write(into *sqlite3.Stmt, rows []*row) (changed int64, err error) {
	if j.db == nil {
		return 0, fail(j.path, ErrClosed)
	}
	before := j.db.TotalChanges()
	tx, err := j.db.BeginImmediate()
	if err != nil {
		return 0, fail(j.path, err)
	}
	defer func() {
		tx.End(&err) // commits, or rolls back if there was an error
		err = fail(j.path, err)
	}()
	for _, r := range rows {
		if err := r.bind(into); err != nil {
			return 0, err
		}
		if err := into.Exec(); err != nil {
			return 0, err
		}
	}
	return j.db.TotalChanges() - before, nil
}
