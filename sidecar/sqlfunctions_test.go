package sidecar

import (
	"context"
	"slices"
	"strings"
	"testing"

	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/internal/errs"
)

// exec runs a command; the answer is "" or the error's condition.
func (r *rig) exec(t *testing.T, text string) string {
	t.Helper()
	if err := r.execute(text); err != nil {
		return conditionOf(err)
	}
	return ""
}

func (r *rig) execute(text string) error { return r.executeInto(text, discard{}) }

func (r *rig) executeInto(text string, sink server.Sink) error {
	n, err := sqlparse.ParseStatement(text, r.engine.sessionConf(r.session).parser())
	if err != nil {
		return err
	}
	return r.engine.Execute(context.Background(), &server.Query{Session: r.session, OperationID: "c" + text[:min(len(text), 40)], Plan: n, Text: text,
		Job: session.JobType{Priority: session.BatchPriority}}, sink)
}

// Functions of SQL text, variables and EXECUTE IMMEDIATE; the answers are Spark's.
func TestSQLFunctions(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 64 << 20})
	for _, c := range []struct{ command, condition string }{
		{"CREATE FUNCTION area(x DOUBLE, y DOUBLE DEFAULT 2) RETURNS DOUBLE RETURN x * y", ""},
		{"CREATE FUNCTION area(x INT) RETURNS INT RETURN 1", "ROUTINE_ALREADY_EXISTS"},
		{"CREATE TEMPORARY FUNCTION twice(n INT) RETURNS INT RETURN area(n)", ""},
		{"CREATE FUNCTION usestemp(n INT) RETURNS INT RETURN twice(n)", "INVALID_TEMP_OBJ_REFERENCE"},
		{"CREATE FUNCTION upto(n INT) RETURNS TABLE(id INT, sq INT) RETURN SELECT i, i * i FROM VALUES (0), (1), (2), (3) AS t(i) WHERE i < n", ""},
		{"CREATE FUNCTION total(k INT) RETURNS BIGINT RETURN SELECT sum(v) FROM VALUES (1, 10), (1, 20), (2, 5) AS t(k2, v) WHERE k2 = k", ""},
		{"CREATE FUNCTION bad(x INT) RETURNS INT RETURN sum(x)", "USER_DEFINED_FUNCTIONS.CANNOT_CONTAIN_COMPLEX_FUNCTIONS"},
		{"CREATE FUNCTION bad(x INT, X INT) RETURNS INT RETURN 1", "DUPLICATE_ROUTINE_PARAMETER_NAMES"},
		{"CREATE FUNCTION bad() RETURNS TABLE(a INT) RETURN 1", "USER_DEFINED_FUNCTIONS.SQL_TABLE_UDF_BODY_MUST_BE_A_QUERY"},
		{"CREATE FUNCTION byt(a BYTE) RETURNS BYTE RETURN CAST(a AS SHORT) + 1", ""},
		{"DROP FUNCTION nobody", "ROUTINE_NOT_FOUND"},
		{"DECLARE lim INT DEFAULT 2", ""},
		{"SET VAR lim = (SELECT max(id) FROM range(4))", ""},
		{"DECLARE found BIGINT", ""},
		{"EXECUTE IMMEDIATE 'SELECT count(*) FROM range(:n)' INTO found USING lim AS n", ""},
	} {
		if got := r.exec(t, c.command); got != c.condition {
			t.Errorf("%s: %q, want %q", c.command, got, c.condition)
		}
	}
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"SELECT area(3, 4), area(3), area(y => 5, x => 2), twice(4)", []string{"12|6|10|8"}},
		{"SELECT * FROM upto(3)", []string{"0|0", "1|1", "2|4"}},
		{"SELECT a.id, b.sq FROM range(1, 3) a, LATERAL upto(CAST(a.id AS INT)) b", []string{"1|0", "2|0", "2|1"}},
		{"SELECT k, total(k) FROM VALUES (1), (2), (3) AS s(k)", []string{"1|30", "2|5", "3|NULL"}},
		{"SELECT area(max(id), count(*)) FROM range(5)", []string{"20"}},
		{"SELECT g, sum(twice(g)) FROM VALUES (1), (1), (2) AS s(g) GROUP BY g HAVING twice(g) > 2", []string{"2|4"}},
		{"SELECT byt(127)", []string{"error CAST_OVERFLOW 22003"}},
		{"SELECT area()", []string{"error WRONG_NUM_ARGS.WITHOUT_SUGGESTION 42605"}},
		{"SELECT lim, lim + 1, found FROM range(1)", []string{"3|4|3"}},
	} {
		got := r.answer(c.query)
		if slices.Sort(got); !slices.Equal(got, c.want) {
			t.Errorf("%s: %s, want %s", c.query, strings.Join(got, "; "), strings.Join(c.want, "; "))
		}
	}
}

func conditionOf(err error) string {
	if x, ok := errs.As(err); ok {
		return x.Condition
	}
	return err.Error()
}

// Uses of a table expression have the same rows, whatever is drawn for them; each query draws anew.
func TestRandomTableExpressions(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 64 << 20})
	seen := map[string]bool{}
	for range 3 {
		got := r.answer("WITH q AS (SELECT id, uuid() u, rand() x FROM range(100)) SELECT count(*), min(a.u) FROM q a JOIN q b USING (id) WHERE a.u = b.u AND a.x = b.x")
		if len(got) != 1 || !strings.HasPrefix(got[0], "100|") || seen[got[0]] {
			t.Fatal(got)
		}
		seen[got[0]] = true
	}
}
