package op

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// spillChunk is how many bytes are gathered before they go to the file in one write.
const spillChunk = 256 << 10

// Spill is a temporary file of batches, written once from front to back and
// then read, once or more. The file has no name from the moment it is open, so
// nothing is left behind when the process dies. It belongs to one task.
//
// The disk is only touched in goroutines beside the task (task.Ctx.Do), so that
// the slot is free meanwhile; but for AddNow, which mem.Spiller needs.
type Spill struct {
	schema []*types.Type
	dir    string
	closed bool
	file   *os.File // nil until something is written
	buf    []byte
	size   int64 // written to the file
	rows   int64
}

// NewSpill returns a file for batches of those column types. It is made when
// the first bytes go to it.
func NewSpill(conf *task.Conf, schema []*types.Type) (*Spill, error) {
	s := &Spill{schema: schema}
	if conf != nil {
		s.dir = conf.SpillDir
	}
	return s, nil
}

// open makes the file and takes its name away.
func (s *Spill) open() error {
	if s.closed {
		return spillError(os.ErrClosed)
	}
	if s.file != nil {
		return nil
	}
	f, err := os.CreateTemp(s.dir, "neptune-spill-")
	if err != nil {
		return spillError(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return spillError(err)
	}
	s.file = f
	return nil
}

// spillError names what went wrong with the disk.
func spillError(err error) error {
	what := "rows that don't fit in memory could not be written or read back: " + err.Error()
	if errors.Is(err, syscall.ENOSPC) {
		what = "the disk that holds temporary files is full: " + err.Error()
	}
	e := errs.New(errs.Execution, "INTERNAL_ERROR_MEMORY", "message", "Temporary storage failed: "+what+".")
	return e.Because(err)
}

// Rows is the number of rows added.
func (s *Spill) Rows() int64 { return s.rows }

// Bytes is the number of bytes added.
func (s *Spill) Bytes() int64 { return s.size + int64(len(s.buf)) }

// Add appends a batch.
func (s *Spill) Add(c *task.Ctx, b *vec.Batch) error {
	s.encode(b)
	if len(s.buf) < spillChunk {
		return c.Yield()
	}
	return s.Flush(c)
}

// AddNow appends a batch, blocking on the disk.
func (s *Spill) AddNow(b *vec.Batch) error {
	s.encode(b)
	if len(s.buf) < spillChunk {
		return nil
	}
	return s.write()
}

func (s *Spill) encode(b *vec.Batch) {
	if b.N == 0 {
		return
	}
	at := len(s.buf)
	s.buf = append(s.buf, 0, 0, 0, 0, 0, 0, 0, 0)
	s.buf = vec.AppendBatch(s.buf, b)
	binary.LittleEndian.PutUint64(s.buf[at:], uint64(len(s.buf)-at-8))
	s.rows += int64(b.N)
}

// Flush writes what is buffered. Call it after the last Add.
func (s *Spill) Flush(c *task.Ctx) error {
	if len(s.buf) == 0 {
		return nil
	}
	n := int64(len(s.buf))
	if err := c.Do(func(context.Context) error { return s.write() }); err != nil {
		return err
	}
	c.Stats.Spilled.Add(n)
	return nil
}

func (s *Spill) write() error {
	if len(s.buf) == 0 {
		return nil
	}
	if err := s.open(); err != nil {
		return err
	}
	n, err := s.file.WriteAt(s.buf, s.size)
	if err != nil {
		return spillError(err)
	}
	s.size += int64(n)
	s.buf = s.buf[:0]
	if n < spillChunk {
		s.buf = nil // the last write, most likely
	}
	return nil
}

// Close gives the file back. It is idempotent.
func (s *Spill) Close() error {
	if s == nil || s.closed {
		return nil
	}
	s.closed = true
	if s.file == nil {
		s.buf = nil
		return nil
	}
	err := s.file.Close()
	s.file, s.buf = nil, nil
	if err != nil {
		return spillError(err)
	}
	return nil
}

// SpillReader reads a Spill's batches in order, a bounded step at a time.
type SpillReader struct {
	s   *Spill
	at  int64 // of the next batch in the file
	buf []byte
	off int // of the next batch in buf
}

// Reader returns a reader from the first batch. All must have been flushed.
// Several readers may read at the same time.
func (s *Spill) Reader() *SpillReader {
	return &SpillReader{s: s}
}

// Next returns the next batch or io.EOF.
func (r *SpillReader) Next(c *task.Ctx) (*vec.Batch, error) {
	for {
		if b, err := r.buffered(); b != nil || err != nil {
			if err == nil {
				err = c.Yield()
			}
			return b, err
		}
		if r.at >= r.s.size {
			return nil, io.EOF
		}
		if err := c.Do(func(context.Context) error { return r.fill() }); err != nil {
			return nil, err
		}
	}
}

// buffered decodes the next batch if all of it is in memory.
func (r *SpillReader) buffered() (*vec.Batch, error) {
	rest := r.buf[r.off:]
	if len(rest) < 8 {
		return nil, nil
	}
	n := int(binary.LittleEndian.Uint64(rest))
	if len(rest)-8 < n {
		return nil, nil
	}
	b, err := vec.DecodeBatch(r.s.schema, rest[8:8+n])
	if err != nil {
		return nil, spillError(err)
	}
	r.off += 8 + n
	r.at += int64(8 + n)
	return b, nil
}

// fill reads a chunk that begins at the next batch, into fresh memory:
// batches are views of it.
func (r *SpillReader) fill() error {
	f := r.s.file
	if f == nil {
		return spillError(os.ErrClosed)
	}
	var head [8]byte
	if _, err := f.ReadAt(head[:], r.at); err != nil {
		return spillError(err)
	}
	first := int64(binary.LittleEndian.Uint64(head[:])) + 8
	left := r.s.size - r.at
	if first > left || first < 8 {
		return spillError(fmt.Errorf("%w: a batch of %d bytes where %d are left", vec.ErrCorrupt, first, left))
	}
	r.buf = vec.Aligned(int(min(left, max(first, spillChunk))))
	r.off = 0
	if _, err := f.ReadAt(r.buf, r.at); err != nil {
		return spillError(err)
	}
	return nil
}
