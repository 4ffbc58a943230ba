package op

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// A Spill gathers bytes before they go to the file in one write: a 2048th of
// the task's share of memory, within these bounds. An operator has at most
// aggParts files open for writing at a time, so that its buffers stay under
// 1/32 of the share (or 256 KiB, when the share is tiny).
const (
	minSpillChunk = 4 << 10
	maxSpillChunk = 256 << 10
)

func spillChunk(c *task.Ctx) int {
	share := int64(0)
	if c.Mem != nil {
		share = c.Mem.Share()
	}
	if share <= 0 {
		return maxSpillChunk
	}
	return int(max(minSpillChunk, min(maxSpillChunk, share/2048)))
}

// Spill is a temporary file of batches, written once from front to back and
// then read, once or more. The file has no name from the moment it is open, so
// nothing is left behind when the process dies. It belongs to one task.
// Batches are written in pieces of about a chunk each, so that a reader never
// holds much.
//
// The disk is only touched in goroutines beside the task (task.Ctx.Do), so that
// the slot is free meanwhile; but for AddNow, which mem.Spiller needs.
type Spill struct {
	owner  string // kind of operator, for statistics and errors
	schema []*types.Type
	dir    string
	chunk  int
	stats  *task.Stats
	pool   *mem.Pool
	closed bool
	file   *os.File // nil until something is written
	buf    []byte
	size   int64 // written to the file
	rows   int64
}

// NewSpill returns a file for batches of those column types, written by an
// operator of kind owner. The file is made when the first bytes go to it.
func NewSpill(c *task.Ctx, owner string, schema []*types.Type) *Spill {
	s := &Spill{owner: owner, schema: schema, chunk: spillChunk(c), stats: c.Stats}
	if c.Conf != nil {
		s.dir = c.Conf.SpillDir
	}
	if c.Mem != nil {
		s.pool = c.Mem.Pool()
	}
	return s
}

// open makes the file and takes its name away.
func (s *Spill) open() error {
	if s.closed {
		return s.failed(os.ErrClosed)
	}
	if s.file != nil {
		return nil
	}
	f, err := os.CreateTemp(s.dir, "neptune-spill-")
	if err != nil {
		return s.failed(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return s.failed(err)
	}
	s.file = f
	return nil
}

// failed names what went wrong with writing: Spark's condition of a spiller that fails.
func (s *Spill) failed(err error) error {
	what := err.Error()
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		what = "the disk of the folder for spilled data is full (" + what + ")"
	}
	return errs.New(errs.OutOfMemory, "SPILL_OUT_OF_MEMORY", "consumerToSpill", s.owner, "message", what).Because(err)
}

// unread is what a file that can't be read back gives.
func unread(err error) error {
	return errs.New(errs.Execution, "INTERNAL_ERROR_MEMORY", "message", "Spilled rows could not be read back: "+err.Error()+".").Because(err)
}

// Rows is the number of rows added.
func (s *Spill) Rows() int64 { return s.rows }

// Bytes is the number of bytes added.
func (s *Spill) Bytes() int64 { return s.size + int64(len(s.buf)) }

// Add appends a batch.
func (s *Spill) Add(c *task.Ctx, b *vec.Batch) error {
	for _, p := range s.pieces(b) {
		s.encode(p)
		if len(s.buf) < s.chunk {
			continue
		}
		if err := s.Flush(c); err != nil {
			return err
		}
	}
	return c.Yield()
}

// AddNow appends a batch, blocking on the disk.
func (s *Spill) AddNow(b *vec.Batch) error {
	for _, p := range s.pieces(b) {
		s.encode(p)
		if len(s.buf) < s.chunk {
			continue
		}
		if err := s.write(); err != nil {
			return err
		}
	}
	return nil
}

// pieces cuts a batch that is larger than two chunks.
func (s *Spill) pieces(b *vec.Batch) []*vec.Batch {
	if b.N < 2 {
		return []*vec.Batch{b}
	}
	size := b.LiveSize()
	if b.Sel != nil && len(b.Cols) > 0 && b.Cols[0].N > 0 {
		size = size * int64(b.N) / int64(b.Cols[0].N)
	}
	n := min(int(size/int64(s.chunk)), b.N)
	if n < 2 {
		return []*vec.Batch{b}
	}
	out := make([]*vec.Batch, 0, n)
	for i := range n {
		out = append(out, b.Slice(b.N*i/n, b.N*(i+1)/n))
	}
	return out
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
	return c.Do(func(context.Context) error { return s.write() })
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
		return s.failed(err)
	}
	s.size += int64(n)
	s.stats.Spilled.Add(int64(n))
	if s.pool != nil {
		s.pool.NoteSpill(s.owner, int64(n))
	}
	s.buf = s.buf[:0]
	if n < s.chunk || cap(s.buf) > 4*s.chunk {
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
		return unread(err)
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
		return nil, unread(err)
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
		return unread(os.ErrClosed)
	}
	var head [8]byte
	if _, err := f.ReadAt(head[:], r.at); err != nil {
		return unread(err)
	}
	first := int64(binary.LittleEndian.Uint64(head[:])) + 8
	left := r.s.size - r.at
	if first > left || first < 8 {
		return unread(fmt.Errorf("%w: a batch of %d bytes where %d are left", vec.ErrCorrupt, first, left))
	}
	r.buf = vec.Aligned(int(min(left, max(first, int64(r.s.chunk)))))
	r.off = 0
	if _, err := f.ReadAt(r.buf, r.at); err != nil {
		return unread(err)
	}
	return nil
}
