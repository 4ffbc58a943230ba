package datasource

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
)

// BenchmarkScan reads columns of the Parquet file NEPTUNE_BENCH_FILE, by default
// all; NEPTUNE_BENCH_COLUMNS lists them with commas between. One task, one thread.
func BenchmarkScan(b *testing.B) {
	path := os.Getenv("NEPTUNE_BENCH_FILE")
	if path == "" {
		b.Skip("NEPTUNE_BENCH_FILE is not set")
	}
	src, err := Open(context.Background(), OpenArgs{Format: "parquet", Paths: []string{path}})
	if err != nil {
		b.Fatal(err)
	}
	s := &physical.Scan{Source: src, Limit: -1}
	names := os.Getenv("NEPTUNE_BENCH_COLUMNS")
	for i, f := range src.Schema().Fields {
		if names == "" || strings.Contains(","+names+",", ","+f.Name+",") {
			s.Cols = append(s.Cols, i)
		}
	}
	for b.Loop() {
		o, err := NewScan(s, 0, 1)
		if err != nil {
			b.Fatal(err)
		}
		err = task.Run(task.Info{}, &task.Conf{}, mem.NewPool(0).NewAccount("bench"), 0, func(c *task.Ctx) error {
			defer o.Close()
			if err := o.Open(c); err != nil {
				return err
			}
			for {
				batch, err := o.Next(c)
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return err
				}
				batch.Free()
			}
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
