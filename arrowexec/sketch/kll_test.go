package sketch

import (
	"encoding/hex"
	"math"
	"strconv"
	"testing"
)

// Bytes and answers are those of Spark 4.3.
func TestKLL(t *testing.T) {
	s := NewKLL[float64](DefaultK)
	for _, x := range []float64{1, 2, 3} {
		s.Update(x)
	}
	const want = "05010f00c80008000300000000000000c8000100c5000000000000000000f03f0000000000000840000000000000f03f00000000000000400000000000000840"
	if got := hex.EncodeToString(s.Bytes()); got != want {
		t.Errorf("three: %s", got)
	}
	one := NewKLL[int64](DefaultK)
	if got := hex.EncodeToString(one.Bytes()); got != "02010f01c8000800" {
		t.Errorf("none: %s", got)
	}
	one.Update(1)
	if got := hex.EncodeToString(one.Bytes()); got != "02020f04c80008000100000000000000" {
		t.Errorf("one: %s", got)
	}
	five := NewKLL[int64](DefaultK)
	for i := range int64(5) {
		five.Update(i + 1)
	}
	for q, want := range map[float64]int64{0: 1, 0.25: 2, 0.5: 3, 1: 5} {
		if got := five.Quantile(q); got != want {
			t.Errorf("quantile %v: %d", q, got)
		}
	}
	for x, want := range map[int64]float64{0: 0, 3: 0.6, 9: 1} {
		if got := five.Rank(x); got != want {
			t.Errorf("rank of %d: %v", x, got)
		}
	}
}

func TestKLLEstimates(t *testing.T) {
	s, o := NewKLL[int64](DefaultK), NewKLL[int64](DefaultK)
	for i := range int64(100000) {
		if i%2 == 0 {
			s.Update(i)
		} else {
			o.Update(i)
		}
	}
	back, err := ReadKLL[int64](o.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	s.Merge(back)
	var sum int64
	for h, l := range s.levels {
		sum += int64(len(l)) << h
	}
	if s.N() != 100000 || sum != s.N() || s.held > totalCapacity(s.k, len(s.levels)) {
		t.Fatalf("n %d, weights %d, held %d", s.N(), sum, s.held)
	}
	for _, q := range []float64{0.01, 0.25, 0.5, 0.9} { // ten times the error of one in a hundred
		if got := float64(s.Quantile(q)) / 100000; math.Abs(got-q) > 0.13 {
			t.Errorf("quantile %v: %v", q, got)
		}
	}
	// The capacities of three levels of k 20, as Spark tells them.
	if got := totalCapacity(20, 3); got != 42 {
		t.Errorf("capacity %d", got)
	}
	if text := NewKLL[int64](DefaultK).Summary("Longs", func(x int64) string { return strconv.FormatInt(x, 10) }); len(text) < 100 {
		t.Error(text)
	}
	for _, bad := range []string{"", "00", "02010f01c80007", "05010f00c8000800030000000000"} {
		b, _ := hex.DecodeString(bad)
		if _, err := ReadKLL[int64](b); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
