package analyze

import (
	"context"
	"testing"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

// What Spark 4.3 makes of sums and differences with dates, times and intervals:
// a type, or a condition.
func TestDateArithmetic(t *testing.T) {
	const mismatch = "DATATYPE_MISMATCH."
	for _, c := range []struct{ sql, ansi, legacy string }{
		{"DATE'2011-11-11' + NULL", "timestamp", ""},
		{"NULL + DATE'2011-11-11'", "timestamp", ""},
		{"DATE'2011-11-11' - NULL", "interval day", ""},
		{"NULL - TIMESTAMP'2011-11-11 11:11:11'", "interval day to second", ""},
		{"TIME'08:30' + NULL", "time(6)", ""},
		{"NULL - TIME'08:30'", "interval hour to second", ""},
		{"DATE'2011-11-11' + '1'", mismatch + "UNEXPECTED_INPUT_TYPE", ""},
		{"DATE'2011-11-11' - '2011-11-11'", "interval day", mismatch + "UNEXPECTED_INPUT_TYPE"},
		{"'2011-11-11' - DATE'2011-11-11'", "interval day", ""},
		{"1 - DATE'2011-11-11'", mismatch + "UNEXPECTED_INPUT_TYPE", ""},
		{"DATE'2011-11-11' + 1Y", "date", ""},
		{"TIMESTAMP'2011-11-11 11:11:11' + '1'", mismatch + "BINARY_OP_WRONG_TYPE", mismatch + "BINARY_OP_DIFF_TYPES"},
		{"TIMESTAMP'2011-11-11 11:11:11' - 1", mismatch + "UNEXPECTED_INPUT_TYPE", ""},
		{"TIMESTAMP'2011-11-11 11:11:11' + 1", mismatch + "BINARY_OP_DIFF_TYPES", ""},
		{"TIME'12:30' - TIMESTAMP'2025-07-11 10:00:01'", mismatch + "UNEXPECTED_INPUT_TYPE", ""},
		{"'12:30' - TIME'10:00'", "interval hour to second", mismatch + "BINARY_OP_DIFF_TYPES"},
		{"TIME'12:30' + TIME'10:00'", mismatch + "BINARY_OP_WRONG_TYPE", ""},
		{"INTERVAL 2 DAY + '2011-11-11'", "string", ""},
		{"INTERVAL 2 DAY - '2011-11-11'", mismatch + "BINARY_OP_DIFF_TYPES", ""},
		{"INTERVAL 3 MONTH + INTERVAL 2 DAY", mismatch + "UNEXPECTED_INPUT_TYPE", ""},
		{"INTERVAL 2 DAY - INTERVAL 3 MONTH", mismatch + "BINARY_OP_DIFF_TYPES", ""},
		{"1 + INTERVAL 2 DAY", mismatch + "UNEXPECTED_INPUT_TYPE", ""},
		{"1 + INTERVAL 3 MONTH", mismatch + "BINARY_OP_DIFF_TYPES", ""},
		{"NULL + INTERVAL 3 MONTH", "interval month", ""},
		{"INTERVAL 1 DAY < '1'", mismatch + "BINARY_OP_DIFF_TYPES", ""},
	} {
		for _, ansi := range []bool{true, false} {
			want := c.ansi
			if !ansi && c.legacy != "" {
				want = c.legacy
			}
			a := session(t)
			a.Conf.ANSI = ansi
			n, err := a.Analyze(context.Background(), parse(t, "SELECT "+c.sql))
			got := ""
			if err == nil {
				got = n.Output()[0].T.String()
			} else if e, ok := errs.As(err); ok {
				got = e.Condition
			}
			if got != want {
				t.Errorf("%s (ANSI %t): %s (%v), want %s", c.sql, ansi, got, err, want)
			}
		}
	}
}

// Names of columns, as Spark writes them.
func TestNames(t *testing.T) {
	a := session(t)
	for sql, want := range map[string]string{
		"TIME'12:30' - TIME'10:00'":         "TIME '12:30:00' - TIME '10:00:00'",
		"DATE'2011-11-11' - INTERVAL 2 DAY": "date_add(DATE '2011-11-11', (- extractansiintervaldays(INTERVAL '2' DAY)))",
		"make_interval(1)":                  "make_interval(1, 0, 0, 0, 0, 0, 0.000000)",
		"current_time(2 + 1)":               "current_time((2 + 1))",
		"localtime()":                       "current_time(6)",
		"(1, 2)":                            "named_struct(col1, 1, col2, 2)",
		"struct(1, 2)":                      "struct(1, 2)",
		"boolean(1)":                        "1",
		"CAST(NULL AS ARRAY<INT>)":          "NULL",
		"log(2)":                            "LOG(E(), 2)",
		"ceil(2.5, 0)":                      "ceil(2.5, 0)",
		"try_to_time('1')":                  "try_to_time(to_time(1))",
		"make_timestamp_ltz(DATE'1970-01-01', TIME'0:0')": "make_timestamp(DATE '1970-01-01', TIME '00:00:00')",
		"to_varchar(12, '99')":                            "to_char(12, 99)",
		"to_varchar(x'61', 'hex')":                        "to_varchar(X'61')",
		"mask('a')":                                       "mask(a, X, x, n, NULL)",
		"trim(LEADING 'x' FROM 'xa')":                     "TRIM(LEADING x FROM xa)",
		"1 > 0.00001":                                     "(1 > 0)",
		"0.000000012345678":                               "1.2345678E-8",
		"random(0)":                                       "rand(0)",
	} {
		n, err := a.Analyze(context.Background(), parse(t, "SELECT "+sql))
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		if got := n.(plan.Node).Output()[0].Name; got != want {
			t.Errorf("%s is named %q, want %q", sql, got, want)
		}
	}
}
