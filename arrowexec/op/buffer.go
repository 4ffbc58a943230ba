package op

import (
	"io"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// owned returns a dense batch that keeps little alive beside its rows, and its
// size in bytes: a few strings of a page, or a slice of a batch, are copied.
func owned(schema []*types.Type, b *vec.Batch, yield func() error) (*vec.Batch, int64, error) {
	b = b.Compact()
	live := b.LiveSize()
	var err error
	if b.Size() > 2*live+(64<<10) {
		b, err = vec.ConcatSteps(schema, []*vec.Batch{b}, yield)
	}
	return b, live, err
}

// rowBuffer keeps rows in order, in memory while the pool has room for them,
// and else all of them in a file. It can be read many times, and spilled while
// it is read.
type rowBuffer struct {
	c      *task.Ctx
	owner  string
	schema []*types.Type
	mem    *mem.Reservation
	held   []*vec.Batch // file == nil
	file   *Spill
	rows   int64
	busy   bool // adding
}

func newRowBuffer(c *task.Ctx, owner string, schema []*types.Type) *rowBuffer {
	r := &rowBuffer{c: c, owner: owner, schema: schema}
	r.mem = c.Mem.Reserve(owner, r)
	return r
}

// add keeps the rows of a batch.
func (r *rowBuffer) add(b *vec.Batch) error {
	b, size, err := owned(r.schema, b, r.c.Yield)
	if err != nil {
		return err
	}
	b.Disown() // it is read later, perhaps many times, and who gave it may pass it on as well
	if r.file == nil && r.mem.Try(size) {
		r.held, r.rows = append(r.held, b), r.rows+int64(b.N)
		return r.c.Yield()
	}
	r.busy = true
	defer func() { r.busy = false }()
	if r.file == nil {
		r.file = NewSpill(r.c, r.owner, r.schema)
		for _, h := range r.held {
			if err := r.file.Add(r.c, h); err != nil {
				return err
			}
		}
		r.held = nil
		if err := r.mem.Resize(0); err != nil {
			return err
		}
	}
	r.rows += int64(b.N)
	return r.file.Add(r.c, b)
}

// finish makes the rows readable. Call it after the last add.
func (r *rowBuffer) finish() error {
	if r.file == nil {
		return nil
	}
	return r.file.Flush(r.c)
}

// Spill implements mem.Spiller.
func (r *rowBuffer) Spill() (int64, error) {
	if r.busy || len(r.held) == 0 {
		return 0, nil
	}
	f := NewSpill(r.c, r.owner, r.schema)
	for _, h := range r.held {
		if err := f.AddNow(h); err != nil {
			f.Close()
			return 0, err
		}
	}
	if err := f.write(); err != nil {
		f.Close()
		return 0, err
	}
	r.file, r.held = f, nil
	freed := r.mem.Size()
	return freed, r.mem.Resize(0)
}

// take hands the batches over if they are in memory, and the memory with them:
// the caller reserves it anew.
func (r *rowBuffer) take() ([]*vec.Batch, bool) {
	if r.file != nil {
		return nil, false
	}
	h := r.held
	r.held, r.rows = nil, 0
	return h, true
}

// close gives memory and file back. It is idempotent, and nil has nothing to close.
func (r *rowBuffer) close() error {
	if r == nil {
		return nil
	}
	r.held = nil
	r.mem.Release()
	return r.file.Close()
}

// bufferReader reads a rowBuffer from its first row.
type bufferReader struct {
	r    *rowBuffer
	at   int   // batch
	rows int64 // emitted
	skip int64 // rows of the file that were emitted from memory
	file *SpillReader
}

func (r *rowBuffer) reader() *bufferReader { return &bufferReader{r: r} }

func (b *bufferReader) next(c *task.Ctx) (*vec.Batch, error) {
	if b.r.file == nil {
		if b.at >= len(b.r.held) {
			return nil, io.EOF
		}
		out := b.r.held[b.at]
		b.at++
		b.rows += int64(out.N)
		return out, c.Yield()
	}
	if b.file == nil {
		b.file, b.skip = b.r.file.Reader(), b.rows
	}
	for {
		out, err := b.file.Next(c)
		if err != nil {
			return nil, err
		}
		if b.skip >= int64(out.N) {
			b.skip -= int64(out.N)
			continue
		}
		if b.skip > 0 {
			out, b.skip = out.Slice(int(b.skip), out.N), 0
		}
		b.rows += int64(out.N)
		return out, nil
	}
}

// stored emits the rows of a buffer that belongs to another operator.
type stored struct {
	r    *rowBuffer
	in   *bufferReader
	rest *vec.Batch
}

func (s *stored) Open(*task.Ctx) error { s.in = s.r.reader(); return nil }

func (s *stored) Next(c *task.Ctx) (*vec.Batch, error) {
	b := s.rest
	if b == nil {
		var err error
		if b, err = s.in.next(c); err != nil {
			return nil, err
		}
	}
	s.rest = nil
	if n := batchRows(c.Conf); b.N > n {
		b, s.rest = b.Slice(0, n), b.Slice(n, b.N)
	}
	return b, c.Yield()
}

func (s *stored) Close() error          { s.in, s.rest = nil, nil; return nil }
func (s *stored) Schema() []*types.Type { return s.r.schema }
func (s *stored) Inputs() []Operator    { return nil }
