package op

import "testing"

// TestSampleIsSparks pins the rows that Spark 4.3.0 samples with spark.range(0, 10, 1, 1).sample(f, 7).
func TestSampleIsSparks(t *testing.T) {
	for f, want := range map[float64][]int{0.25: {8}, 0.5: {0, 1, 6, 8}} {
		x := newXorShift(7)
		var got []int
		for i := range 10 {
			if x.double() < f {
				got = append(got, i)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%v: %v, want %v", f, got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%v: %v, want %v", f, got, want)
			}
		}
	}
}
