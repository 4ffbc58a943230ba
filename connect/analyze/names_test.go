package analyze

import (
	"context"
	"testing"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
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
		{"SELECT sum(i) IGNORE NULLS FROM t", "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX"},
		{"SELECT row_number() IGNORE NULLS OVER (ORDER BY i) FROM t", "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX"},
		{"SELECT sum(i) WITHIN GROUP (ORDER BY i) FROM t", "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX"},
		{"SELECT abs(i) WITHIN GROUP (ORDER BY i) FROM t", "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX"},
		{"SELECT collect_union(ar) IGNORE NULLS FROM n", ""},
		{"SELECT collect_union(ar) WITHIN GROUP (ORDER BY 1) FROM n", "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX"},
		{"SELECT collect_union(array(m)) FROM n", "DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE"},
		{"SELECT collect_union(i) FROM t", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
		{"SELECT counter_diff(i) FROM t", "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE"},
		{"SELECT counter_diff(i) OVER () FROM t", "WINDOW_FUNCTION_FRAME_NOT_ORDERED"},
		{"SELECT counter_diff(s) OVER (ORDER BY i) FROM t", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
		{"SELECT counter_diff(i, dt) OVER (ORDER BY i) FROM t", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
		{"SELECT counter_diff(value => i, start_time => ts) OVER (ORDER BY i) FROM t", ""},
		{"SELECT counter_diff() OVER (ORDER BY i) FROM t", "REQUIRED_PARAMETER_NOT_FOUND"},
		{"SELECT variant_set(parse_json('{}'), '$.a')", "REQUIRED_PARAMETER_NOT_FOUND"},
		{"SELECT variant_set(parse_json('{}'), '$.a', 1, true, 2)", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"},
		{"SELECT variant_set(parse_json('{}'), '$.a', val => 1, create_if_missing => false)", ""},
		{"SELECT variant_set(parse_json('{}'), '$.a', 1, b) FROM t", "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT"},
		{"SELECT variant_insert(v => parse_json('{}'), path => '$.a', val => 1)", "NAMED_PARAMETERS_NOT_SUPPORTED"},
		{"SELECT variant_insert(parse_json('{}'), '$.a', m) FROM n", "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"},
		{"SELECT variant_delete(parse_json('{}'))", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"},
		{"SELECT CAST(st AS VARIANT) FROM n", "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"},
		{"SELECT CAST(ars AS VARIANT) FROM n", "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"},
		{"SELECT collations()", "NOT_A_SCALAR_FUNCTION"},
		{"SELECT range(3)", "NOT_A_SCALAR_FUNCTION"},
		{"SELECT * FROM sql_keywords(1)", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"},
		{"SELECT * FROM python_worker_logs()", "UNSUPPORTED_FEATURE"},
		{"SELECT from_avro(s, '{}') FROM t", "UNSUPPORTED_FEATURE"},
		{"SELECT measure(i) FROM t", "UNSUPPORTED_FEATURE"},
		{"SELECT timestamp_nanos(1)", "UNSUPPORTED_FEATURE"},
		{"SELECT unix_nanos(ts) FROM t", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
		{"SELECT mid(s, 1, 1) FROM t", "UNRESOLVED_ROUTINE"},
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

// Columns are named as Spark names them.
func TestColumnNames(t *testing.T) {
	a := session(t)
	for sql, want := range map[string]string{
		"SELECT current_date":      "current_date()",
		"SELECT CURRENT_TIMESTAMP": "current_timestamp()",
		"SELECT string_agg(s, ',') WITHIN GROUP (ORDER BY s) FROM t":                               "listagg(s, ,) WITHIN GROUP (ORDER BY s ASC NULLS FIRST)",
		"SELECT regexp_instr('abc', 'b')":                                                          "regexp_instr(abc, b, 0)",
		"SELECT instr('abc', 'b', 1)":                                                              "instr(abc, b, 1, 1)",
		"SELECT instr('abc', 'b')":                                                                 "instr(abc, b)",
		"SELECT array_agg(i) RESPECT NULLS FROM t":                                                 "collect_list(i) RESPECT NULLS",
		"SELECT first_value(i) IGNORE NULLS FROM t":                                                "first(i)",
		"SELECT first_value(i) FROM t":                                                             "first_value(i)",
		"SELECT variant_set(parse_json('{}'), '$.a', 1)":                                           "variant_set(parse_json({}), $.a, 1, true)",
		"SELECT counter_diff(value => i, start_time => ts) OVER w FROM t WINDOW w AS (ORDER BY i)": "counter_diff(i, ts) OVER (ORDER BY i ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
	} {
		n, err := a.Analyze(context.Background(), parse(t, sql))
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		if got := n.Output()[0].Name; got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

// A view that stays can't be made of one that goes with the session.
func TestViewOverTemporaryView(t *testing.T) {
	a := session(t)
	for sql, want := range map[string]string{
		"CREATE VIEW v AS SELECT i FROM t":                              "INVALID_TEMP_OBJ_REFERENCE",
		"CREATE VIEW v AS SELECT 1 AS a WHERE EXISTS (SELECT i FROM t)": "INVALID_TEMP_OBJ_REFERENCE",
		"CREATE TEMPORARY VIEW w AS SELECT i FROM t":                    "",
		"CREATE VIEW x AS WITH t AS (SELECT 1 AS i) SELECT i FROM t":    "",
		"CREATE VIEW y AS SELECT l_orderkey FROM lineitem":              "",
	} {
		_, _, err := a.RunCommand(context.Background(), parse(t, sql).(*plan.Command))
		got := ""
		if e, ok := errs.As(err); ok {
			got = e.Condition
		}
		if got != want {
			t.Errorf("%s: %q (%v), want %q", sql, got, err, want)
		}
	}
}

func TestDescribeComments(t *testing.T) {
	a := session(t)
	a.Tables = &fakeTables{}
	run := func(sql string) plan.Node {
		n, _, err := a.RunCommand(context.Background(), parse(t, sql).(*plan.Command))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	run("CREATE TABLE c (a INT COMMENT 'first', b INT)")
	b := run("DESCRIBE TABLE c").(*plan.LocalRelation).Batches.([]*vec.Batch)[0]
	if got := b.Cols[2].Value(0); got != "first" || !b.Cols[2].IsNull(1) {
		t.Errorf("comments %v, %v; want first, null", got, b.Cols[2].Value(1))
	}
}

func TestCastToBinary(t *testing.T) {
	if castable(types.Int32Type, types.BinaryType, true) || !castable(types.Int32Type, types.BinaryType, false) || !castable(types.StringType, types.BinaryType, true) {
		t.Error("only the legacy cast makes bytes of a number")
	}
}
