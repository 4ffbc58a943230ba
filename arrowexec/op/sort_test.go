package op

import (
	"fmt"
	"math/rand/v2"
	std "slices"
	"testing"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// sortedRows is the reference: a stable sort by vec.CompareAt.
func sortedRows(tb table, cols []int, order []vec.KeyOrder) rows {
	b := batchOf(tb.schema, tb.rows)
	idx := make([]int, len(tb.rows))
	for i := range idx {
		idx[i] = i
	}
	std.SortStableFunc(idx, func(x, y int) int {
		for k, c := range cols {
			v := b.Cols[c]
			d := vec.CompareAt(v, x, v, y)
			nx, ny := v.IsNull(x), v.IsNull(y)
			switch {
			case nx != ny:
				if order[k].NullsLast {
					d = -d
				}
			case order[k].Desc:
				d = -d
			}
			if d != 0 {
				return d
			}
		}
		return 0
	})
	out := make(rows, len(idx))
	for i, j := range idx {
		out[i] = tb.rows[j]
	}
	return out
}

func keyExprs(schema []*types.Type, cols []int) []plan.Expr {
	var out []plan.Expr
	for _, k := range cols {
		out = append(out, col(k, schema[k]))
	}
	return out
}

var sortTypes = []*types.Type{
	types.BoolType, types.Int8Type, types.Int16Type, types.Int32Type, types.Int64Type, types.Float32Type, types.Float64Type,
	types.NewDecimal(10, 2), types.NewDecimal(30, 2), types.StringType, types.BinaryType, types.DateType, types.TimestampType,
	types.NewArray(types.Int32Type, true), types.NewArray(types.StringType, true),
	types.NewStruct(types.Field{Name: "a", Type: types.Int64Type, Nullable: true}, types.Field{Name: "b", Type: types.StringType, Nullable: true}),
}

// fingerprint keeps the keys and checks the payload with them: rows with equal
// keys may come in any order.
func checkSorted(t *testing.T, got rows, tb table, cols []int, order []vec.KeyOrder, want rows) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	g, w := batchOf(tb.schema, got), batchOf(tb.schema, want)
	for i := range got {
		for _, k := range cols {
			if !vec.EqualAt(g.Cols[k], i, w.Cols[k], i) {
				t.Fatalf("row %d: key %d is %v, want %v (order %+v)", i, k, got[i], want[i], order)
			}
		}
	}
	a, b := show(got), show(want)
	std.Sort(a)
	std.Sort(b)
	if !std.Equal(a, b) {
		t.Fatalf("rows were changed: %s / %s", diffHead(a, b), diffHead(b, a))
	}
}

func TestSort(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for k, typ := range sortTypes {
		order := []vec.KeyOrder{{Desc: k%2 == 1, NullsLast: k%3 == 1}, {Desc: k%3 == 0, NullsLast: k%2 == 0}}
		t.Run(typ.String(), func(t *testing.T) {
			for _, cols := range [][]int{{0}, {0, 1}} {
				tb := table{schema: []*types.Type{typ, types.Int32Type, types.StringType}}
				tb.rows = randomRows(r, tb.schema, 150, 40)
				order := order[:len(cols)]
				want := sortedRows(tb, cols, order)
				runCase(t, opCase{
					inputs: []table{tb},
					build: func(in []Operator) (Operator, error) {
						keys, err := CompileKeys(keyExprs(tb.schema, cols), nil)
						return NewSort(in[0], keys, order), err
					},
					limit: 9 << 10,
					sizes: []int{3, 32},
					check: func(t *testing.T, got rows) { checkSorted(t, got, tb, cols, order, want) },
				})
			}
		})
	}
}

// TestSortMany exercises the paths for many rows: radix buckets, several merge passes.
func TestSortMany(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const n = 60000
	ints := make([]int64, n)
	skew := make([]int64, n)
	strs := vec.NewBuilder(types.StringType, n)
	for i := range n {
		ints[i] = int64(r.Uint64())
		skew[i] = int64(r.IntN(3)) << 40
		strs.AppendString(fmt.Sprintf("common-prefix-%05d", r.IntN(30000)))
	}
	b := &vec.Batch{N: n, Cols: []*vec.Vector{vec.FromSlice(types.Int64Type, ints, nil), vec.FromSlice(types.Int64Type, skew, nil), strs.Finish()}}
	schema := []*types.Type{types.Int64Type, types.Int64Type, types.StringType}
	for _, cols := range [][]int{{0}, {1}, {2}, {1, 0}, {2, 1}} {
		for _, limit := range []int64{0, 256 << 10} {
			t.Run(fmt.Sprint(cols, limit), func(t *testing.T) {
				account := mem.NewPool(limit).NewAccount("t")
				order := make([]vec.KeyOrder, len(cols))
				order[0].Desc = true
				conf := &task.Conf{BatchRows: 512, SpillDir: t.TempDir()}
				err := task.Run(task.Info{}, conf, account, 7, func(c *task.Ctx) error {
					keys, err := CompileKeys(keyExprs(schema, cols), nil)
					if err != nil {
						return err
					}
					o := NewSort(NewLocal(schema, []*vec.Batch{b}), keys, order)
					defer o.Close()
					if err := o.Open(c); err != nil {
						return err
					}
					var last *vec.Batch
					total := 0
					for total < n {
						b, err := o.Next(c)
						if err != nil {
							return err
						}
						b = b.Compact()
						total += b.N
						for i := range b.N {
							p, j := b, i-1
							if i == 0 {
								if last == nil {
									continue
								}
								p, j = last, last.N-1
							}
							for x, k := range cols {
								d := vec.CompareAt(p.Cols[k], j, b.Cols[k], i)
								if order[x].Desc {
									d = -d
								}
								if d > 0 {
									t.Fatalf("out of order at %d", total-b.N+i)
								}
								if d < 0 {
									break
								}
							}
						}
						last = b
					}
					if limit > 0 && c.Stats.Spilled.Load() == 0 {
						t.Error("nothing was spilled")
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if account.Used() != 0 {
					t.Errorf("%d bytes left", account.Used())
				}
			})
		}
	}
}
