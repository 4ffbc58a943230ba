package datasource

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/internal/types"
)

// TestNestedColumnsCount: what a nested column takes is reserved and counted, also where the task is suspended again and again, and
// a query that has no room for it fails.
func TestNestedColumnsCount(t *testing.T) {
	st := types.NewStruct(field("s", types.NewStruct(field("x", types.Int64Type), field("y", types.StringType))), field("l", types.NewArray(types.Int32Type, true)))
	const n = 100_000
	path := filepath.Join(t.TempDir(), "a.parquet")
	b := batchOf(t, st, n, 7, func(k int) []any {
		return []any{types.StructValue{int64(k), "text"}, []any{int32(k), nil}}
	})
	writeBatch(t, path, st, b)
	run := func(limit int64) (peak, in int64, err error) {
		pool := mem.NewPool(limit)
		o, err := NewScan(openAll(t, OpenArgs{Format: "parquet", Paths: []string{path}}), 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		err = task.Run(task.Info{}, &task.Conf{BatchRows: 1000}, pool.NewAccount("t"), 1, func(c *task.Ctx) error {
			defer o.Close()
			defer func() { in = c.Stats.BytesIn.Load() }()
			if err := o.Open(c); err != nil {
				return err
			}
			for {
				if _, err := o.Next(c); errors.Is(err, io.EOF) {
					return nil
				} else if err != nil {
					return err
				}
			}
		})
		now, peak := pool.Used()
		if now != 0 {
			t.Errorf("%d bytes are still reserved", now)
		}
		return peak, in, err
	}
	size := int64(0)
	for _, c := range b.Cols {
		size += c.Size()
	}
	peak, in, err := run(0)
	if err != nil {
		t.Fatal(err)
	}
	ft, err := readFooter(openAll(t, OpenArgs{Format: "parquet", Paths: []string{path}}).Source.(*Files).files[0])
	if err != nil {
		t.Fatal(err)
	}
	stored := int64(0)
	for g := range ft.meta.NumRowGroups() {
		for leaf := range ft.meta.Schema.NumColumns() {
			cc, err := ft.chunk(g, leaf)
			if err != nil {
				t.Fatal(err)
			}
			stored += cc.TotalCompressedSize()
		}
	}
	if in != stored {
		t.Errorf("%d bytes read of %d", in, stored)
	}
	if most := size / int64(ft.meta.NumRowGroups()); peak < most {
		t.Errorf("%d bytes were reserved for %d", peak, most)
	}
	if _, _, err := run(peak / 4); conditionOf(err) != "UNABLE_TO_ACQUIRE_MEMORY" {
		t.Errorf("without room: %v", err)
	}
}

// TestStructsWithoutFields: structs of which a file has no field are there if they are in the file, or null, as the setting says,
// at any depth; keys of a map can't be null.
func TestStructsWithoutFields(t *testing.T) {
	a := types.NewStruct(field("a", types.Int64Type))
	st := types.NewStruct(field("s", a), field("l", types.NewArray(a, true)), field("m", types.NewMap(types.StringType, a, true)), field("k", types.NewMap(a, types.Int32Type, true)), field("d", types.NewStruct(field("x", a), field("y", types.StringType))))
	path := filepath.Join(t.TempDir(), "a.parquet")
	writeBatch(t, path, st, batchOf(t, st, 2, 0, func(k int) []any {
		if k == 1 {
			return make([]any, len(st.Fields))
		}
		v := types.StructValue{int64(7)}
		return []any{v, []any{v, nil}, types.MapValue{Keys: []any{"k"}, Values: []any{v}}, types.MapValue{Keys: []any{v}, Values: []any{int32(1)}}, types.StructValue{v, "y"}}
	}))
	z := types.NewStruct(field("z", types.Int32Type))
	for _, x := range []struct {
		name        string
		as          *types.Type
		there, null string // of the first row; the second is null
	}{
		{"s", z, "[<nil>]", "<nil>"},
		{"s", types.NewStruct(field("z", z)), "[<nil>]", "<nil>"},
		{"s", types.NewStruct(field("z", z), field("a", types.Int64Type)), "[<nil> 7]", "[<nil> 7]"},
		{"l", types.NewArray(z, true), "[[<nil>] <nil>]", "<nil>"},
		{"m", types.NewMap(types.StringType, z, true), "{[k] [[<nil>]]}", "{[k] [<nil>]}"},
		{"k", types.NewMap(z, types.Int32Type, true), "{[[<nil>]] [1]}", "FAILED_READ_FILE.NO_HINT"},
		{"d", types.NewStruct(field("x", z)), "[[<nil>]]", "<nil>"},
		{"d", types.NewStruct(field("x", z), field("y", types.StringType)), "[[<nil>] y]", "[<nil> y]"},
	} {
		for legacy, want := range map[string]string{"": x.there, "false": x.there, "true": x.null} {
			rows, err := scanAll(t, openAll(t, OpenArgs{Format: "parquet", Paths: []string{path}, Schema: types.NewStruct(field(x.name, x.as)), Conf: map[string]string{"spark.sql.legacy.parquet.returnNullStructIfAllFieldsMissing": legacy}}), 1, 0)
			got := conditionOf(err)
			if err == nil {
				got = fmt.Sprint(rows[0][0])
				if rows[1][0] != nil {
					t.Errorf("%s as %s: null is %v", x.name, x.as, rows[1][0])
				}
			}
			if got != want {
				t.Errorf("%s as %s, legacy %q: %s, not %s", x.name, x.as, legacy, got, want)
			}
		}
	}
}

// TestWhichErrorsPass: ignoreCorruptFiles passes files that are of another type than the schema, but for lists and maps.
func TestWhichErrorsPass(t *testing.T) {
	l := types.NewArray(types.Int32Type, true)
	st := types.NewStruct(field("s", types.StringType), field("l", l), field("r", types.NewStruct(field("a", types.Int32Type))))
	path := filepath.Join(t.TempDir(), "a.parquet")
	writeBatch(t, path, st, batchOf(t, st, 3, 0, func(k int) []any { return []any{"x", []any{int32(k)}, types.StructValue{int32(k)}} }))
	for _, x := range []struct {
		name, err string
		as        *types.Type
		passes    bool
	}{
		{"s", "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH", types.Int32Type, true},
		{"s", "FAILED_READ_FILE.NO_HINT", types.NewStruct(field("a", types.Int32Type)), true},
		{"r", "FAILED_READ_FILE.NO_HINT", types.Int32Type, true},
		{"l", "FAILED_READ_FILE.NO_HINT", types.Int32Type, false},
		{"l", "FAILED_READ_FILE.NO_HINT", types.NewStruct(field("a", types.Int32Type)), false},
	} {
		for _, ignore := range []bool{false, true} {
			rows, err := scanAll(t, openAll(t, OpenArgs{Format: "parquet", Paths: []string{path}, Schema: types.NewStruct(field(x.name, x.as)), Options: map[string]string{"ignoreCorruptFiles": fmt.Sprint(ignore)}}), 1, 0)
			want := x.err
			if ignore && x.passes {
				want = "<nil>"
			}
			if conditionOf(err) != want || len(rows) > 0 {
				t.Errorf("%s as %s, ignored %v: %v, %v", x.name, x.as, ignore, rows, err)
			}
		}
	}
}
