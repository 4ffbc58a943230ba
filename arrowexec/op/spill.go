package op

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	std "slices"
	"sync"
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

// Spill is batches in a temporary file, written once from front to back and
// then read, once or more. The file has no name from the moment it is open, so
// nothing is left behind when the process dies. Several Spills may share one:
// making a file can take longer than filling it.
// Batches are written in pieces of about a chunk each, so that a reader never
// holds much.
//
// The disk is only touched in goroutines beside the task (task.Ctx.Do), so that
// the slot is free meanwhile; but for AddNow, which mem.Spiller needs.
type Spill struct {
	owner  string // kind of operator, for statistics and errors
	schema []*types.Type
	chunk  int
	stats  *task.Stats
	pool   *mem.Pool
	closed bool
	file   *spillFile
	parts  []extent
	buf    []byte
	rows   int64
}

// extent is a stretch of a file: whole batches, each after its length (u64).
type extent struct{ at, n int64 }

// spillFile is the file of one or more Spills; its space is given back when the last is closed.
type spillFile struct {
	mu    sync.Mutex
	dir   string
	file  *os.File // nil until something is written
	end   int64
	users int
}

// NewSpill returns a Spill for batches of those column types, written by an
// operator of kind owner. The file is made when the first bytes go to it.
func NewSpill(c *task.Ctx, owner string, schema []*types.Type) *Spill {
	s := &Spill{owner: owner, schema: schema, chunk: spillChunk(c), stats: c.Stats, file: &spillFile{users: 1}}
	if c.Conf != nil {
		s.file.dir = c.Conf.SpillDir
	}
	if c.Mem != nil {
		s.pool = c.Mem.Pool()
	}
	return s
}

// Sibling returns a Spill in the same file as s, which isn't closed; the
// operator's other partitions are such.
func (s *Spill) Sibling(schema []*types.Type) *Spill {
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	s.file.users++
	return &Spill{owner: s.owner, schema: schema, chunk: s.chunk, stats: s.stats, pool: s.pool, file: s.file}
}

// append writes to the end of the file, which it makes without a name if need be.
func (f *spillFile) append(b []byte) (extent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		file, err := os.CreateTemp(f.dir, "neptune-spill-")
		if err != nil {
			return extent{}, err
		}
		if err := os.Remove(file.Name()); err != nil {
			file.Close()
			return extent{}, err
		}
		f.file = file
	}
	if _, err := f.file.WriteAt(b, f.end); err != nil {
		return extent{}, err
	}
	e := extent{f.end, int64(len(b))}
	f.end += e.n
	return e, nil
}

// release takes one user and its extents away.
func (f *spillFile) release(parts []extent) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.users--
	if f.file == nil {
		return nil
	}
	if f.users > 0 {
		for _, e := range parts {
			punch(f.file, e.at, e.n)
		}
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
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
	if s.closed {
		return s.failed(os.ErrClosed)
	}
	e, err := s.file.append(s.buf)
	if err != nil {
		return s.failed(err)
	}
	s.parts = append(s.parts, e)
	s.stats.Spilled.Add(e.n)
	if s.pool != nil {
		s.pool.NoteSpill(s.owner, e.n)
	}
	s.buf = s.buf[:0]
	if e.n < int64(s.chunk) || cap(s.buf) > 4*s.chunk {
		s.buf = nil // the last write, most likely
	}
	return nil
}

// Close gives the file back. It is idempotent.
func (s *Spill) Close() error {
	if s == nil || s.closed {
		return nil
	}
	s.closed, s.buf = true, nil
	if err := s.file.release(s.parts); err != nil {
		return unread(err)
	}
	return nil
}

// SpillReader reads a Spill's batches in order, a bounded step at a time.
type SpillReader struct {
	s    *Spill
	part int // to be read next
	buf  []byte
	off  int // of the next batch in buf
}

// AppendRaw appends the i-th stretch of the file to dst as it was written:
// batches in their flat form, each after its length (u64, native). It blocks on
// the disk, and is for those who pass rows on outside of tasks. io.EOF: there are no more.
func (s *Spill) AppendRaw(dst []byte, i int) ([]byte, error) {
	if i >= len(s.parts) {
		return dst, io.EOF
	}
	f := s.file
	f.mu.Lock()
	file := f.file
	f.mu.Unlock()
	if file == nil || s.closed {
		return dst, unread(os.ErrClosed)
	}
	e, at := s.parts[i], len(dst)
	dst = std.Grow(dst, int(e.n))[:at+int(e.n)]
	if _, err := file.ReadAt(dst[at:], e.at); err != nil {
		return dst[:at], unread(err)
	}
	return dst, nil
}

// Reader returns a reader from the first batch. All must have been flushed.
// Several readers may read at the same time.
func (s *Spill) Reader() *SpillReader {
	return &SpillReader{s: s}
}

// Next returns the next batch or io.EOF.
func (r *SpillReader) Next(c *task.Ctx) (*vec.Batch, error) {
	for {
		if r.off < len(r.buf) {
			b, err := r.decode()
			if err == nil {
				err = c.Yield()
			}
			return b, err
		}
		if r.part >= len(r.s.parts) {
			return nil, io.EOF
		}
		if err := c.Do(func(context.Context) error { return r.fill() }); err != nil {
			return nil, err
		}
	}
}

// decode reads the next batch in memory.
func (r *SpillReader) decode() (*vec.Batch, error) {
	rest := r.buf[r.off:]
	n := uint64(0)
	if len(rest) >= 8 {
		n = binary.LittleEndian.Uint64(rest)
	}
	if len(rest) < 8 || n > uint64(len(rest)-8) {
		return nil, unread(fmt.Errorf("%w: a batch of %d bytes where %d are left", vec.ErrCorrupt, n, len(rest)))
	}
	b, err := vec.DecodeBatch(r.s.schema, rest[8:8+n])
	if err != nil {
		return nil, unread(err)
	}
	r.off += 8 + int(n)
	return b, nil
}

// fill reads what was written in one go, into fresh memory: batches are views of it.
func (r *SpillReader) fill() error {
	f := r.s.file
	f.mu.Lock()
	file := f.file
	f.mu.Unlock()
	if file == nil || r.s.closed {
		return unread(os.ErrClosed)
	}
	e := r.s.parts[r.part]
	r.buf, r.off = vec.Aligned(int(e.n)), 0
	r.part++
	if _, err := file.ReadAt(r.buf, e.at); err != nil {
		return unread(err)
	}
	return nil
}
