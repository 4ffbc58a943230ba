package analyze

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

// fakeTables notes what statements ask for.
type fakeTables struct{ log []string }

func (f *fakeTables) Path(db *catalog.Database, table string) (string, error) {
	return "/wh/" + db.Name + "/" + table, nil
}
func (f *fakeTables) Make(_ []string, path string) error {
	f.log = append(f.log, "make "+path)
	return nil
}
func (f *fakeTables) Clear(path string) error  { f.log = append(f.log, "clear "+path); return nil }
func (f *fakeTables) Remove(path string) error { f.log = append(f.log, "remove "+path); return nil }
func (f *fakeTables) Write(_ context.Context, t *catalog.Table, rows plan.Node, overwrite bool) error {
	var cols []string
	for _, a := range rows.Output() {
		cols = append(cols, a.Name+" "+a.T.String())
	}
	how := "append "
	if overwrite {
		how = "overwrite "
	}
	f.log = append(f.log, how+t.Location+" "+strings.Join(cols, ", "))
	return nil
}

func TestTables(t *testing.T) {
	a := session(t)
	f := &fakeTables{}
	a.Tables = f
	for _, c := range []struct {
		sql, cond string
		log       []string
	}{
		// Columns to partition by come last.
		{"CREATE TABLE x (p INT, a BIGINT, s STRING) PARTITIONED BY (p)", "", []string{"make /wh/default/x"}},
		{"CREATE TABLE x (a INT)", "TABLE_OR_VIEW_ALREADY_EXISTS", nil},
		{"CREATE TABLE IF NOT EXISTS x (a INT)", "", nil},
		{"CREATE TABLE y (a INT, A INT)", "COLUMN_ALREADY_EXISTS", nil},
		{"CREATE TABLE y (a INT) USING nothing_like_it", "DATA_SOURCE_NOT_FOUND", nil},
		{"CREATE TABLE nope.y (a INT)", "SCHEMA_NOT_FOUND", nil},
		{"CREATE TABLE y (a VARCHAR(3))", "UNSUPPORTED_FEATURE", nil},
		{"CREATE TABLE y (a INT NOT NULL)", "UNSUPPORTED_FEATURE", nil},
		{"CREATE TABLE y AS SELECT 1 AS k, 'v' AS w", "", []string{"make /wh/default/y", "append /wh/default/y k int, w string"}},
		{"INSERT INTO x VALUES (1, 's', 2)", "", []string{"append /wh/default/x a bigint, s string, p int"}},
		{"INSERT INTO x VALUES (1)", "", []string{"append /wh/default/x a bigint, s string, p int"}},
		{"INSERT OVERWRITE x (p, a) SELECT 1, 2", "", []string{"overwrite /wh/default/x a bigint, s string, p int"}},
		{"INSERT INTO x BY NAME SELECT 's' AS s", "", []string{"append /wh/default/x a bigint, s string, p int"}},
		{"INSERT INTO x BY NAME SELECT 's' AS t", "INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS", nil},
		{"INSERT INTO x VALUES ('1', 's', 2)", "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", nil},
		{"INSERT INTO x VALUES (1, 's', 2, 3)", "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS", nil},
		{"INSERT INTO x (a, s) VALUES (1)", "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS", nil},
		{"INSERT INTO x (a, A) VALUES (1, 2)", "COLUMN_ALREADY_EXISTS", nil},
		{"INSERT INTO x (b) VALUES (1)", "UNRESOLVED_COLUMN.WITH_SUGGESTION", nil},
		{"INSERT INTO z VALUES (1)", "TABLE_OR_VIEW_NOT_FOUND", nil},
		{"INSERT INTO t VALUES (1)", "UNSUPPORTED_FEATURE", nil}, // a view
		{"TRUNCATE TABLE x", "", []string{"clear /wh/default/x"}},
		{"TRUNCATE TABLE lineitem", "UNSUPPORTED_FEATURE", nil}, // an external table
		{"DROP TABLE x", "", []string{"remove /wh/default/x"}},
		{"DROP TABLE lineitem", "", nil}, // its files stay
		{"DROP TABLE x", "TABLE_OR_VIEW_NOT_FOUND", nil},
	} {
		f.log = nil
		_, _, err := a.RunCommand(context.Background(), parse(t, c.sql).(*plan.Command))
		got := ""
		if err != nil {
			got = err.Error()
			if e, ok := errs.As(err); ok {
				got = e.Condition
			}
		}
		if got != c.cond {
			t.Errorf("%s: %q (%v), want %q", c.sql, got, err, c.cond)
		}
		if d := cmp.Diff(c.log, f.log); d != "" {
			t.Errorf("%s: %s", c.sql, d)
		}
	}
}
