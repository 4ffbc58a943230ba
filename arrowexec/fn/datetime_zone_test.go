package fn

import (
	"testing"
	"time"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// The time between two timestamps is that between their clocks, though one is in summer.
func TestSubtractTimestampsInZone(t *testing.T) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err) // Go's own distribution has the zones, if the host doesn't
	}
	x := time.Date(2020, 1, 1, 0, 0, 0, 0, zone).UnixMicro()
	y := time.Date(2019, 10, 6, 10, 0, 0, 0, zone).UnixMicro()
	var st any
	o := Lookup("subtract_timestamps").Overloads[0]
	v, err := o.Eval(&Args{Env: &Env{Conf: &Conf{TimeZone: zone}}, N: 1, Ret: types.DayTimeType, State: &st,
		V: []*vec.Vector{vec.FromSlice(types.TimestampType, []int64{x}, nil), vec.FromSlice(types.TimestampType, []int64{y}, nil)}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := vec.Of[int64](v)[0], int64(86*24+14)*3600e6; got != want {
		t.Errorf("%d microseconds, want %d", got, want)
	}
}

// Months are counted with the time since the start of the day, an hour less where the clock was put forward;
// the answer is Spark's.
func TestMonthsBetweenInZone(t *testing.T) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	x := time.Date(2024, 3, 10, 12, 0, 0, 0, zone).UnixMicro()
	y := time.Date(2024, 1, 1, 0, 0, 0, 0, zone).UnixMicro()
	var st any
	v, err := monthsBetween(&Args{Env: &Env{Conf: &Conf{TimeZone: zone}}, N: 1, Ret: types.Float64Type, State: &st,
		V: []*vec.Vector{vec.FromSlice(types.TimestampType, []int64{x}, nil), vec.FromSlice(types.TimestampType, []int64{y}, nil)}})
	if err != nil {
		t.Fatal(err)
	}
	if got := vec.Of[float64](v)[0]; got != 2.30510753 {
		t.Errorf("%v months, want 2.30510753", got)
	}
}
