package types

import "testing"

func TestDecimalResultTypes(t *testing.T) {
	d := NewDecimal
	for _, c := range []struct {
		name      string
		got, want *Type
	}{
		{"add", AddDecimal(d(10, 0), d(2, 1), true), d(12, 1)},
		{"add at the limit", AddDecimal(d(38, 10), d(38, 10), true), d(38, 9)},
		{"mul", MulDecimal(d(12, 2), d(13, 2), true), d(26, 4)},
		{"mul loses scale", MulDecimal(d(38, 18), d(38, 18), true), d(38, 6)},
		{"div", DivDecimal(d(2, 1), d(10, 0), true), d(13, 12)},
		{"div wide", DivDecimal(d(38, 2), d(38, 2), true), d(38, 6)},
		{"mod", ModDecimal(d(2, 1), d(10, 0), true), d(2, 1)},
		{"no loss allowed", MulDecimal(d(38, 18), d(38, 18), false), d(38, 36)},
		{"wider", Rules{}.WiderDecimal(d(10, 2), d(5, 4)), d(12, 4)},
		{"wider, too wide", Rules{}.WiderDecimal(d(38, 20), d(20, 0)), d(38, 18)},
		{"wider, no room for a scale", Rules{}.WiderDecimal(d(38, 0), d(10, 5)), d(38, 0)},
		{"wider, the fraction first", Rules{FractionFirst: true}.WiderDecimal(d(38, 20), d(20, 0)), d(38, 20)},
	} {
		if !Equal(c.got, c.want) {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestWider(t *testing.T) {
	for _, c := range []struct {
		a, b, want *Type
		ansi       bool
	}{
		{Int32Type, Int64Type, Int64Type, true},
		{Int32Type, Float32Type, Float64Type, true},
		{Int32Type, Float32Type, Float32Type, false},
		{StringType, Int32Type, Int64Type, true},
		{StringType, Int32Type, StringType, false},
		{StringType, DateType, DateType, true},
		{DateType, TimestampType, TimestampType, true},
		{DateType, Int32Type, nil, true},
		{NewDecimal(10, 2), Int32Type, NewDecimal(12, 2), true},
		{NewDecimal(10, 2), Float64Type, Float64Type, true},
		{NewArray(Int32Type, false), NewArray(Int64Type, true), NewArray(Int64Type, true), true},
		{NullType, DateType, DateType, true},
	} {
		if got := (Rules{ANSI: c.ansi}).Wider(c.a, c.b, true); !Equal(got, c.want) {
			t.Errorf("%s, %s: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}
