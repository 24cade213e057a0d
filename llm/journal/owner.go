package journal

import (
	"context"
	"errors"
	"fmt"
)

// OwnerError means that a journal belongs to something else.
type OwnerError struct {
	File string
	// Owner is what it belongs to, "" where its answers belong to nobody.
	Owner, Wanted string
}

// Error names both.
func (e *OwnerError) Error() string {
	switch {
	case e.Owner == "":
		return fmt.Sprintf("%s: the journal holds answers of other work", e.File)
	case e.Wanted == "":
		return fmt.Sprintf("%s: the journal is of %s", e.File, e.Owner)
	}
	return fmt.Sprintf("%s: the journal is of %s, and not of %s", e.File, e.Owner, e.Wanted)
}

// BadInput is true: another journal has to be named.
func (e *OwnerError) BadInput() bool { return true }

// Hint says so.
func (e *OwnerError) Hint() string { return "name a journal of its own with --journal FILE" }

// Claim makes a journal that of one piece of work, such as the plan of a screen, so that
// the answers of different work are not mixed. It fails with an [*OwnerError] if the
// journal belongs to another owner, or has answers and belongs to none.
func (j *Journal) Claim(owner string) error {
	n, err := j.Len()
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.db == nil {
		return fail(j.path, ErrClosed)
	}
	if err := j.db.Exec(`CREATE TABLE IF NOT EXISTS owner (name TEXT NOT NULL)`); err != nil {
		return fail(j.path, err)
	}
	had, err := j.value(`SELECT name FROM owner`)
	switch {
	case err != nil:
		return fail(j.path, err)
	case had == owner:
		return nil
	case had != "" || n > 0:
		return &OwnerError{File: j.path, Owner: had, Wanted: owner}
	}
	return fail(j.path, j.name(owner))
}

func (j *Journal) name(owner string) error {
	s, _, err := j.db.Prepare(`INSERT INTO owner (name) VALUES (?)`)
	if err != nil {
		return err
	}
	err = s.BindText(1, owner)
	if err == nil {
		err = s.Exec()
	}
	return errors.Join(err, s.Close())
}

// owner is what the journal belongs to, "" for nothing.
func (j *Journal) owner() (string, error) {
	table, err := j.value(`SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'owner'`)
	if err != nil || table == "" {
		return "", fail(j.path, err)
	}
	name, err := j.value(`SELECT name FROM owner`)
	return name, fail(j.path, err)
}

// ownerOf is the one owner that journals have, "" if they have none.
func ownerOf(ctx context.Context, paths []string) (string, error) {
	first := ""
	for i, path := range paths {
		j, err := Open(ctx, path)
		if err != nil {
			return "", err
		}
		name, err := j.owner()
		if err = errors.Join(err, j.Close()); err != nil {
			return "", err
		}
		if i == 0 {
			first = name
		}
		if name != first {
			return "", &OwnerError{File: path, Owner: name, Wanted: first}
		}
	}
	return first, nil
}
