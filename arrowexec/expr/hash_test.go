package expr

import (
	"testing"

	"neptune/arrowexec/fn"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// The answers are those of Spark's documentation of the functions.
func TestHashesAndRandomNumbers(t *testing.T) {
	bin := func(s string) plan.Expr { return lit(types.BinaryType, []byte(s)) }
	for _, c := range []struct {
		e    plan.Expr
		want string
	}{
		{mk(t, "hash", str("Spark"), mk(t, "array", i32(123)), i32(2)), "-1321691492"},
		{mk(t, "xxhash64", str("Spark"), mk(t, "array", i32(123)), i32(2)), "5602566077635097486"},
		{mk(t, "md5", bin("Spark")), "8cde774d6f7333752ed72cacddb05126"},
		{mk(t, "crc32", bin("Spark")), "1557323817"},
		{mk(t, "sha2", bin("Spark"), i32(256)), "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b"},
		{mk(t, "rand", i32(0)), "0.7604953758285915"},
		{mk(t, "randn", i32(0)), "1.6034991609278433"},
		{mk(t, "hex", str("Spark SQL")), "537061726B2053514C"},
		{mk(t, "factorial", i32(5)), "120"},
	} {
		if got := text(t, c.e); got != c.want {
			k, _ := key(c.e)
			t.Errorf("%s: %s, want %s", k, got, c.want)
		}
	}
}

func TestDateParts(t *testing.T) {
	date := castTo(str("2015-01-14"), types.DateType, plan.ANSI)
	ts := castTo(str("2019-08-12 01:00:05.123456"), types.TimestampType, plan.ANSI)
	dt := castTo(str("5 04:03:02.5"), types.DayTimeType, plan.ANSI)
	ext := func(name string, src plan.Expr) plan.Expr {
		c := mk(t, "date_part", str(name), src)
		x, err := extractRewrite(c)
		if err != nil {
			t.Fatal(err)
		}
		u := x.(*plan.Call)
		return mk(t, u.Name, u.Args...)
	}
	for _, c := range []struct {
		e    plan.Expr
		want string
	}{
		{mk(t, "next_day", date, str("TU")), "2015-01-20"}, {mk(t, "next_day", date, str("wed")), "2015-01-21"}, {mk(t, "next_day", date, str("xx")), "!ILLEGAL_DAY_OF_WEEK"},
		{mk(t, "make_date", i32(2024), i32(2), i32(29)), "2024-02-29"}, {mk(t, "make_date", i32(2023), i32(2), i32(29)), "!DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION"},
		{mk(t, "split_part", str("11.12.13"), str("."), i32(3)), "13"}, {mk(t, "split_part", str("a,b"), str(","), i32(-2)), "a"}, {mk(t, "split_part", str("a"), str(","), i32(0)), "!INVALID_INDEX_OF_ZERO"},
		{ext("SECONDS", ts), "5.123456"}, {ext("year", ts), "2019"}, {ext("doy", date), "14"}, {ext("hours", dt), "4"}, {ext("second", dt), "2.500000"}, {ext("yearofweek", date), "2015"},
	} {
		if got := text(t, c.e); got != c.want {
			k, _ := key(c.e)
			t.Errorf("%s: %s, want %s", k, got, c.want)
		}
	}
}

func extractRewrite(c *plan.Call) (plan.Expr, error) { return fn.Lookup("date_part").Rewrite(c) }
