package op

import (
	"testing"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
)

// TestRangeUsesMemoryAgain: a batch that was given back lies where the next one does.
func TestRangeUsesMemoryAgain(t *testing.T) {
	account := mem.NewPool(0).NewAccount("t")
	defer account.Close()
	err := task.Run(task.Info{}, &task.Conf{BatchRows: 1024}, account, 0, func(c *task.Ctx) error {
		o := NewRange(0, 3072, 1, 0, 1, &vec.Pool{})
		var first []int64
		for from := int64(0); from < 3072; from += 1024 {
			b, err := o.Next(c)
			if err != nil {
				return err
			}
			got := vec.Of[int64](b.Cols[0])
			if got[0] != from || got[1023] != from+1023 {
				t.Errorf("from %d: %d to %d", from, got[0], got[1023])
			}
			if first == nil {
				first = got
			} else if &got[0] != &first[0] {
				t.Errorf("from %d: new memory", from)
			}
			b.Free()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
