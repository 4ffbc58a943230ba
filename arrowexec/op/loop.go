package op

import (
	"io"
	"strconv"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// The limits of recursive table expressions, and what they are by default (as Spark's).
const (
	levelLimitKey = "spark.sql.cteRecursionLevelLimit"
	rowLimitKey   = "spark.sql.cteRecursionRowLimit"
	levelLimit    = 100
	rowLimit      = 1_000_000
)

// loop is a recursive table expression: the rows of the anchor, then those of
// the step over the rows of the last round, until a round has none. Rounds run
// one after the other in one task, each with operators of its own, and only
// as far as the consumer reads: a LIMIT above ends the recursion.
type loop struct {
	anchor Operator
	// step makes the operators of a round over the rows of the last one.
	step   func(round int64, last *rowBuffer) (Operator, error)
	schema []*types.Type
	levels int64 // -1: no limit
	rows   int64

	in    Operator // of the round under way
	level int64
	total int64
	round *rowBuffer // rows of the round under way
	last  *rowBuffer // of the one before, which it reads
}

// newLoop builds the operator; the step is built anew for each round.
func newLoop(n *physical.RecursiveLoop, d Deps) (Operator, error) {
	anchor, err := build(n.Anchor, d)
	if err != nil {
		return nil, err
	}
	l := &loop{anchor: anchor, schema: physical.Types(n.Out), levels: levelLimit, rows: rowLimit}
	if d.Conf != nil {
		if l.levels, err = limitOf(d.Conf, levelLimitKey, levelLimit); err != nil {
			return nil, err
		}
		if l.rows, err = limitOf(d.Conf, rowLimitKey, rowLimit); err != nil {
			return nil, err
		}
	}
	if n.MaxLevel != 0 {
		l.levels = int64(n.MaxLevel)
	}
	if n.MaxRows != 0 {
		l.rows = n.MaxRows
	}
	l.step = func(round int64, last *rowBuffer) (Operator, error) {
		sub := d
		env := *d.Env
		env.Round = int(round)
		sub.Env = &env
		sub.loops = map[int64]*rowBuffer{n.ID: last}
		for id, rows := range d.loops {
			if id != n.ID {
				sub.loops[id] = rows
			}
		}
		return build(n.Step, sub)
	}
	return l, nil
}

func limitOf(c *task.Conf, key string, def int64) (int64, error) {
	v, ok := c.Keys[key]
	if !ok || v == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0, errs.New(errs.IllegalArgument, "INVALID_CONF_VALUE.TYPE_MISMATCH", "confName", key, "confValue", v, "confType", "int")
	}
	return n, nil
}

func (l *loop) Open(c *task.Ctx) error {
	l.round = newRowBuffer(c, "recursion", l.schema)
	l.in = l.anchor
	return l.in.Open(c)
}

func (l *loop) Next(c *task.Ctx) (*vec.Batch, error) {
	for l.in != nil {
		b, err := l.in.Next(c)
		switch {
		case err == nil:
			b = b.Compact()
			l.total += int64(b.N)
			if l.rows >= 0 && l.total > l.rows {
				return nil, errs.New(errs.Runtime, "RECURSION_ROW_LIMIT_EXCEEDED", "rowLimit", strconv.FormatInt(l.rows, 10))
			}
			return b, l.round.add(b)
		case err != io.EOF:
			return nil, err
		}
		if err := l.advance(c); err != nil {
			return nil, err
		}
	}
	return nil, io.EOF
}

// advance ends a round and opens the next, if there is to be one.
func (l *loop) advance(c *task.Ctx) error {
	err := l.in.Close()
	l.in = nil
	if err != nil {
		return err
	}
	if l.round.rows == 0 {
		return nil
	}
	l.level++
	if l.levels >= 0 && l.level > l.levels {
		return errs.New(errs.Runtime, "RECURSION_LEVEL_LIMIT_EXCEEDED", "levelLimit", strconv.FormatInt(l.levels, 10))
	}
	if err := l.last.close(); err != nil {
		return err
	}
	l.last, l.round = l.round, newRowBuffer(c, "recursion", l.schema)
	if err := l.last.finish(); err != nil {
		return err
	}
	if l.in, err = l.step(l.level-1, l.last); err != nil {
		return err
	}
	if err := l.in.Open(c); err != nil {
		return err
	}
	return c.Yield()
}

func (l *loop) Close() error {
	var err error
	if l.in != nil {
		err = l.in.Close()
		l.in = nil
	}
	if e := l.anchor.Close(); err == nil {
		err = e
	}
	for _, r := range []*rowBuffer{l.last, l.round} {
		if e := r.close(); err == nil {
			err = e
		}
	}
	l.last, l.round = nil, nil
	return err
}

func (l *loop) Schema() []*types.Type { return l.schema }

func (l *loop) Inputs() []Operator { return []Operator{l.anchor} }
