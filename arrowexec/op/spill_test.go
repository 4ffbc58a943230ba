package op

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
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

// fullDisk makes the file of a Spill one that has no room.
func fullDisk(t *testing.T, s *Spill) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /dev/full")
	}
	f, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.file.file = f
}

func TestSpillToAFullDisk(t *testing.T) {
	schema := []*types.Type{types.Int64Type}
	in := batchOf(schema, rows{{int64(1)}, {int64(2)}})
	account := mem.NewPool(0).NewAccount("t")
	err := task.Run(task.Info{}, &task.Conf{SpillDir: t.TempDir()}, account, 0, func(c *task.Ctx) error {
		s := NewSpill(c, "sort", schema)
		defer s.Close()
		fullDisk(t, s)
		if err := s.Add(c, in); err != nil {
			return err
		}
		return s.Flush(c)
	})
	e, ok := errs.As(err)
	if !ok || e.Condition != "SPILL_OUT_OF_MEMORY" || e.SQLState() != "82003" || e.Params["consumerToSpill"] != "sort" || !strings.Contains(e.Params["message"], "is full") {
		t.Errorf("%v", err)
	}
}

func TestSiblingsShareAFile(t *testing.T) {
	schema := []*types.Type{types.StringType}
	account := mem.NewPool(0).NewAccount("t")
	err := task.Run(task.Info{}, &task.Conf{SpillDir: t.TempDir()}, account, 1, func(c *task.Ctx) error {
		first := NewSpill(c, "join", schema)
		all := []*Spill{first, first.Sibling(schema), first.Sibling(schema)}
		for round := range 4 {
			for k, s := range all {
				if err := s.AddNow(batchOf(schema, rows{{fmt.Sprint(k, round)}, {strings.Repeat("z", 1000)}})); err != nil {
					return err
				}
				if err := s.Flush(c); err != nil {
					return err
				}
			}
		}
		file := first.file.file
		for k, s := range all {
			r := s.Reader()
			for round := range 4 {
				b, err := r.Next(c)
				if err != nil {
					return err
				}
				if got := b.Cols[0].Str(0); got != fmt.Sprint(k, round) {
					t.Errorf("%d %d: %s", k, round, got)
				}
			}
			if _, err := r.Next(c); err != io.EOF {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				return err
			}
		}
		if _, err := file.Stat(); err == nil {
			t.Error("the file is open after its last user")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
