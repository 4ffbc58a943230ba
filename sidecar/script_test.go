package sidecar

import (
	"context"
	"slices"
	"strings"
	"testing"

	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/internal/plan"
)

// scripted runs a script and gives the rows of its last query, or the error's condition.
func (r *rig) scripted(t *testing.T, text string) []string {
	t.Helper()
	c := r.engine.sessionConf(r.session)
	n, err := sqlparse.ParseStatement(text, c.parser())
	if err != nil {
		return []string{conditionOf(err)}
	}
	q := &server.Query{Session: r.session, OperationID: "s" + text[:min(len(text), 40)], Plan: n, Text: text, Job: session.JobType{Priority: session.BatchPriority}}
	out, _, err := r.engine.statements(q, c).RunCommand(context.Background(), n.(*plan.Command))
	if err != nil {
		return []string{conditionOf(err)}
	}
	if len(out.Output()) == 0 {
		return nil
	}
	batches, err := r.engine.collect(context.Background(), q, c, out)
	if err != nil {
		return []string{conditionOf(err)}
	}
	var rows []string
	for _, row := range rowsOf(batches) {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = cell(v, out.Output()[i].T)
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	return rows
}

// The answers are Spark's.
func TestScripts(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 64 << 20})
	for _, c := range []struct {
		script string
		want   []string
	}{
		{"BEGIN SELECT 1; SELECT 2; END", []string{"2"}},
		{"BEGIN END", nil},
		{"BEGIN DECLARE x INT DEFAULT 5; SET x = x + 1; SELECT x; END", []string{"6"}},
		{"BEGIN lbl: BEGIN DECLARE y INT DEFAULT 2; SET lbl.y = 4; SELECT lbl.y; END; END", []string{"4"}},
		{"BEGIN DECLARE x INT DEFAULT 1; BEGIN DECLARE x INT DEFAULT 2; SELECT x; END; SELECT x; END", []string{"1"}},
		{"BEGIN DECLARE i INT DEFAULT 0; w: WHILE i < 10 DO SET i = i + 1; IF i = 2 THEN ITERATE w; END IF; IF i = 5 THEN LEAVE w; END IF; END WHILE w; SELECT i; END", []string{"5"}},
		{"BEGIN DECLARE i INT DEFAULT 0; REPEAT SET i = i + 1; UNTIL i >= 4 END REPEAT; SELECT i; END", []string{"4"}},
		{"BEGIN DECLARE i INT DEFAULT 0; l: LOOP SET i = i + 1; IF i > 4 THEN LEAVE l; END IF; END LOOP; SELECT i; END", []string{"5"}},
		{"BEGIN CASE 5 WHEN 4 THEN SELECT 'a'; WHEN 5 THEN SELECT 'b'; END CASE; END", []string{"b"}},
		{"BEGIN CASE 5 WHEN 4 THEN SELECT 'a'; END CASE; END", nil},
		{"BEGIN DECLARE s INT DEFAULT 0; FOR r AS SELECT id, id * 2 AS d FROM range(3) DO SET s = s + r.d; END FOR; SELECT s; END", []string{"6"}},
		{"BEGIN DECLARE a INT; DECLARE b STRING; SET (a, b) = (SELECT 1, 'z'); SELECT a, b; END", []string{"1|z"}},
		{"BEGIN DECLARE x INT; EXECUTE IMMEDIATE 'SELECT 5' INTO x; SELECT x; END", []string{"5"}},
		{"BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SELECT 'handled'; END; SELECT 1/0; SELECT 'after'; END", []string{"handled"}},
		{"BEGIN DECLARE EXIT HANDLER FOR SQLSTATE '22012' BEGIN SELECT 'a'; END; BEGIN SELECT 1/0; END; SELECT 3; END", []string{"a"}},
		{"BEGIN DECLARE EXIT HANDLER FOR UNRESOLVED_COLUMN SELECT 'caught'; SELECT nosuch; END", []string{"caught"}},
		{"BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SELECT 'outer'; END; BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SELECT 1/0; END; SELECT 1/0; END; SELECT 'end'; END", []string{"end"}},
		{"BEGIN DECLARE EXIT HANDLER FOR NOT FOUND SELECT 'none'; SELECT 1/0; END", []string{"DIVIDE_BY_ZERO"}},
		{"BEGIN l1: BEGIN SELECT 1; LEAVE l1; SELECT 2; END; END", []string{"1"}},
		{"BEGIN BEGIN DECLARE zz INT DEFAULT 7; END; SELECT zz; END", []string{"UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"}},
		{"BEGIN DECLARE zz INT DEFAULT 1; EXECUTE IMMEDIATE 'SELECT zz + 1'; END", []string{"UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"}},
		{"BEGIN IF 5 THEN SELECT 1; END IF; END", []string{"INVALID_BOOLEAN_STATEMENT"}},
		{"BEGIN SELECT 1; DECLARE x INT; END", []string{"INVALID_VARIABLE_DECLARATION.ONLY_AT_BEGINNING"}},
		{"BEGIN DECLARE x INT; DECLARE x INT; END", []string{"VARIABLE_ALREADY_EXISTS"}},
		{"BEGIN DECLARE CONTINUE HANDLER FOR DIVIDE_BY_ZERO SELECT 1; END", []string{"UNSUPPORTED_FEATURE.CONTINUE_EXCEPTION_HANDLER"}},
		{"BEGIN DECLARE EXIT HANDLER FOR NOSUCHCOND SELECT 1; END", []string{"INVALID_HANDLER_DECLARATION.CONDITION_NOT_FOUND"}},
		{"BEGIN LEAVE foo; END", []string{"INVALID_LABEL_USAGE.DOES_NOT_EXIST"}},
		{"BEGIN l: BEGIN END m; END", []string{"LABELS_MISMATCH"}},
		{"BEGIN SET spark.sql.ansi.enabled = false; END", []string{"UNRESOLVED_VARIABLE"}},
		{"BEGIN DECLARE c CURSOR FOR SELECT 1; END", []string{"UNSUPPORTED_FEATURE.SQL_CURSOR"}},
		{"BEGIN SELECT 1 END", []string{"PARSE_SYNTAX_ERROR"}},
	} {
		if got := r.scripted(t, c.script); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.script, got, c.want)
		}
	}
}

// The path of SET PATH; the answers are Spark's.
func TestSetPath(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 64 << 20})
	for _, c := range []struct{ command, condition string }{
		{"SET PATH = spark_catalog.default", "UNSUPPORTED_FEATURE.SET_PATH_WHEN_DISABLED"},
		{"SET spark.sql.path.enabled = true", ""},
		{"CREATE SCHEMA pa", ""},
		{"CREATE SCHEMA pb", ""},
		{"CREATE FUNCTION pa.pick() RETURNS INT RETURN 7", ""},
		{"CREATE FUNCTION pb.pick() RETURNS INT RETURN 11", ""},
		{"SET PATH = spark_catalog.pa, spark_catalog.pa", "DUPLICATE_SQL_PATH_ENTRY"},
		{"SET PATH = pa", "INVALID_SQL_PATH_SCHEMA_REFERENCE"},
		{"SET PATH = spark_catalog.pb, spark_catalog.pa, system.builtin", ""},
		{"CREATE FUNCTION pa.frozen() RETURNS STRING RETURN concat(pick(), current_path())", ""},
		{"SET PATH = spark_catalog.pa, current_schema, system.builtin", ""},
	} {
		if got := r.exec(t, c.command); got != c.condition {
			t.Errorf("%s: %q, want %q", c.command, got, c.condition)
		}
	}
	if got := r.scripted(t, "BEGIN SELECT pick(), current_path(), frozen(); END"); !slices.Equal(got, []string{"7|spark_catalog.pa,spark_catalog.default,system.builtin|11spark_catalog.pa,spark_catalog.default,system.builtin"}) {
		t.Errorf("%q", got)
	}
}
