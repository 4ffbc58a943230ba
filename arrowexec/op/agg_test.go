package op

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func aggOf(name string, ret *types.Type, args ...plan.Expr) physical.Agg {
	return physical.Agg{Call: &plan.Call{Name: name, Args: args, T: ret, Kind: plan.FnAggregate}, Mode: physical.Complete}
}

// naiveGroups groups by the columns keys, and computes count(*), count(v), sum(v), min(v), max(v), first-come list sum.
func naiveGroups(in rows, keys []int, v int) rows {
	type acc struct {
		key      []any
		n, nv    int64
		sum      int64
		min, max any
	}
	m := map[string]*acc{}
	var order []string
	for _, r := range in {
		var key []any
		for _, k := range keys {
			x := r[k]
			switch f := x.(type) { // as keys are shown: one NaN, one zero
			case float64:
				if f == 0 {
					x = 0.0
				}
			}
			key = append(key, x)
		}
		id := fmt.Sprintf("%#v", key)
		a := m[id]
		if a == nil {
			a = &acc{key: key}
			m[id] = a
			order = append(order, id)
		}
		a.n++
		if x := r[v]; x != nil {
			y := x.(int64)
			a.nv++
			a.sum += y
			if a.min == nil || y < a.min.(int64) {
				a.min = y
			}
			if a.max == nil || y > a.max.(int64) {
				a.max = y
			}
		}
	}
	var out rows
	for _, id := range order {
		a := m[id]
		var sum any
		if a.nv > 0 {
			sum = a.sum
		}
		out = append(out, append(append([]any{}, a.key...), a.n, a.nv, sum, a.min, a.max))
	}
	return out
}

func basicCalls(v int) []physical.Agg {
	c := col(v, types.Int64Type)
	return []physical.Agg{aggOf("count", types.Int64Type), aggOf("count", types.Int64Type, c), aggOf("sum", types.Int64Type, c),
		aggOf("min", types.Int64Type, c), aggOf("max", types.Int64Type, c)}
}

func aggCase(schema []*types.Type, in rows, keys []int, v int, limit int64) opCase {
	return opCase{inputs: []table{{schema, in}}, limit: limit, sizes: []int{3, 8192}, want: naiveGroups(in, keys, v),
		build: func(ops []Operator) (Operator, error) {
			n := &physical.HashAggregate{Mode: physical.Complete, Aggs: basicCalls(v)}
			for _, k := range keys {
				n.Group = append(n.Group, col(k, schema[k]))
			}
			return NewHashAggregate(ops[0], n, NewEnv(nil, 0))
		}}
}

func TestHashAggregateKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, keys := range [][]*types.Type{
		{types.Int64Type}, {types.Int32Type}, {types.StringType}, {types.StringType, types.StringType}, {types.Float64Type},
		{types.Int64Type, types.Int32Type, types.BoolType}, {types.NewDecimal(30, 2)}, {types.Int64Type, types.StringType},
		{types.NewArray(types.Int32Type, true)}, {types.NewStruct(types.Field{Name: "a", Type: types.Int32Type, Nullable: true})}, {types.DateType},
	} {
		schema := append(append([]*types.Type{}, keys...), types.Int64Type)
		in := randomRows(r, schema, 400, 12)
		var at []int
		for i := range keys {
			at = append(at, i)
		}
		t.Run(fmt.Sprint(keys), func(t *testing.T) { runCase(t, aggCase(schema, in, at, len(keys), 0)) })
	}
}

func TestHashAggregateSpills(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	schema := []*types.Type{types.Int64Type, types.StringType, types.Int64Type}
	in := randomRows(r, schema, 6000, 5000)
	oc := aggCase(schema, in, []int{0, 1}, 2, 400<<10)
	oc.sizes = []int{512}
	runCase(t, oc)
}

func TestGlobalAggregateOverNothing(t *testing.T) {
	oc := aggCase([]*types.Type{types.Int64Type}, nil, nil, 0, 0)
	oc.want = rows{{int64(0), int64(0), nil, nil, nil}}
	runCase(t, oc)
}

// TestPhases runs Partial (which gives up or not, or passes groups on), PartialMerge and Final after one another.
func TestPhases(t *testing.T) {
	t.Run("gives up", func(t *testing.T) { testPhases(t, func(h *hashAggregate) { h.rows = lookRows - 100 }) })
	t.Run("for a while", func(t *testing.T) {
		testPhases(t, func(h *hashAggregate) { h.passing, h.early, h.looked, h.rows = true, true, true, lookRows-100 })
	})
	t.Run("passes on", func(t *testing.T) { testPhases(t, func(h *hashAggregate) { h.together, h.flushAt = true, 20 }) })
}

func testPhases(t *testing.T, set func(*hashAggregate)) {
	r := rand.New(rand.NewPCG(5, 6))
	schema := []*types.Type{types.StringType, types.Int64Type}
	in := randomRows(r, schema, 500, 40)
	oc := aggCase(schema, in, []int{0}, 1, 0)
	oc.build = func(ops []Operator) (Operator, error) {
		o := ops[0]
		for _, mode := range []physical.AggMode{physical.Partial, physical.PartialMerge, physical.Final} {
			n := &physical.HashAggregate{Mode: mode, Group: []plan.Expr{col(0, types.StringType)}, Aggs: basicCalls(1)}
			at := 1
			for i := range n.Aggs {
				n.Aggs[i].Mode, n.Aggs[i].StateAt = mode, at
				if c, _ := newAggCalls(n.Aggs[i : i+1]); c != nil {
					at += len(c[0].state)
				}
			}
			var err error
			if o, err = NewHashAggregate(o, n, NewEnv(nil, 0)); err != nil {
				return nil, err
			}
			if mode == physical.Partial {
				set(o.(*hashAggregate))
			}
		}
		return o, nil
	}
	runCase(t, oc)
}

// TestPassesEarly: rows of nearly as many groups become states after a short look already, and are grouped later.
func TestPassesEarly(t *testing.T) {
	const repeats = 60 // of the keys after lookRows
	keys := make([]int64, lookRows+repeats*1000)
	for i := range keys {
		keys[i] = int64(uint64(i) * 0x9e3779b97f4a7c15)
		if i >= lookRows {
			keys[i] = int64(i % 1000)
		}
	}
	var in []*vec.Batch
	for from := 0; from < len(keys); from += 1024 {
		in = append(in, &vec.Batch{N: min(1024, len(keys)-from), Cols: []*vec.Vector{vec.FromSlice(types.Int64Type, keys[from:min(from+1024, len(keys))], nil)}})
	}
	n := &physical.HashAggregate{Mode: physical.Partial, Group: []plan.Expr{col(0, types.Int64Type)}}
	o, err := NewHashAggregate(NewLocal([]*types.Type{types.Int64Type}, in), n, NewEnv(nil, 0))
	if err != nil {
		t.Fatal(err)
	}
	rows, early := 0, 0
	account := mem.NewPool(0).NewAccount("t")
	defer account.Close()
	err = task.Run(task.Info{}, &task.Conf{BatchRows: vec.DefaultRows}, account, 0, func(c *task.Ctx) error {
		defer o.Close()
		if err := o.Open(c); err != nil {
			return err
		}
		for {
			b, err := o.Next(c)
			if eof(err) {
				return nil
			}
			if err != nil {
				return err
			}
			if rows += b.N; o.(*hashAggregate).early {
				early = rows
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if early < lookRows/2 || rows > lookRows+2000 {
		t.Fatalf("%d rows passed early of %d in all", early, rows)
	}
}

func TestDistinctAndFilter(t *testing.T) {
	in := rows{{"a", int64(1), true}, {"a", int64(1), true}, {"a", int64(2), nil}, {"b", int64(5), false}, {"b", nil, true}}
	schema := []*types.Type{types.StringType, types.Int64Type, types.BoolType}
	runCase(t, opCase{inputs: []table{{schema, in}},
		want: rows{{"a", int64(2), int64(3), int64(2)}, {"b", int64(1), int64(5), nil}},
		build: func(ops []Operator) (Operator, error) {
			v := col(1, types.Int64Type)
			count, sum, filtered := aggOf("count", types.Int64Type, v), aggOf("sum", types.Int64Type, v), aggOf("sum", types.Int64Type, v)
			count.Call.Distinct, sum.Call.Distinct = true, true
			filtered.Filter = col(2, types.BoolType)
			return NewHashAggregate(ops[0], &physical.HashAggregate{Mode: physical.Complete, Group: []plan.Expr{col(0, types.StringType)},
				Aggs: []physical.Agg{count, sum, filtered}}, NewEnv(nil, 0))
		}})
}

// TestStringKeysAreNumbered groups by few strings, which become many; a table that partitions are chosen by never numbers them.
func TestStringKeysAreNumbered(t *testing.T) {
	for _, ts := range [][]*types.Type{{types.StringType, types.Int64Type, types.BinaryType}, {types.StringType, types.BinaryType}} {
		for _, short := range []bool{false, true} {
			t.Run(fmt.Sprint(ts, short), func(t *testing.T) { testNumberedStrings(t, ts, short) })
		}
	}
}

func testNumberedStrings(t *testing.T, ts []*types.Type, short bool) {
	tab, byValue := newGroupTable(ts, noYield).shorten(), newGroupTable(ts, noYield)
	r := rand.New(rand.NewPCG(3, 4))
	seen := map[string]int32{}
	var keys rows
	numbered := false
	for round := range 30 {
		few := 20
		if round > 20 {
			few = 1 << 20
		}
		var in rows
		for range 2000 {
			row := make([]any, len(ts))
			for c, k := range ts {
				switch {
				case r.IntN(12) == 0:
				case k == types.Int64Type:
					row[c] = int64(r.IntN(5))
				case k == types.BinaryType:
					row[c] = []byte(fmt.Sprintf("other %d", r.IntN(7)))[:r.IntN(2)*7]
				case short:
					row[c] = fmt.Sprint(r.IntN(few))
				default:
					row[c] = fmt.Sprintf("a long string %d", r.IntN(few))
				}
			}
			in = append(in, row)
		}
		b := batchOf(ts, in)
		if round%3 == 0 { // rows that share their strings, as after a join
			idx := make([]int32, b.N)
			for i := range idx {
				idx[i] = int32(r.IntN(300))
			}
			picked := make(rows, b.N)
			for i, k := range idx {
				picked[i] = in[k]
			}
			in = picked
			for c, v := range b.Cols {
				b.Cols[c] = v.Gather(idx)
			}
		}
		byHash, err := byValue.hashes(b.Cols, b.N)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]uint64, b.N)
		if vec.Hash(b.Cols, b.N, want); !slices.Equal(byHash, want) {
			t.Fatal("hashes for partitions aren't those of the values")
		}
		keys = append(keys, groupsOf(t, fmt.Sprint("round ", round), tab, b, in, seen)...)
		if round == 15 {
			numbered = tab.codes != nil && (tab.cells != nil) == (len(ts) == 2)
		}
		numbered = numbered && (round != 16 || tab.known == (len(ts) == 2))
		if round == 20 || round == 29 {
			got := rowsOf(&vec.Batch{N: tab.n, Cols: tab.keyCols(0, tab.n)})
			if a, b := show(got), show(keys); !slices.Equal(a, b) {
				t.Fatalf("round %d: %s", round, diffHead(a, b))
			}
		}
		if round == 5 { // passed on, and begun anew
			if err := tab.empty(); err != nil {
				t.Fatal(err)
			}
			clear(seen)
			keys = nil
		}
	}
	if !numbered || tab.codes != nil {
		t.Errorf("strings numbered: %v while few, %v when many", numbered, tab.codes != nil)
	}
}

// TestStringKeysTurnLong groups by strings of up to seven bytes, and then by longer ones.
func TestStringKeysTurnLong(t *testing.T) {
	for _, ts := range [][]*types.Type{{types.StringType}, {types.StringType, types.Int64Type}, {types.Int32Type, types.StringType, types.BinaryType}} {
		tab := newGroupTable(ts, noYield).shorten()
		if !tab.short {
			t.Fatalf("%v isn't packed", ts)
		}
		r := rand.New(rand.NewPCG(3, 4))
		seen := map[string]int32{}
		for round := range 40 {
			var in rows
			for range 300 {
				row := make([]any, len(ts))
				for c, k := range ts {
					switch {
					case r.IntN(12) == 0:
					case k == types.Int64Type:
						row[c] = int64(r.IntN(5))
					case k == types.Int32Type:
						row[c] = int32(r.IntN(5))
					default:
						s := "abcdefghijkl"[:r.IntN(8)]
						if round > 20 {
							s = "abcdefghijkl"[:r.IntN(13)]
						}
						if row[c] = any(s); k == types.BinaryType {
							row[c] = []byte(s)
						}
					}
				}
				in = append(in, row)
			}
			b := batchOf(ts, in)
			groupsOf(t, fmt.Sprint(ts, ", round ", round), tab, b, in, seen)
		}
		if tab.short || tab.n != len(seen) {
			t.Errorf("%v: %d groups, want %d; packed: %v", ts, tab.n, len(seen), tab.short)
		}
	}
}

// groupsOf looks a batch's rows up in a table and compares their groups with those that equal rows had before, which are
// numbered as they came. It returns the rows that are the first of their group.
func groupsOf(t *testing.T, where string, tab *groupTable, b *vec.Batch, in rows, seen map[string]int32) (first rows) {
	t.Helper()
	hash, err := tab.hashes(b.Cols, b.N)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]int32, b.N)
	if _, err := tab.find(b.Cols, hash, b.N, out); err != nil {
		t.Fatal(err)
	}
	for i, row := range in {
		k := fmt.Sprintf("%q", row)
		if g, ok := seen[k]; ok && g != out[i] || !ok && int(out[i]) != len(seen) {
			t.Fatalf("%s: row %s is in group %d, want %d of %d", where, k, out[i], g, len(seen))
		} else if !ok {
			seen[k] = out[i]
			first = append(first, row)
		}
	}
	return first
}
