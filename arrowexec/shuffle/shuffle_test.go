package shuffle

import (
	"errors"
	"fmt"
	"io"
	std "slices"
	"testing"

	"go.uber.org/goleak"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

var schema = []*types.Type{types.Int64Type, types.StringType}

func rowsFrom(from, n int) *vec.Batch {
	a, b := vec.NewBuilder(schema[0], n), vec.NewBuilder(schema[1], n)
	for i := range n {
		if (from+i)%11 == 0 {
			a.AppendNull()
		} else {
			vec.Append(a, int64((from+i)*7919%1000))
		}
		b.AppendString(fmt.Sprint("row ", from+i))
	}
	return &vec.Batch{N: n, Cols: []*vec.Vector{a.Finish(), b.Finish()}}
}

func input() physical.Node {
	return &physical.Local{Out: []physical.Column{{Name: "a", Type: schema[0], Null: true}, {Name: "b", Type: schema[1]}}}
}

func run(t *testing.T, pool *mem.Pool, f func(c *task.Ctx) error) {
	t.Helper()
	account := pool.NewAccount("t")
	defer account.Close()
	if err := task.Run(task.Info{}, &task.Conf{BatchRows: 100, SpillDir: t.TempDir()}, account, 1, f); err != nil {
		t.Fatal(err)
	}
	if account.Used() != 0 {
		t.Errorf("%d bytes left", account.Used())
	}
}

func write(c *task.Ctx, l *Local, x *physical.Exchange, writer, parts int, commit bool, batches ...*vec.Batch) error {
	w, err := l.Writer(c, "q", x, writer, parts)
	if err != nil {
		return err
	}
	defer w.Close()
	for _, b := range batches {
		if err := w.Write(c, b); err != nil {
			return err
		}
	}
	if !commit {
		return nil
	}
	return w.Commit(c)
}

func read(c *task.Ctx, l *Local, x *physical.Exchange, part int) (keys []any, names []string, err error) {
	r, err := l.Reader(c.Conf, "q", x, physical.One(part))
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	if err := r.Open(c); err != nil {
		return nil, nil, err
	}
	for {
		b, err := r.Next(c)
		if err == io.EOF {
			return keys, names, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if b.N == 0 || b.N > 100 {
			return nil, nil, fmt.Errorf("a batch of %d rows", b.N)
		}
		b = b.Compact()
		for i := range b.N {
			keys = append(keys, b.Cols[0].Value(i))
			names = append(names, b.Cols[1].Str(i))
		}
	}
}

func TestExchanges(t *testing.T) {
	defer goleak.VerifyNone(t)
	key := &plan.Bound{Index: 0, T: schema[0], Null: true}
	order := []physical.Order{{Expr: key}}
	for _, limit := range []int64{0, 30 << 10} {
		for _, parts := range []int{1, 3, 40} {
			for _, x := range []*physical.Exchange{
				{Kind: physical.Single}, {Kind: physical.Broadcast}, {Kind: physical.RoundRobin}, {Kind: physical.Hash, Keys: []plan.Expr{key}},
				{Kind: physical.RangeBy, Order: order}, {Kind: physical.Single, Order: order, Merge: true},
			} {
				x.Input = input()
				t.Run(fmt.Sprint(x.Kind, x.Merge, parts, limit), func(t *testing.T) {
					pool := mem.NewPool(limit)
					l := NewLocal(pool)
					run(t, pool, func(c *task.Ctx) error {
						var want []string
						for w := range 3 {
							var in []*vec.Batch
							for k := range 4 {
								b := rowsFrom(1000*w+250*k, 250)
								for i := range b.N {
									want = append(want, b.Cols[1].Str(i))
								}
								in = append(in, b)
							}
							if x.Merge { // sorted inputs
								keys, ord, err := op.CompileOrder(order, nil)
								if err != nil {
									return err
								}
								s := op.NewSort(op.NewLocal(schema, in), keys, ord)
								if err := s.Open(c); err != nil {
									return err
								}
								in = nil
								for {
									b, err := s.Next(c)
									if err == io.EOF {
										break
									}
									if err != nil {
										return err
									}
									in = append(in, b)
								}
								if err := s.Close(); err != nil {
									return err
								}
							}
							// An attempt that fails, one that is done over, and the last.
							if err := write(c, l, x, w, parts, false, in...); err != nil {
								return err
							}
							if err := write(c, l, x, w, parts, true, in[:1]...); err != nil {
								return err
							}
							if err := write(c, l, x, w, parts, true, in...); err != nil {
								return err
							}
						}
						n := parts
						if x.Kind == physical.Single || x.Kind == physical.Broadcast {
							n = 1
						}
						var got []string
						var last any
						where := map[any]int{}
						for p := range n {
							keys, names, err := read(c, l, x, p)
							if err != nil {
								return err
							}
							got = append(got, names...)
							for i, k := range keys {
								if was, ok := where[k]; ok && was != p && (x.Kind == physical.Hash || x.Kind == physical.RangeBy) {
									t.Fatalf("key %v in partitions %d and %d", k, was, p)
								}
								where[k] = p
								if x.Merge && i > 0 && less(k, keys[i-1]) {
									t.Fatalf("%v after %v", k, keys[i-1])
								}
							}
							if x.Kind == physical.RangeBy && len(keys) > 0 {
								lo, hi := keys[0], keys[0]
								for _, k := range keys {
									if less(k, lo) {
										lo = k
									}
									if less(hi, k) {
										hi = k
									}
								}
								if p > 0 && less(lo, last) {
									t.Fatalf("partition %d begins at %v, the one before ends at %v", p, lo, last)
								}
								last = hi
								if len(keys) > 3*3000/n+200 {
									t.Errorf("partition %d of %d has %d of 3000 rows", p, n, len(keys))
								}
							}
						}
						std.Sort(got)
						std.Sort(want)
						if !std.Equal(got, want) {
							t.Fatalf("%d rows, want %d", len(got), len(want))
						}
						return nil
					})
					l.Release("q")
					if used, _ := pool.Used(); used != 0 {
						t.Errorf("%d bytes left after Release", used)
					}
				})
			}
		}
	}
}

func less(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b != nil
	}
	return a.(int64) < b.(int64)
}

func TestSharedIsBuiltOnceAndAgainAfterFailure(t *testing.T) {
	pool := mem.NewPool(0)
	l := NewLocal(pool)
	x := &physical.Exchange{Kind: physical.Broadcast, Input: input()}
	calls := 0
	run(t, pool, func(c *task.Ctx) error {
		get := func(fail bool) (any, error) {
			return l.Shared(c, "q", x, "t", func(*task.Ctx) (any, int64, error) {
				calls++
				if fail {
					return nil, 0, errors.New("no")
				}
				return calls, 10, nil
			})
		}
		if _, err := get(true); err == nil {
			t.Error("no error")
		}
		for range 2 {
			if v, err := get(false); err != nil || v != 2 {
				t.Errorf("%v, %v", v, err)
			}
		}
		return nil
	})
	l.Release("q")
	if used, _ := pool.Used(); used != 0 {
		t.Errorf("%d bytes left", used)
	}
}

// TestSpent: what an exchange holds is free when its readers are done, and
// reading it again is a defect that is told of.
func TestSpent(t *testing.T) {
	pool := mem.NewPool(0)
	l := NewLocal(pool)
	x := &physical.Exchange{Kind: physical.Single, Input: input()}
	run(t, pool, func(c *task.Ctx) error {
		w, err := l.Writer(c, "q", x, 0, 1)
		if err != nil {
			return err
		}
		if err := w.Write(c, rowsFrom(0, 1000)); err != nil {
			return err
		}
		if err := w.Commit(c); err != nil {
			return err
		}
		if now, _ := pool.Used(); now < 8000 {
			t.Errorf("%d bytes are reserved", now)
		}
		l.Spent("q", x)
		if now, _ := pool.Used(); now != 0 {
			t.Errorf("%d bytes are still reserved", now)
		}
		r, err := l.Reader(c.Conf, "q", x, physical.One(0))
		if err != nil {
			return err
		}
		if err := r.Open(c); err == nil {
			t.Error("a spent exchange can be read")
		}
		l.Release("q")
		return nil
	})
}
