package virtual

import (
	"flag"
	"testing"
)

var schedules = flag.Int("schedules", 3000, "random schedules to play")

// TestRandomSchedules plays random schedules with delayed, duplicated and
// reordered messages: after every step the core is audited (no slot offered
// twice, no count negative, nothing lost), and every job ends.
func TestRandomSchedules(t *testing.T) {
	for seed := range uint64(*schedules) {
		if err := Soak(seed); err != nil {
			t.Fatal(err)
		}
	}
}
