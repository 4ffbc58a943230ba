package datasource

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

var (
	pair   = types.NewStruct(field("x", types.Int32Type), types.Field{Name: "y", Type: types.StringType})
	nested = types.NewStruct(
		field("k", types.Int64Type),
		field("lists", types.NewArray(types.NewArray(types.StringType, true), true)),
		field("m", types.NewMap(types.StringType, types.NewArray(pair, true), true)),
		types.Field{Name: "st", Type: types.NewStruct(field("p", pair), field("b", types.BoolType), field("f", types.Float32Type), field("bin", types.BinaryType)), Nullable: true},
		field("full", types.NewArray(types.Int16Type, false)))
	flat = types.NewStruct(field("b", types.BoolType), field("i8", types.Int8Type), field("i16", types.Int16Type), field("i32", types.Int32Type), field("i64", types.Int64Type),
		field("f32", types.Float32Type), field("f64", types.Float64Type), field("d9", types.NewDecimal(9, 2)), field("d18", types.NewDecimal(18, 0)), field("d38", types.NewDecimal(38, 10)),
		field("s", types.StringType), field("uniq", types.StringType), field("bin", types.BinaryType), field("day", types.DateType), field("ts", types.TimestampType), field("ntz", types.TimestampNTZType),
		field("none", types.Int32Type), field("grows", types.Int64Type))
)

func flatRow(k int) []any {
	f := []float64{math.Copysign(0, -1), 0, math.NaN(), math.Inf(1), math.Inf(-1), 1.5, -7, float64(k)}[k%8]
	return []any{k%3 == 0, int8(k), int16(-k), int32(k / 100), int64(k) << 33, float32(f), f, types.I128(int64(k%1000 - 500)), types.I128(int64(k) * 1e12), types.Mul64(int64(k-50), -1<<60),
		strings.Repeat("é", k%7), fmt.Sprint("unique text ", k), []byte{0xff, byte(k)}, int32(k%4000 - 2000), int64(k) * -1e6, int64(k), nil, int64(max(0, k-150_000))}
}

func nestedRow(k int) []any {
	p := types.StructValue{int32(k), fmt.Sprint("y", k%5)}
	lists := []any{[]any{"a", nil, fmt.Sprint(k)}, nil, []any{}}[:k%4%4]
	m := types.MapValue{}
	for i := range k % 3 {
		m.Keys = append(m.Keys, fmt.Sprint("key", i))
		m.Values = append(m.Values, []any{nil, []any{}, []any{p, nil, p}}[(k+i)%3])
	}
	full := make([]any, k%5)
	for i := range full {
		full[i] = int16(k + i)
	}
	row := []any{int64(k), lists, m, types.StructValue{p, k%2 == 0, float32(k), []byte(fmt.Sprint(k))}, full}
	if k%11 == 0 {
		row[1+k%4] = nil
	}
	if k%13 == 0 {
		row[3] = types.StructValue{nil, nil, nil, nil}
	}
	return row
}

func batchOf(t testing.TB, s *types.Type, n, nulls int, row func(int) []any) *vec.Batch {
	bl := make([]*vec.Builder, len(s.Fields))
	for i := range bl {
		bl[i] = vec.NewBuilder(s.Fields[i].Type, n)
	}
	for k := range n {
		for i, x := range row(k) {
			if nulls > 0 && (k*31+i*17)%nulls == 0 {
				x = nil
			}
			if err := bl[i].AppendValue(x); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := &vec.Batch{N: n}
	for _, x := range bl {
		b.Cols = append(b.Cols, x.Finish())
	}
	return b
}

// TestParquetPages reads what is written with the own reader and with arrow-go's:
// all types, with pages and row groups of several kinds.
func TestParquetPages(t *testing.T) {
	for _, x := range []struct {
		name  string
		t     *types.Type
		n     int
		nulls int
		codec string
		row   func(int) []any
	}{
		{"flat", flat, 3000, 5, "snappy", flatRow}, {"flat without nulls", flat, 3000, 0, "none", flatRow}, {"flat zstd", flat, 3000, 2, "zstd", flatRow},
		{"dictionaries that are given up", flat, 200_000, 9, "snappy", flatRow}, {"empty", flat, 0, 0, "gzip", flatRow},
		{"nested", nested, 5000, 0, "snappy", nestedRow}, {"nested gzip", nested, 2000, 0, "gzip", nestedRow}, {"nested pages", nested, 60_000, 7, "none", nestedRow},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := batchOf(t, x.t, x.n, x.nulls, x.row)
			dir := filepath.Join(t.TempDir(), "out")
			if err := writeAll(t, WriteArgs{Format: "parquet", Path: dir, Schema: x.t, Options: map[string]string{"compression": x.codec}}, b, true); err != nil {
				t.Fatal(err)
			}
			s := openAll(t, OpenArgs{Format: "parquet", Paths: []string{dir}})
			got, err := scanAll(t, s, 1, 0)
			if err != nil {
				t.Fatal(err)
			}
			want := rowsOf(b)
			if len(got) != len(want) {
				t.Fatalf("%d rows of %d", len(got), len(want))
			}
			for i := range want {
				if fmt.Sprint(got[i]) != fmt.Sprint(want[i]) { // NaN isn't equal to itself
					t.Fatalf("row %d: %v, want %v", i, got[i], want[i])
				}
			}
			files, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			fh, err := os.Open(files[0])
			if err != nil {
				t.Fatal(err)
			}
			defer fh.Close()
			table, err := pqarrow.ReadTable(context.Background(), fh, parquet.NewReaderProperties(memory.DefaultAllocator), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
			if err != nil {
				t.Fatal(err)
			}
			defer table.Release()
			if int(table.NumRows()) != x.n {
				t.Errorf("arrow-go reads %d rows of %d", table.NumRows(), x.n)
			}
			for i := range x.t.Fields {
				nulls, want := 0, 0
				for _, c := range table.Column(i).Data().Chunks() {
					nulls += c.NullN()
				}
				for k := range x.n {
					if b.Cols[i].IsNull(k) {
						want++
					}
				}
				if nulls != want {
					t.Errorf("arrow-go reads %d nulls of %d in %s", nulls, want, x.t.Fields[i].Name)
				}
			}
		})
	}
}

// written opens the one file of a folder by another reader.
func written(t *testing.T, dir string) *file.Reader {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.parquet"))
	r, err := file.OpenParquetFile(files[0], false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestParquetStatistics(t *testing.T) {
	b := batchOf(t, flat, 1000, 0, flatRow)
	dir := filepath.Join(t.TempDir(), "out")
	if err := writeAll(t, WriteArgs{Format: "parquet", Path: dir, Schema: flat}, b, true); err != nil {
		t.Fatal(err)
	}
	r := written(t, dir)
	got := map[string]string{}
	for i := range flat.Fields {
		cc, err := r.MetaData().RowGroup(0).ColumnChunk(i)
		if err != nil {
			t.Fatal(err)
		}
		st, err := cc.Statistics()
		if err != nil {
			t.Fatal(err)
		}
		if st == nil { // INT96 has no order
			got[flat.Fields[i].Name] = "none"
			continue
		}
		e, err := st.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got[flat.Fields[i].Name] = fmt.Sprintf("%x %x %d", e.Min, e.Max, e.NullCount)
	}
	inf := "0000000000"
	want := map[string]string{
		"b": "00 01 0", "i8": "80ffffff 7f000000 0", "i16": "19fcffff 00000000 0", "i32": "00000000 09000000 0", "i64": "0000000000000000 00000000ce070000 0",
		"f32": "000080ff 0000807f 0", "f64": inf + "00f0ff " + inf + "00f07f 0", "d9": "0cfeffff f3010000 0", "d18": "0000000000000000 007021d0958c0300 0",
		"d38": "ffffffffffffffc4b000000000000000 00000000000000032000000000000000 0", "s": " c3a9c3a9c3a9c3a9c3a9c3a9 0", "uniq": fmt.Sprintf("%x %x 0", "unique text 0", "unique text 999"), "bin": "ff00 ffff 0",
		"day": "30f8ffff 17fcffff 0", "ts": "none", "ntz": "0000000000000000 e703000000000000 0", "none": "  1000", "grows": "0000000000000000 0000000000000000 0",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestParquetEndsRowGroupsForMemory writes with a pool that holds less than the file.
func TestParquetEndsRowGroupsForMemory(t *testing.T) {
	st := types.NewStruct(field("a", types.StringType))
	var list []*vec.Batch
	n := 0
	for k := range 40 {
		list = append(list, batchOf(t, st, 4096, 0, func(i int) []any { return []any{fmt.Sprintf("%d %x", k, uint64(k*4096+i)*0x9e3779b97f4a7c15)} }))
		n += 4096
	}
	dir := t.TempDir()
	cols, ts := columns(st)
	w, err := NewWrite(&physical.Write{Format: "parquet", Path: dir, Cols: cols}, &batches{ts, list}, 0)
	if err != nil {
		t.Fatal(err)
	}
	pool := mem.NewPool(2 << 20)
	if err := task.Run(task.Info{}, &task.Conf{}, pool.NewAccount("t"), 1, func(c *task.Ctx) error {
		defer w.Close()
		if err := w.Open(c); err != nil {
			return err
		}
		_, err := w.Next(c)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r := written(t, dir)
	if r.NumRowGroups() < 2 || r.NumRows() != int64(n) {
		t.Errorf("%d rows of %d in %d row groups", r.NumRows(), n, r.NumRowGroups())
	}
	if now, _ := pool.Used(); now != 0 {
		t.Errorf("%d bytes are still reserved", now)
	}
}
