package datasource

import (
	"errors"
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
