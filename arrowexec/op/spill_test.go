package op

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

func TestSpillFile(t *testing.T) {
	dir := t.TempDir()
	schema := []*types.Type{types.StringType, types.Int64Type}
	in := batchOf(schema, rows{{"a", int64(1)}, {nil, int64(2)}, {strings.Repeat("x", 300<<10), nil}})
	account := mem.NewPool(0).NewAccount("t")
	err := task.Run(task.Info{}, &task.Conf{SpillDir: dir}, account, 1, func(c *task.Ctx) error {
		s := NewSpill(c, "test", schema)
		defer s.Close()
		for range 3 {
			if err := s.Add(c, in); err != nil {
				return err
			}
		}
		if err := s.Flush(c); err != nil {
			return err
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%s has a name", left[0].Name())
		}
		r := s.Reader()
		for range 3 {
			b, err := r.Next(c)
			if err != nil {
				return err
			}
			if got, want := show(rowsOf(b)), show(rowsOf(in)); strings.Join(got, "") != strings.Join(want, "") {
				t.Errorf("rows changed")
			}
		}
		if _, err := r.Next(c); err != io.EOF {
			t.Errorf("%v after the last batch", err)
		}
		if err := s.Close(); err != nil {
			return err
		}
		return s.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	err = task.Run(task.Info{}, &task.Conf{SpillDir: filepath.Join(dir, "missing")}, account, 0, func(c *task.Ctx) error {
		s := NewSpill(c, "test", schema)
		defer s.Close()
		if err := s.Add(c, &vec.Batch{N: in.N, Cols: in.Cols}); err != nil {
			return err
		}
		return s.Flush(c)
	})
	if err == nil || !strings.Contains(err.Error(), "SPILL_OUT_OF_MEMORY") {
		t.Errorf("a missing folder gave %v", err)
	}
}
