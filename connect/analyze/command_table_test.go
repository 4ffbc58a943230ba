package analyze

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neptune/connect/catalog"
	"neptune/connect/sqlparse"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

// fakeTables notes what statements ask for.
type fakeTables struct {
	log   []string
	wrote [][]string          // the partitions that writes make
	there []catalog.Partition // what Find finds
}

func (f *fakeTables) Path(db *catalog.Database, table string) (string, error) {
	return "/wh/" + db.Name + "/" + table, nil
}
func (f *fakeTables) Make(_ []string, path string) error {
	f.log = append(f.log, "make "+path)
	return nil
}
func (f *fakeTables) Clear(path string) error  { f.log = append(f.log, "clear "+path); return nil }
func (f *fakeTables) Remove(path string) error { f.log = append(f.log, "remove "+path); return nil }
func (f *fakeTables) MakeFolder(path string) error {
	f.log = append(f.log, "folder "+path)
	return nil
}
func (f *fakeTables) Move(from, to string) error {
	f.log = append(f.log, "move "+from+" "+to)
	return nil
}
func (f *fakeTables) Size(string, bool) (int64, int, error)            { return 42, 1, nil }
func (f *fakeTables) Find(*catalog.Table) ([]catalog.Partition, error) { return f.there, nil }
func (f *fakeTables) Folder(t *catalog.Table, p catalog.Partition) string {
	if p.Location != "" {
		return p.Location
	}
	return t.Location + "/" + strings.Join(p.Values, "/")
}
func (f *fakeTables) WriteFiles(_ context.Context, w *plan.Write) error {
	f.log = append(f.log, "files "+w.Format+" "+w.Path)
	return nil
}
func (f *fakeTables) Write(_ context.Context, t *catalog.Table, rows plan.Node, w TableWrite) ([][]string, error) {
	var cols []string
	for _, a := range rows.Output() {
		cols = append(cols, a.Name+" "+a.T.String())
	}
	how := "append "
	if w.Overwrite {
		how = "overwrite "
	}
	if len(w.Static) > 0 {
		how += strings.Join(w.Static, "/") + " "
	}
	f.log = append(f.log, how+t.Location+" "+strings.Join(cols, ", "))
	return f.wrote, nil
}

func TestTables(t *testing.T) {
	a := session(t)
	f := &fakeTables{}
	a.Tables = f
	a.ParseExpr = func(text string) (plan.Expr, error) { return sqlparse.ParseExpression(text, sqlparse.Options{}) }
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
		{"CREATE TABLE v (a VARCHAR(3), b INT NOT NULL, c STRING DEFAULT 'x')", "", []string{"make /wh/default/v"}},
		{"INSERT INTO v VALUES ('a', 1, DEFAULT)", "", []string{"append /wh/default/v a string, b int, c string"}},
		{"INSERT INTO v VALUES ('a', 1, concat(DEFAULT, 'y'))", "DEFAULT_PLACEMENT_INVALID", nil},
		{"INSERT INTO v (a) VALUES ('a')", "", []string{"append /wh/default/v a string, b int, c string"}},
		{"CREATE TABLE y (a INT DEFAULT 'x')", "INVALID_DEFAULT_VALUE.DATA_TYPE", nil},
		{"CREATE TABLE y (a INT DEFAULT b, b INT)", "INVALID_DEFAULT_VALUE.NOT_CONSTANT", nil},
		{"CREATE TABLE y (a INT DEFAULT (SELECT 1))", "INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION", nil},
		{"CREATE TABLE y (a INT GENERATED ALWAYS AS (1 + 1))", "UNSUPPORTED_FEATURE.TABLE_OPERATION", nil},
		{"CREATE TABLE y (a INT PRIMARY KEY, b INT)", "UNSUPPORTED_FEATURE.TABLE_OPERATION", nil},
		{"CREATE TABLE y (a INT, CONSTRAINT c CHECK (a > 0))", "UNSUPPORTED_FEATURE.TABLE_OPERATION", nil},
		{"CREATE OR REPLACE TABLE y (a INT)", "UNSUPPORTED_FEATURE.TABLE_OPERATION", nil},
		{"CREATE TABLE y (a INT) USING hive", "NOT_SUPPORTED_COMMAND_WITHOUT_HIVE_SUPPORT", nil},
		{"CREATE TABLE y (a INT) USING text", "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", nil},
		{"CREATE TABLE y (a INT) CLUSTERED BY (b) INTO 2 BUCKETS", "COLUMN_NOT_DEFINED_IN_TABLE", nil},
		{"CREATE TABLE y (a INT) CLUSTERED BY (a) INTO 0 BUCKETS", "INVALID_BUCKET_COUNT", nil},
		{"CREATE TABLE y (a INT) PARTITIONED BY (years(a))", "UNSUPPORTED_PARTITION_TRANSFORM", nil},
		{"CREATE EXTERNAL TABLE y (a INT)", "CREATE_EXTERNAL_TABLE_WITHOUT_LOCATION", nil},
		{"CREATE TABLE y USING parquet", "UNABLE_TO_INFER_SCHEMA", nil},
		{"CREATE TABLE w LIKE v", "", []string{"make /wh/default/w"}},
		{"CREATE TABLE y AS SELECT 1 AS k, 'v' AS w", "", []string{"make /wh/default/y", "append /wh/default/y k int, w string"}},
		{"INSERT INTO x VALUES (1, 's', 2)", "", []string{"append /wh/default/x a bigint, s string, p int"}},
		{"INSERT INTO x VALUES (1)", "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS", nil},
		{"INSERT INTO x PARTITION (p = 5) VALUES (1, 's')", "", []string{"append 5 /wh/default/x a bigint, s string, p int"}},
		{"INSERT INTO x PARTITION (q = 5) VALUES (1, 's')", "PARTITIONS_NOT_FOUND", nil},
		{"INSERT INTO x PARTITION (p = 5) VALUES (1)", "INSERT_PARTITION_COLUMN_ARITY_MISMATCH", nil},
		{"INSERT OVERWRITE x PARTITION (p) IF NOT EXISTS VALUES (1, 's', 2)", "_LEGACY_ERROR_TEMP_0035", nil},
		{"INSERT INTO x REPLACE WHERE p = 1 VALUES (1, 's', 2)", "UNSUPPORTED_FEATURE.TABLE_OPERATION", nil},
		{"INSERT OVERWRITE x (p, a) SELECT 1, 2", "", []string{"overwrite /wh/default/x a bigint, s string, p int"}},
		{"INSERT INTO x BY NAME SELECT 's' AS s", "", []string{"append /wh/default/x a bigint, s string, p int"}},
		{"INSERT INTO x BY NAME SELECT 's' AS t", "INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS", nil},
		{"INSERT INTO x VALUES ('1', 's', 2)", "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", nil},
		{"INSERT INTO x VALUES (1, 's', 2, 3)", "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS", nil},
		{"INSERT INTO x (a, s) VALUES (1)", "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS", nil},
		{"INSERT INTO x (a, A) VALUES (1, 2)", "COLUMN_ALREADY_EXISTS", nil},
		{"INSERT INTO x (b) VALUES (1)", "UNRESOLVED_COLUMN.WITH_SUGGESTION", nil},
		{"FROM t INSERT INTO v (b) SELECT i WHERE i > 0 INSERT OVERWRITE v (a) SELECT s", "", []string{"append /wh/default/v a string, b int, c string", "overwrite /wh/default/v a string, b int, c string"}},
		{"INSERT OVERWRITE DIRECTORY '/d' USING json SELECT 1", "", []string{"files json /d"}},
		{"INSERT OVERWRITE DIRECTORY '/d' SELECT 1", "NOT_SUPPORTED_COMMAND_WITHOUT_HIVE_SUPPORT", nil},
		{"INSERT INTO z VALUES (1)", "TABLE_OR_VIEW_NOT_FOUND", nil},
		{"INSERT INTO t VALUES (1)", "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", nil}, // a view
		{"TRUNCATE TABLE x", "", nil}, // no partitions
		{"TRUNCATE TABLE y", "", []string{"clear /wh/default/y"}},
		{"TRUNCATE TABLE lineitem", "CANNOT_TRUNCATE_EXTERNAL_TABLE", nil}, // an external table
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
