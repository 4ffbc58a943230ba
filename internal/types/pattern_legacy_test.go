package types

import (
	"testing"
	"time"
)

// The answers are those of Spark under spark.sql.legacy.timeParserPolicy=LEGACY, in UTC.
func TestLegacyPatterns(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{"dd/MMMMM/yyyy", "26/October/2015", "2015-10-26 00:00:00"},
		{"dd MM yyyy EEEEE", "22 05 2020 Friday", "2020-05-22 00:00:00"},
		{"dd MM yyyy EEEEE", "22 05 2020 Monday", ""},
		{"yyyy-MM-dd HH:mm:ss.SSSSSS", "2019-10-06 10:11:12.12", "2019-10-06 10:11:12.012"},
		{"yyyy-MM-dd HH:mm:ss.SSSSSS", "2019-10-06 10:11:12.1234", ""}, // milliseconds end at 999
		{"yyyy-MM-dd[ HH]", "2019-10-06", ""},                          // brackets are text
		{"yyyy-MM-dd", "2019-10-06 and more", "2019-10-06 00:00:00"},
		{"MM-DDD", "12-365", "1970-12-31 00:00:00"},
		{"yyyy-MM-DDD", "2020-12-350", "2020-12-15 00:00:00"},
		{"yyyy-MM-DDD", "2020-11-350", ""},
		{"HH:mm", "25:00", ""},
		{"hh:mm a", "12:30 AM", "1970-01-01 00:30:00"},
		{"yyyy w", "2020 5", "2020-01-26 00:00:00"},
		{"YYYY w", "2020 5", "2020-01-26 00:00:00"},
		{"YYYY w u", "2020 5 3", "2020-01-29 00:00:00"},
		{"YYYY-ww", "2020-53", ""},
		{"YYYY-ww", "2020-54", ""},
		{"yyyy-ww", "2020-01", ""},
		{"yyyy-ww E", "2020-10 Tue", "2020-03-03 00:00:00"},
		{"yyyy MM W", "2020 05 2", "2020-05-03 00:00:00"},
		{"yyyy MM W", "2020 05 1", ""},
		{"yyyy MM W", "2020 05 0", ""},
		{"yyyy MM W", "2020 05 7", ""},
		{"yyyy MM W E", "2020 05 2 Tue", "2020-05-05 00:00:00"},
		{"yyyy MM F", "2020 05 2", "2020-05-10 00:00:00"},
		{"yyyy MM F E", "2020 05 2 Tue", "2020-05-12 00:00:00"},
		{"yyyy MM F E", "2020 05 5 Fri", "2020-05-29 00:00:00"},
		{"yyyy MM F E", "2020 05 5 Mon", ""},
		{"yyyy MM F u", "2020 05 1 7", "2020-05-03 00:00:00"},
		{"yyyy MM F", "2020 05 0", ""},
		{"yyyy u", "2020 3", "2020-01-01 00:00:00"},
		{"yyyy u", "2020 0", ""},
		{"yyyy u", "2020 8", ""},
		{"u", "5", "1970-01-02 00:00:00"},
		{"E", "Fri", "1970-01-02 00:00:00"},
		{"YYYY", "2020", "2019-12-29 00:00:00"},
		{"YYYY-MM-dd", "2020-05-06", "2019-12-29 00:00:00"},
		{"YYYY-MM", "2020-05", "2019-12-29 00:00:00"},
		{"w", "10", "1970-03-01 00:00:00"},
		{"W", "2", "1970-01-04 00:00:00"},
		{"F", "2", "1970-01-11 00:00:00"},
		{"yyyy-MM-dd w", "2020-05-06 19", "2020-05-06 00:00:00"},
		{"yyyy-MM-dd w", "2020-05-06 20", ""},
		{"yyyy-MM-dd W", "2020-05-06 2", "2020-05-06 00:00:00"},
		{"yyyy-MM-dd W", "2020-05-06 3", ""},
		{"yyyy-MM-dd F", "2020-05-06 1", "2020-05-06 00:00:00"},
		{"yyyy-MM-dd F", "2020-05-06 2", ""},
		{"yyyy-MM-dd u", "2020-05-06 3", "2020-05-06 00:00:00"},
		{"yyyy-MM-dd u", "2020-05-06 4", ""},
		{"YYYY yyyy", "2020 2021", "2021-01-01 00:00:00"},
		{"w yyyy-MM-dd", "20 2020-05-06", ""},
		{"w yyyy-MM-dd", "19 2020-05-06", "2020-05-06 00:00:00"},
		{"YYYY-MM-dd", "2021-12-31", "2020-12-27 00:00:00"},
		{"YYYY-'W'ww-u", "2020-W10-7", "2020-03-01 00:00:00"},
		{"MM W", "05 2", "1970-05-03 00:00:00"},
		{"YYYY MM F E", "2020 05 2 Tue", ""},
		{"YYYY D", "2020 45", ""},
		{"YYYY u", "2020 1", "2019-12-30 00:00:00"},
		{"E yyyy-MM", "Tue 2020-05", "2020-05-05 00:00:00"},
		{"yyyy w dd", "2020 5 10", ""},
		{"yyyy D w", "2020 45 7", "2020-02-14 00:00:00"},
		{"yyyy D w", "2020 45 8", ""},
	} {
		p, err := CompileLegacyPattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		local, _, _, ok := p.Parse(c.text)
		got := ""
		if ok {
			got = string(AppendTimestampNTZ(nil, local))
		}
		if got != c.want {
			t.Errorf("%q by %q: %q, want %q", c.text, c.pattern, got, c.want)
		}
	}
	at := DaysFromCivil(2018, 11, 17)*MicrosPerDay + 13*MicrosPerHour + 33*MicrosPerMinute + 33*MicrosPerSecond + 333_000
	for pattern, want := range map[string]string{
		"yyyy/MM/dd":     "2018/11/17",
		"u EEE EEEE":     "6 Sat Saturday",
		"w W F D":        "46 3 3 321",
		"S SSSS":         "333 0333",
		"X XX XXX Z":     "Z Z Z +0000",
		"h K k H a 'it'": "1 1 13 13 PM it",
	} {
		p, err := CompileLegacyPattern(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(p.Format(nil, at, 0, time.UTC)); got != want {
			t.Errorf("%q: %q, want %q", pattern, got, want)
		}
	}
	for _, bad := range []string{"yyyy XXXX", "q", "'open", "n"} {
		if LegacyPattern(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestFieldsAgree(t *testing.T) {
	for _, c := range []struct{ pattern, text string }{
		{"SSS yyyy ss.SSS", "123 2020 01.456"},
		{"dd-DDD", "30-365"},
		{"yyyy-MM-DDD", "2020-10-350"},
		{"MM MM", "01 02"},
	} {
		p, err := CompileReader(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, ok := p.Parse(c.text); ok {
			t.Errorf("%q by %q is read, though its fields differ", c.text, c.pattern)
		}
	}
	for _, bad := range []string{"EEE", "q", "F", "yyyyyyy", "GGGGG"} {
		if _, err := CompileReader(bad); err == nil {
			t.Errorf("%q is taken for reading", bad)
		}
	}
}
