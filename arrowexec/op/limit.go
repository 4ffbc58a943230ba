package op

import (
	"io"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// limit passes rows offset .. offset+n, and then stops asking.
type limit struct {
	unary
	skip, left int64 // left < 0: no bound
}

// NewLimit returns an operator that drops offset rows and passes the n after
// them; n < 0 is all.
func NewLimit(in Operator, n, offset int64) Operator {
	return &limit{unary: unary{in}, skip: max(offset, 0), left: max(n, -1)}
}

func (l *limit) Open(c *task.Ctx) error { return l.input.Open(c) }

func (l *limit) Next(c *task.Ctx) (*vec.Batch, error) {
	for l.left != 0 {
		b, err := l.input.Next(c)
		if err != nil {
			return nil, err
		}
		if l.skip >= int64(b.N) {
			l.skip -= int64(b.N)
			if err := c.Yield(); err != nil {
				return nil, err
			}
			continue
		}
		from, to := l.skip, int64(b.N)
		l.skip = 0
		if l.left >= 0 {
			to = min(to, from+l.left)
			l.left -= to - from
		}
		return b.Slice(int(from), int(to)), c.Yield()
	}
	return nil, io.EOF
}

func (l *limit) Close() error { return l.input.Close() }

func (l *limit) Schema() []*types.Type { return l.input.Schema() }

// tail keeps the last n rows.
type tail struct {
	unary
	n    int64
	kept []*vec.Batch
	rows int64
	mem  *mem.Reservation
	read bool
}

// NewTail returns an operator that emits the last n rows of in, in their order.
func NewTail(in Operator, n int64) Operator { return &tail{unary: unary{in}, n: max(n, 0)} }

func (t *tail) Open(c *task.Ctx) error {
	t.mem = c.Mem.Reserve("tail", nil)
	return t.input.Open(c)
}

func (t *tail) consume(c *task.Ctx) error {
	for {
		b, err := t.input.Next(c)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		b = b.Compact()
		if err := t.mem.Grow(b.LiveSize()); err != nil {
			return err
		}
		t.kept = append(t.kept, b)
		t.rows += int64(b.N)
		for len(t.kept) > 0 && t.rows-int64(t.kept[0].N) >= t.n {
			t.rows -= int64(t.kept[0].N)
			if err := t.mem.Resize(max(0, t.mem.Size()-t.kept[0].LiveSize())); err != nil {
				return err
			}
			t.kept[0] = nil
			t.kept = t.kept[1:]
		}
		if err := c.Yield(); err != nil {
			return err
		}
	}
}

func (t *tail) Next(c *task.Ctx) (*vec.Batch, error) {
	if !t.read {
		if err := t.consume(c); err != nil {
			return nil, err
		}
		t.read = true
		if extra := t.rows - t.n; extra > 0 && len(t.kept) > 0 {
			t.kept[0] = t.kept[0].Slice(int(extra), t.kept[0].N)
		}
	}
	if len(t.kept) == 0 {
		return nil, io.EOF
	}
	b := t.kept[0]
	t.kept = t.kept[1:]
	return b, c.Yield()
}

func (t *tail) Close() error {
	t.kept = nil
	if t.mem != nil {
		t.mem.Release()
		t.mem = nil
	}
	return t.input.Close()
}

func (t *tail) Schema() []*types.Type { return t.input.Schema() }
