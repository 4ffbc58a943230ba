package analyze

import (
	"context"
	"testing"

	"neptune/internal/errs"
)

// Conditions and answers of statements whose names are reachable in several ways.
func TestConditions(t *testing.T) {
	a := session(t)
	for _, c := range []struct{ sql, cond string }{
		{"SELECT listagg(DISTINCT i, ',') WITHIN GROUP (ORDER BY i) FROM t", ""},
		{"SELECT listagg(DISTINCT CAST(i AS STRING)) WITHIN GROUP (ORDER BY i) FROM t", ""},
		{"SELECT listagg(DISTINCT s) WITHIN GROUP (ORDER BY i) FROM t", "INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT"},
		{"SELECT listagg(DISTINCT CAST(f AS STRING)) WITHIN GROUP (ORDER BY f) FROM t", "INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT_UNSAFE_CAST"},
		{"SELECT explode(null)", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
		{"SELECT * FROM posexplode_outer(null)", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
		{"SELECT inline(null)", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
		{"SELECT sum(f) FROM t NATURAL JOIN (SELECT i FROM t) u GROUP BY t.i ORDER BY max(u.i)", ""},
		{"SELECT sum(f) FROM t NATURAL JOIN (SELECT i FROM t) u GROUP BY t.i HAVING max(u.i) > 0", ""},
		{"SELECT i AS x FROM t GROUP BY i HAVING (SELECT i = 1)", ""},
		{"SELECT * FROM t, LATERAL (SELECT t.*)", ""},
		// b is the grouping column, a date, and not the alias, a number.
		{"SELECT sum(i) AS dt FROM t GROUP BY dt HAVING dt > DATE'2020-01-01'", ""},
	} {
		_, err := a.Analyze(context.Background(), parse(t, c.sql))
		got := ""
		if err != nil {
			got = "no condition"
			if e, ok := errs.As(err); ok {
				got = e.Condition
			}
		}
		if got != c.cond {
			t.Errorf("%s: %q (%v), want %q", c.sql, got, err, c.cond)
		}
	}
}
