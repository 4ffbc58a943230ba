package types

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestDoubleAsJava(t *testing.T) {
	for _, c := range []struct {
		x    float64
		want string
	}{
		{0, "0.0"}, {math.Copysign(0, -1), "-0.0"}, {1, "1.0"}, {100, "100.0"}, {1e7, "1.0E7"}, {9999999, "9999999.0"},
		{12345678.9, "1.23456789E7"}, {0.001, "0.001"}, {0.0001, "1.0E-4"}, {1.5e-5, "1.5E-5"}, {1e100, "1.0E100"},
		{math.Inf(1), "Infinity"}, {math.NaN(), "NaN"}, {math.MaxFloat64, "1.7976931348623157E308"}, {5e-324, "4.9E-324"},
	} {
		got := string(AppendDouble(nil, c.x))
		if got != c.want {
			t.Errorf("%g: %s, want %s", c.x, got, c.want)
		}
	}
	if got := string(AppendFloat(nil, 1.1)); got != "1.1" {
		t.Errorf("float 1.1: %s", got)
	}
}

func TestDatesAgainstTime(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		days := int32(r.IntN(4000000) - 2000000)
		y, m, d := time.Unix(int64(days)*86400, 0).UTC().Date()
		gy, gm, gd := CivilFromDays(int64(days))
		if gy != int64(y) || gm != int(m) || gd != d {
			t.Fatalf("day %d: %d-%d-%d, want %d-%d-%d", days, gy, gm, gd, y, m, d)
		}
		if back := DaysFromCivil(gy, gm, gd); back != int64(days) {
			t.Fatalf("day %d comes back as %d", days, back)
		}
		if n := DaysInMonth(gy, gm); n != time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day() {
			t.Fatalf("%d-%d has %d days", gy, gm, n)
		}
	}
}

func TestZones(t *testing.T) {
	la, err := LoadZone("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	z := NewZoneCache(la)
	for _, c := range []struct{ in, want string }{
		{"2020-03-08 02:30:00", "2020-03-08 03:30:00"}, // skipped
		{"2020-11-01 01:30:00", "2020-11-01 01:30:00"}, // twice
		{"1880-01-01 00:00:00", "1880-01-01 00:00:00"},
		{"2019-07-04 12:34:56.789", "2019-07-04 12:34:56.789"},
		{"2050-07-04 12:00:00", "2050-07-04 12:00:00"},
	} {
		us, ok := ParseTimestamp(c.in, z, nil)
		if got := string(AppendTimestamp(nil, us, la)); !ok || got != c.want {
			t.Errorf("%s: %s (%t), want %s", c.in, got, ok, c.want)
		}
	}
	first, _ := ParseTimestamp("2020-11-01 01:30:00", z, nil)
	if want := time.Date(2020, 11, 1, 8, 30, 0, 0, time.UTC).UnixMicro(); first != want {
		t.Errorf("of two instants not the earlier: %d, want %d", first, want)
	}
}

func TestParseTimestampForms(t *testing.T) {
	z := NewZoneCache(time.UTC)
	now := func() time.Time { return time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC) }
	for _, c := range []struct{ in, want string }{
		{"2020", "2020-01-01 00:00:00"}, {"2020-2", "2020-02-01 00:00:00"}, {" 2020-02-03 ", "2020-02-03 00:00:00"},
		{"2020-02-03T4:5:6.5", "2020-02-03 04:05:06.5"}, {"2020-02-03 04:05", "2020-02-03 04:05:00"},
		{"2020-02-03 04:05:06Z", "2020-02-03 04:05:06"}, {"2020-02-03 04:05:06+01:00", "2020-02-03 03:05:06"},
		{"2020-02-03 04:05:06.123456789 UTC+1", "2020-02-03 03:05:06.123456"}, {"2020-02-03 04:05:06 Europe/Paris", "2020-02-03 03:05:06"},
		{"2020-02-03 04:05:06.1-8", "2020-02-03 12:05:06.1"}, {"12:30", "2024-02-03 12:30:00"}, {"T12:30:01", "2024-02-03 12:30:01"},
		{"20-02-03", ""}, {"2020-13-01", ""}, {"2020-02-30", ""}, {"2020-02-03 25:00:00", ""}, {"x", ""}, {"", ""},
		{"2020-02-03 04:05:06 Nowhere/City", ""}, {"2020-02-03x", ""}, {"-0001-02-03", "-0001-02-03 00:00:00"},
	} {
		us, ok := ParseTimestamp(c.in, z, now)
		got := ""
		if ok {
			got = string(AppendTimestampNTZ(nil, us))
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
	for in, want := range map[string]string{"2020-1-2 rest": "2020-01-02", "2020-1-2Tx": "2020-01-02", "12020-01-02": "+12020-01-02", "2020-1-2x": "", "2020-": "", "2020": "2020-01-01"} {
		d, ok := ParseDate(in)
		got := ""
		if ok {
			got = string(AppendDate(nil, d))
		}
		if got != want {
			t.Errorf("date %q: %q, want %q", in, got, want)
		}
	}
}

func TestIntervalsAsText(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{string(AppendYearMonth(nil, 14, YearMonthType)), "INTERVAL '1-2' YEAR TO MONTH"},
		{string(AppendYearMonth(nil, -14, YearMonthType)), "INTERVAL '-1-2' YEAR TO MONTH"},
		{string(AppendYearMonth(nil, 24, NewYearMonth(Year, Year))), "INTERVAL '2' YEAR"},
		{string(AppendDayTime(nil, 93784500000, DayTimeType)), "INTERVAL '1 02:03:04.5' DAY TO SECOND"},
		{string(AppendDayTime(nil, -93784500000, DayTimeType)), "INTERVAL '-1 02:03:04.5' DAY TO SECOND"},
		{string(AppendDayTime(nil, MicrosPerHour, NewDayTime(Hour, Hour))), "INTERVAL '01' HOUR"},
		{string(AppendDayTime(nil, 90*MicrosPerDay, NewDayTime(Day, Day))), "INTERVAL '90' DAY"},
		{string(AppendCalendar(nil, CalendarValue{14, 3, 3661500000})), "1 years 2 months 3 days 1 hours 1 minutes 1.5 seconds"},
		{string(AppendCalendar(nil, CalendarValue{})), "0 seconds"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}
