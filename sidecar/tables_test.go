package sidecar

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

// database runs statements in a session of an engine of its own.
type database struct {
	t testing.TB
	e *Engine
	s *session.Session
	n int
}

func newDatabase(t testing.TB, set ...string) *database {
	t.Helper()
	dir := t.TempDir()
	e := testEngine(t, append([]string{"neptune.warehouse.dir=" + dir}, set...)...)
	store, err := e.openCatalog(e.conf.CatalogFile)
	if err != nil {
		t.Fatal(err)
	}
	if store != nil {
		t.Cleanup(func() {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return (&database{t: t, e: e}).session()
}

// session is another session of the same engine.
func (d *database) session() *database {
	m := session.NewManager(session.Options{})
	s, release, err := m.Open(session.Key{User: "u", ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", d.n)}, "u", "")
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(release)
	return &database{t: d.t, e: d.e, s: s, n: d.n + 1}
}

// run gives the rows, each value as fmt prints it, or the condition of the error.
func (d *database) run(sql string) ([]string, error) {
	c := d.e.sessionConf(d.s)
	n, err := sqlparse.ParseStatement(sql, c.parser())
	if err != nil {
		return nil, err
	}
	q := &server.Query{Session: d.s, OperationID: fmt.Sprint("op", d.n, sql), Job: session.JobType{Priority: session.BatchPriority, Origin: session.FromPlan}}
	ctx := context.Background()
	if cmd, ok := n.(*plan.Command); ok {
		a := d.e.analyzer(d.s, c)
		a.Tables, a.Cache = &tables{d.e, q, c}, &cacheTables{d.e, q, c}
		if n, _, err = a.RunCommand(ctx, cmd); err != nil || n == nil {
			return nil, err
		}
	} else if n, err = d.e.analyze(ctx, d.s, c, n); err != nil {
		return nil, err
	}
	batches, err := d.e.collect(ctx, q, c, n)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range rowsOf(batches) {
		out = append(out, strings.TrimSuffix(fmt.Sprintln(r...), "\n"))
	}
	slices.Sort(out)
	return out, nil
}

// want runs a statement; rows, sorted, or the condition of the error it must give, behind "!".
func (d *database) want(sql string, rows ...string) {
	d.t.Helper()
	got, err := d.run(sql)
	if err != nil {
		got = []string{"!" + err.Error()}
		if e, ok := errs.As(err); ok {
			got = []string{"!" + e.Condition}
		}
	}
	if !slices.Equal(got, rows) {
		d.t.Errorf("%s\n got %q\nwant %q (%v)", sql, got, rows, err)
	}
}

func TestPartitionedTable(t *testing.T) {
	d := newDatabase(t)
	d.want("CREATE TABLE t (a INT, p INT, q STRING) USING parquet PARTITIONED BY (p, q)")
	d.want("INSERT INTO t PARTITION (p = 1, q = 'a/b') VALUES (1)")
	d.want("INSERT INTO t PARTITION (p = 1, q) VALUES (2, 'c'), (3, NULL)")
	d.want("INSERT INTO t VALUES (4, 2, 'c')")
	d.want("INSERT INTO t PARTITION (p = 1, q = '') VALUES (1)", "!INVALID_PARTITION_SPEC")
	d.want("SHOW PARTITIONS t", "p=1/q=__HIVE_DEFAULT_PARTITION__", "p=1/q=a%2Fb", "p=1/q=c", "p=2/q=c")
	d.want("SELECT * FROM t", "1 1 a/b", "2 1 c", "3 1 <nil>", "4 2 c")
	d.want("INSERT OVERWRITE t PARTITION (p = 1, q) VALUES (5, 'c')")
	d.want("SELECT * FROM t", "4 2 c", "5 1 c")
	d.want("SHOW PARTITIONS t", "p=1/q=c", "p=2/q=c")
	d.want("SET spark.sql.sources.partitionOverwriteMode=dynamic", "spark.sql.sources.partitionOverwriteMode dynamic")
	d.want("INSERT OVERWRITE t VALUES (6, 2, 'c'), (7, 3, 'd')")
	d.want("SELECT * FROM t", "5 1 c", "6 2 c", "7 3 d")
	// A partition elsewhere is read and overwritten where it is.
	elsewhere := filepath.Join(t.TempDir(), "x")
	d.want("ALTER TABLE t ADD PARTITION (p = 9, q = 'z') LOCATION '" + elsewhere + "'")
	d.want("INSERT INTO t PARTITION (p = 9, q = 'z') VALUES (8)")
	d.want("INSERT OVERWRITE t PARTITION (p = 9, q = 'z') VALUES (9)")
	d.want("SELECT a FROM t WHERE p = 9", "9")
	if files, err := filepath.Glob(filepath.Join(elsewhere, "*.parquet")); err != nil || len(files) != 1 {
		t.Error(files, err)
	}
	d.want("ALTER TABLE t PARTITION (p = 3, q = 'd') RENAME TO PARTITION (p = 4, q = 'd')")
	d.want("SELECT p FROM t WHERE a = 7", "4")
	d.want("ALTER TABLE t DROP PARTITION (p = 4)", "!PARTITIONS_NOT_FOUND") // not all of its columns
	d.want("ALTER TABLE t DROP PARTITION (p = 4, q = 'd')")
	d.want("ALTER TABLE t DROP PARTITION (p = 4, q = 'd')", "!PARTITIONS_NOT_FOUND")
	d.want("SELECT count(*) FROM t", "3")
	d.want("TRUNCATE TABLE t PARTITION (p = 2)")
	d.want("SELECT * FROM t", "5 1 c", "9 9 z")
	d.want("INSERT OVERWRITE t PARTITION (p = 1, q = 'c') IF NOT EXISTS VALUES (0)")
	d.want("SELECT a FROM t WHERE p = 1", "5")
}

func TestInsertElsewhere(t *testing.T) {
	d := newDatabase(t)
	d.want("CREATE TABLE a (x INT)")
	d.want("CREATE TABLE b (x INT, y STRING)")
	d.want("WITH c AS (SELECT 5 AS v) FROM c INSERT INTO a SELECT v INSERT INTO b SELECT v + 1, 's' WHERE v > 1")
	d.want("SELECT * FROM a", "5")
	d.want("SELECT * FROM b", "6 s")
	dir := filepath.Join(t.TempDir(), "out")
	for range 2 {
		d.want("INSERT OVERWRITE DIRECTORY '" + dir + "' USING json SELECT * FROM b")
	}
	d.want("SELECT * FROM json.`"+dir+"`", "6 s")
}

// What lies in a table's folder is not read until the catalog is told.
func TestRepair(t *testing.T) {
	d := newDatabase(t)
	d.want("CREATE TABLE t PARTITIONED BY (p) AS SELECT 1 AS a, 2 AS p")
	loc := d.e.conf.Warehouse + "/t"
	d.want("CREATE TABLE u (a INT, p INT) PARTITIONED BY (p) LOCATION '" + loc + "'")
	d.want("SELECT * FROM u")
	d.want("MSCK REPAIR TABLE u")
	d.want("SELECT * FROM u", "1 2")
	if err := os.RemoveAll(filepath.Join(loc, "p=2")); err != nil {
		t.Fatal(err)
	}
	d.want("SELECT * FROM u")
	d.want("MSCK REPAIR TABLE u SYNC PARTITIONS")
	d.want("SHOW PARTITIONS u")
	d.want("TRUNCATE TABLE u", "!CANNOT_TRUNCATE_EXTERNAL_TABLE")
}

func TestColumnTypesAndDefaults(t *testing.T) {
	d := newDatabase(t)
	d.want("CREATE TABLE t (c CHAR(3), v VARCHAR(3), s STRUCT<x: CHAR(2)>, i INT DEFAULT 40 + 2)")
	d.want("INSERT INTO t (c, v, s) VALUES ('a', 'bcd   ', struct('z'))")
	d.want("INSERT INTO t VALUES ('abcd', 'b', NULL, 1)", "!EXCEED_LIMIT_LENGTH")
	d.want("INSERT INTO t VALUES ('a', 'b', struct('xyz'), 1)", "!EXCEED_LIMIT_LENGTH")
	d.want("SELECT concat(c, '|'), concat(v, '|'), concat(s.x, '|'), i FROM t WHERE c = 'a' AND c IN ('a', 'q')", "a  | bcd| z | 42")
	d.want("ALTER TABLE t ADD COLUMNS (n INT DEFAULT 7, w STRING DEFAULT 'q')")
	d.want("ALTER TABLE t ALTER COLUMN n SET DEFAULT 8")
	d.want("INSERT INTO t (c) VALUES ('b')")
	d.want("SELECT trim(c), n, w FROM t", "a 7 q", "b 8 q")
	d.want("SELECT trim(c) FROM t WHERE n = 7", "a")
	d.want("CREATE TABLE u AS SELECT c, v FROM t")
	d.want("DESCRIBE u", "c char(3) <nil>", "v varchar(3) <nil>")
	d.want("CREATE TABLE n (s STRUCT<a: INT, b: STRING>, i TINYINT)")
	d.want("INSERT INTO n BY NAME SELECT named_struct('b', 'x', 'a', 1) AS s")
	d.want("INSERT INTO n VALUES (named_struct('b', 2, 'a', 'y'), 3)")
	d.want("INSERT INTO n VALUES (named_struct('b', 'x', 'a', 1), 1)", "!INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST")
	d.want("INSERT INTO n BY NAME SELECT named_struct('b', 'x') AS s", "!INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_FIND_DATA")
	d.want("INSERT INTO n VALUES (NULL, 300)", "!CAST_OVERFLOW_IN_TABLE_INSERT")
	d.want("SELECT s.a, s.b, i FROM n", "1 x <nil>", "2 y 3")
	d.want("CREATE TABLE `a b` (x INT)", "!INVALID_SCHEMA_OR_RELATION_NAME")
	d.want("ALTER TABLE t DROP COLUMN n", "!UNSUPPORTED_FEATURE.TABLE_OPERATION")
	d.want("ALTER TABLE t ADD COLUMN N INT", "!COLUMN_ALREADY_EXISTS")
}

func TestStatistics(t *testing.T) {
	d := newDatabase(t)
	d.want("CREATE TABLE t USING csv AS SELECT * FROM VALUES (1, 'x'), (2, 'yyy'), (NULL, 'x') AS v(a, s)")
	d.want("ANALYZE TABLE t COMPUTE STATISTICS FOR ALL COLUMNS")
	d.want("DESCRIBE EXTENDED t a", "avg_col_len 4", "col_name a", "comment NULL", "data_type int", "distinct_count 2", "histogram NULL", "max 2", "max_col_len 4", "min 1", "num_nulls 1")
	d.want("DESCRIBE EXTENDED t s", "avg_col_len 2", "col_name s", "comment NULL", "data_type string", "distinct_count 2", "histogram NULL", "max NULL", "max_col_len 3", "min NULL", "num_nulls 0")
	c := d.e.sessionConf(d.s)
	n, err := d.e.analyze(context.Background(), d.s, c, &plan.UnresolvedTable{Parts: []string{"t"}})
	if err != nil {
		t.Fatal(err)
	}
	plan.WalkNodes(n, func(n plan.Node) bool {
		if r, ok := n.(*plan.Relation); ok {
			if st := r.Handle.Stats(); st.Rows != 3 || len(st.Cols) != 2 || st.Cols[0].Distinct != 2 {
				t.Errorf("the optimizer has %+v", st)
			}
		}
		return true
	})
	d.want("INSERT INTO t VALUES (5, 'z')")
	d.want("DESCRIBE EXTENDED t a", "avg_col_len NULL", "col_name a", "comment NULL", "data_type int", "distinct_count NULL", "histogram NULL", "max NULL", "max_col_len NULL", "min NULL", "num_nulls NULL")
}

func TestViewsFollowTheirTables(t *testing.T) {
	d := newDatabase(t)
	d.want("CREATE TABLE t (a INT, b INT)")
	d.want("INSERT INTO t VALUES (1, 2)")
	d.want("CREATE VIEW c AS SELECT * FROM t")
	d.want("CREATE VIEW e WITH SCHEMA EVOLUTION AS SELECT * FROM t")
	d.want("CREATE VIEW b WITH SCHEMA BINDING AS SELECT a FROM t")
	d.want("CREATE TEMPORARY VIEW tmp AS SELECT 1 AS x")
	d.want("CREATE VIEW bad AS SELECT * FROM tmp", "!INVALID_TEMP_OBJ_REFERENCE")
	d.want("CREATE OR REPLACE VIEW c AS SELECT * FROM c", "!RECURSIVE_VIEW")
	d.want("DROP TABLE t")
	d.want("CREATE TABLE t (a BIGINT, z INT, b INT)")
	d.want("INSERT INTO t VALUES (3, 4, 5)")
	d.want("SELECT * FROM c", "3 5")
	d.want("SELECT * FROM e", "3 4 5")
	d.want("SELECT * FROM b", "!CANNOT_UP_CAST_DATATYPE")
	d.want("CREATE DATABASE other")
	d.want("USE other")
	d.want("SELECT * FROM default.c", "3 5") // the text is resolved where the view was made
}

// Two sessions see one catalog, which outlives the server.
func TestSharedAndKept(t *testing.T) {
	dir := t.TempDir()
	set := "neptune.catalog.file=" + filepath.Join(dir, "c.db")
	d := newDatabase(t, set, "neptune.warehouse.dir="+dir)
	other := d.session()
	d.want("CREATE TABLE t (a INT, p INT) PARTITIONED BY (p)")
	var wg sync.WaitGroup
	for i, s := range []*database{d, other} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for k := range 4 {
				if _, err := s.run(fmt.Sprintf("INSERT INTO t PARTITION (p = %d) VALUES (%d)", 10*i+k, k)); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	other.want("SELECT count(*), sum(p) FROM t", "8 52")
	again := newDatabase(t, set, "neptune.warehouse.dir="+dir)
	again.want("SELECT count(*), sum(p) FROM t", "8 52")
	again.want("DROP TABLE t")
	again.want("SHOW TABLES")
	d.want("SELECT * FROM t", "!TABLE_OR_VIEW_NOT_FOUND")
}

// Files of partitions that a filter leaves out aren't opened, whatever the filter does with the partition's value:
// Spark drops them as it plans, and a file that can't be read fails no query that doesn't ask for it.
func TestPartitionsLeftOutAreNotRead(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 64 << 20})
	dir := t.TempDir()
	for p, text := range map[string]string{"2020-01-01": "1\n", "2021-01-01": "no number\n"} {
		if err := os.MkdirAll(filepath.Join(dir, "p="+p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "p="+p, "a.csv"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.execute("CREATE TEMPORARY VIEW v (x INT, p STRING) USING csv OPTIONS (path '" + dir + "', mode 'FAILFAST')"); err != nil {
		t.Fatal(err)
	}
	for _, cond := range []string{"p = '2020-01-01'", "CAST(p AS TIMESTAMP) = TIMESTAMP '2020-01-01 00:00:00'", "to_timestamp(p, 'yyyy-MM-dd') < '2020-06-01'", "substr(p, 1, 4) IN ('2020', '2019')"} {
		if got := r.answer("SELECT x, p FROM v WHERE " + cond); len(got) != 1 || got[0] != "1|2020-01-01" {
			t.Errorf("%s: %v", cond, got)
		}
	}
	if got := r.answer("SELECT input_file_block_start(), input_file_block_length(), substr(input_file_name(), -18) FROM v WHERE p = '2020-01-01'"); len(got) != 1 || got[0] != "0|2|p=2020-01-01/a.csv" {
		t.Errorf("the block: %v", got)
	}
	if got := r.answer("SELECT input_file_block_start(), input_file_block_length() FROM range(1)"); len(got) != 1 || got[0] != "-1|-1" {
		t.Errorf("no block: %v", got)
	}
	if got := r.answer("SELECT x, p FROM v WHERE CAST(p AS DATE) < DATE '2022-01-01'"); len(got) != 1 || !strings.HasPrefix(got[0], "error FAILED_READ_FILE") {
		t.Errorf("both files: %v", got)
	}
}
