package op

import (
	"io"
	"testing"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// TestRowBufferKeepsWhatIsFreed: who adds a batch may pass it on to somebody who gives its memory back.
func TestRowBufferKeepsWhatIsFreed(t *testing.T) {
	account := mem.NewPool(0).NewAccount("t")
	defer account.Close()
	err := task.Run(task.Info{}, &task.Conf{BatchRows: 1024}, account, 0, func(c *task.Ctx) error {
		o := NewRange(0, 4096, 1, 0, 1, &vec.Pool{})
		buf := newRowBuffer(c, "test", []*types.Type{types.Int64Type})
		defer buf.close()
		for {
			b, err := o.Next(c)
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			if err := buf.add(b); err != nil {
				return err
			}
			b.Free()
		}
		for i, b := range buf.held {
			if x := vec.Of[int64](b.Cols[0]); x[0] != int64(1024*i) || x[1023] != int64(1024*i+1023) {
				t.Errorf("batch %d: %d to %d", i, x[0], x[1023])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
