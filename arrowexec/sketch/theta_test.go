package sketch

import (
	"encoding/hex"
	"math"
	"testing"
)

// The bytes and estimates are those of Spark 4.3 with datasketches-java.
func TestThetaBytes(t *testing.T) {
	s := NewTheta(12)
	for i := range int64(5) {
		s.Update(OfInt64(i))
	}
	const want = "0104033e011acc930516861af72df7e45429c550c15b0e52b597e52dcc736e60c1a71047db64d422f49218474d475354"
	if got := hex.EncodeToString(s.Compact().Bytes()); got != want {
		t.Errorf("five numbers: %s", got)
	}
	for in, want := range map[uint64]string{
		OfInt64(1):                  "01030300003acc9315f97dcbbd86a105",
		OfFloat64(1):                "01030300003acc9385d2cee5cad7a37c",
		OfBytes([]byte("1")):        "01030300003acc9355d3073b4c21c309",
		OfBytes([]byte{1, 0, 0, 0}): "01030300003acc935d9caa2282e0f924",
	} {
		one := NewTheta(12)
		one.Update(in)
		if got := hex.EncodeToString(one.Compact().Bytes()); got != want {
			t.Errorf("one value: %s, want %s", got, want)
		}
	}
	if got := hex.EncodeToString(NewTheta(12).Compact().Bytes()); got != "01030300001e0000" {
		t.Errorf("no value: %s", got)
	}
}

func TestThetaEstimates(t *testing.T) {
	big, small := NewTheta(12), NewTheta(4)
	for i := range int64(10000) {
		big.Update(OfInt64(i))
		small.Update(OfInt64(i))
	}
	if got := math.Floor(big.Compact().Estimate() + 0.5); got != 9898 {
		t.Errorf("4096 entries: %v", got)
	}
	const want = "02040333011acc933182504d24b42d0010e5d5ca37afd5e0d0c370e61a7fb504dbea2a388c9081b7f265fe574e2f2ddece32b92c37639c98db68f07a649dc5f618aa1b540175df5b9beccc5818de493354cb73ac64fd092f1bf968f7045292715b6aca660995a664d73f47677c4b1e59aab7c503a8f509"
	if got := hex.EncodeToString(small.Compact().Bytes()); got != want {
		t.Errorf("16 entries: %s", got)
	}
	back, err := ReadTheta(small.Compact().Bytes())
	if err != nil || back.Estimate() != small.Compact().Estimate() {
		t.Errorf("read back: %v, %v", back, err)
	}
}

func TestSetOperations(t *testing.T) {
	of := func(from, to int64) *Compact {
		s := NewTheta(12)
		for i := from; i < to; i++ {
			s.Update(OfInt64(i))
		}
		return s.Compact()
	}
	u := NewTheta(12)
	u.Union(of(0, 7), nil)
	u.Union(of(4, 11), nil)
	for name, c := range map[string]*Compact{"11": u.Compact(), "3": Intersect(of(0, 7), of(4, 11), nil), "4": Without(of(0, 7), of(4, 11))} {
		if got := c.Estimate(); got != map[string]float64{"11": 11, "3": 3, "4": 4}[name] {
			t.Errorf("%s: %v", name, got)
		}
	}
	if !Intersect(of(0, 2), of(5, 7), nil).Empty {
		t.Error("an empty intersection isn't empty")
	}
	for _, bad := range []string{"", "6162", "0103090100000000", "010403"} {
		b, _ := hex.DecodeString(bad)
		if _, err := ReadTheta(b); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func TestTupleBytes(t *testing.T) {
	s := Summary{Double: true}
	one := NewTuple(12)
	one.UpdateSum(OfInt64(1), s.Join, s.Start(math.Float64bits(1)))
	if got := hex.EncodeToString(one.Compact().TupleBytes(s)); got != "01030901000acc9315f97dcbbd86a105000000000000f03f00" {
		t.Error(got)
	}
	if got := hex.EncodeToString(NewTuple(12).Compact().TupleBytes(s)); got != "01030901000ecc93" {
		t.Error(got)
	}
	if _, err := ReadTuple(EmptyTheta(), true); err != ErrFamily("COMPACT") {
		t.Error(err)
	}
}
