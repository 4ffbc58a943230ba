package op

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	std "slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// rows are values in the literals' Go form (types.Value documents them), nil for null.
type rows [][]any

// table is an input of an operator under test.
type table struct {
	schema []*types.Type
	rows   rows
}

// opCase is an operator and what it must answer. runCase runs it under every
// combination of batch size, selection vectors, memory limit and suspension,
// and closes it after every number of batches.
type opCase struct {
	inputs []table
	build  func(in []Operator) (Operator, error)
	want   rows
	// ordered: the order of the answer matters.
	ordered bool
	// limit, when > 0, is a pool too small for the inputs: the operator must
	// spill and still answer. 0: no runs with little memory.
	limit int64
	// sizes are the batch sizes; nil is 1, 3, 8192.
	sizes []int
	// check, when set, judges the answer instead of want (samples and such).
	check func(t *testing.T, got rows)
	// err, when set, is what the run must fail with: a part of the message.
	err string
}

// source emits a table in batches; with junk it puts rows between, which the
// selection leaves out.
type source struct {
	table
	size   int
	junk   bool
	at     int
	opened int
	closed bool
}

func (s *source) Open(*task.Ctx) error { s.opened++; return nil }

func (s *source) Next(c *task.Ctx) (*vec.Batch, error) {
	if s.opened != 1 {
		return nil, fmt.Errorf("Next after %d calls of Open", s.opened)
	}
	if s.closed {
		return nil, errors.New("Next after Close")
	}
	if s.at >= len(s.rows) {
		return nil, io.EOF
	}
	to := min(len(s.rows), s.at+s.size)
	part := s.rows[s.at:to]
	var sel []int32
	if s.junk {
		var mixed rows
		for i, r := range part {
			mixed = append(mixed, part[len(part)-1-i], r)
			sel = append(sel, int32(2*i+1))
		}
		mixed = append(mixed, part[0])
		part = mixed
	}
	b := batchOf(s.schema, part)
	if sel != nil {
		b.Sel, b.N = sel, len(sel)
	}
	s.at = to
	return b, c.Yield()
}

func (s *source) Close() error { s.closed = true; return nil }

func (s *source) Schema() []*types.Type { return s.schema }

func (s *source) Inputs() []Operator { return nil }

// batchOf makes a dense batch; it panics on a value that isn't of its type.
func batchOf(schema []*types.Type, rs rows) *vec.Batch {
	b := &vec.Batch{N: len(rs)}
	for i, t := range schema {
		bl := vec.NewBuilder(t, len(rs))
		for _, r := range rs {
			if err := bl.AppendValue(r[i]); err != nil {
				panic(err)
			}
		}
		b.Cols = append(b.Cols, bl.Finish())
	}
	return b
}

// rowsOf reads a batch back.
func rowsOf(b *vec.Batch) rows {
	var out rows
	d := b.Compact()
	for i := range d.N {
		r := make([]any, len(d.Cols))
		for k, v := range d.Cols {
			r[k] = v.Value(i)
		}
		out = append(out, r)
	}
	return out
}

func show(rs rows) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = fmt.Sprintf("%#v", r)
	}
	return out
}

// drain runs an operator to its end, or to its stop-th batch, and closes it.
func drain(c *task.Ctx, o Operator, stop int) (out rows, err error) {
	defer func() {
		for range 2 { // Close may come twice
			if e := o.Close(); e != nil && err == nil {
				err = e
			}
		}
	}()
	if err := o.Open(c); err != nil {
		return nil, err
	}
	for n := 0; n != stop; n++ {
		b, err := o.Next(c)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if b.N == 0 || b.Sel != nil && b.N != len(b.Sel) {
			return nil, fmt.Errorf("a batch of %d rows, selection of %d", b.N, len(b.Sel))
		}
		if len(b.Cols) != len(o.Schema()) {
			return nil, fmt.Errorf("%d columns, schema says %d", len(b.Cols), len(o.Schema()))
		}
		for i, v := range b.Cols {
			if !types.SameType(v.Type, o.Schema()[i]) {
				return nil, fmt.Errorf("column %d is %s, schema says %s", i, v.Type, o.Schema()[i])
			}
		}
		if b.N > c.Conf.BatchRows {
			return nil, fmt.Errorf("a batch of %d rows, more than %d", b.N, c.Conf.BatchRows)
		}
		out = append(out, rowsOf(b)...)
	}
	return out, nil
}

// setting is one way to run a case.
type setting struct {
	size  int
	junk  bool
	limit int64
	every int
	stop  int // -1: to the end
}

func runCase(t *testing.T, oc opCase) {
	t.Helper()
	defer goleak.VerifyNone(t)
	sizes := oc.sizes
	if sizes == nil {
		sizes = []int{1, 3, 8192}
	}
	limits := []int64{0}
	if oc.limit > 0 {
		limits = append(limits, oc.limit)
	}
	want := show(oc.want)
	if !oc.ordered {
		std.Sort(want)
	}
	for _, size := range sizes {
		for _, junk := range []bool{false, true} {
			for _, limit := range limits {
				for _, every := range []int{0, 1} {
					s := setting{size, junk, limit, every, -1}
					got, spilled, err := oc.run(t, s)
					if oc.err != "" {
						if err == nil || !strings.Contains(err.Error(), oc.err) {
							t.Fatalf("%+v: error %v, want %q", s, err, oc.err)
						}
						continue
					}
					if err != nil {
						t.Fatalf("%+v: %v", s, err)
					}
					if limit > 0 && spilled == 0 {
						t.Errorf("%+v: nothing was spilled", s)
					}
					if oc.check != nil {
						oc.check(t, got)
						continue
					}
					lines := show(got)
					if !oc.ordered {
						std.Sort(lines)
					}
					if !std.Equal(lines, want) {
						t.Fatalf("%+v: wrong answer\n got %s\nwant %s", s, diffHead(lines, want), diffHead(want, lines))
					}
				}
			}
		}
	}
	for _, limit := range limits {
		for stop := range 4 {
			if _, _, err := oc.run(t, setting{3, false, limit, 0, stop}); err != nil && oc.err == "" {
				t.Fatalf("closed after %d batches: %v", stop, err)
			}
		}
	}
}

// diffHead is the first rows of a from where it and b differ.
func diffHead(a, b []string) string {
	for i, x := range a {
		if i >= len(b) || x != b[i] {
			return fmt.Sprintf("%d rows, from %d: %s", len(a), i, strings.Join(a[i:min(len(a), i+3)], " "))
		}
	}
	return fmt.Sprintf("%d rows, a prefix", len(a))
}

// run runs the case once, and checks that memory and inputs are given back.
func (oc opCase) run(t *testing.T, s setting) (out rows, spilled int64, err error) {
	t.Helper()
	pool := mem.NewPool(s.limit)
	account := pool.NewAccount("test")
	conf := &task.Conf{ANSI: true, BatchRows: s.size, SpillDir: t.TempDir()}
	var sources []*source
	var in []Operator
	for _, tb := range oc.inputs {
		src := &source{table: tb, size: s.size, junk: s.junk}
		sources = append(sources, src)
		in = append(in, src)
	}
	err = task.Run(task.Info{Partitions: 1}, conf, account, s.every, func(c *task.Ctx) error {
		o, err := oc.build(in)
		if err != nil {
			return err
		}
		out, err = drain(c, o, s.stop)
		spilled = c.Stats.Spilled.Load()
		return err
	})
	if used := account.Used(); used != 0 {
		t.Errorf("%+v: %d bytes are still reserved after Close", s, used)
	}
	for i, src := range sources {
		if !src.closed {
			t.Errorf("%+v: input %d was not closed", s, i)
		}
	}
	account.Close()
	return out, spilled, err
}

// col is a bound column for plans of tests.
func col(i int, t *types.Type) plan.Expr { return &plan.Bound{Index: i, T: t, Null: true} }

// randomRows makes rows of any types: about a fifth nulls, few distinct values
// (card), and among floats NaN and -0.0.
func randomRows(r *rand.Rand, schema []*types.Type, n, card int) rows {
	out := make(rows, n)
	for i := range out {
		out[i] = make([]any, len(schema))
		for k, t := range schema {
			if r.IntN(5) > 0 {
				out[i][k] = randomValue(r, t, card)
			}
		}
	}
	return out
}

func randomValue(r *rand.Rand, t *types.Type, card int) any {
	x := r.IntN(card) - card/3
	switch t.Kind {
	case types.Bool:
		return x%2 == 0
	case types.Int8:
		return int8(x)
	case types.Int16:
		return int16(x)
	case types.Int32, types.Date, types.YearMonthInterval:
		return int32(x)
	case types.Float32:
		return float32(special(r, x))
	case types.Float64:
		return special(r, x)
	case types.Decimal:
		v := types.I128(int64(x))
		if t.Precision > 18 && x%2 == 0 {
			v.Hi += int64(x)
		}
		return v
	case types.String:
		return strings.Repeat("pre\x00fix-longer-than-eight", max(0, x%3)) + fmt.Sprint(x)
	case types.Binary:
		return []byte(fmt.Sprint(x))
	case types.Array:
		list := []any{}
		for range r.IntN(4) {
			if r.IntN(5) == 0 {
				list = append(list, nil)
			} else {
				list = append(list, randomValue(r, t.Elem, card))
			}
		}
		return list
	case types.Struct:
		s := types.StructValue{}
		for _, f := range t.Fields {
			if r.IntN(5) == 0 {
				s = append(s, nil)
			} else {
				s = append(s, randomValue(r, f.Type, card))
			}
		}
		return s
	}
	return int64(x)
}

func special(r *rand.Rand, x int) float64 {
	switch r.IntN(12) {
	case 0:
		return math.NaN()
	case 1:
		return math.Copysign(0, -1)
	case 2:
		return math.Inf(1 - 2*(x&1))
	}
	return float64(x) / 4
}
