package analyze

import (
	"testing"

	"neptune/connect/sqlparse"
	"neptune/internal/plan"
)

// What Spark 4.3 answers, up to the ids of columns.
func TestExplainCommand(t *testing.T) {
	for text, want := range map[string]string{
		"EXPLAIN DESC QUERY SELECT 1":    "== Physical Plan ==\nExecute DescribeQueryCommand\n   +- DescribeQueryCommand SELECT 1\n\n",
		"EXPLAIN RESET":                  "== Physical Plan ==\nExecute ResetCommand\n   +- ResetCommand\n\n",
		"EXPLAIN SET a=1":                "== Physical Plan ==\nExecute SetCommand\n   +- SetCommand (a,Some(1))\n\n",
		"EXPLAIN SHOW COLLATIONS":        "== Physical Plan ==\nExecute ShowCollationsCommand\n   +- ShowCollationsCommand\n\n",
		"EXPLAIN LIST JARS":              "== Physical Plan ==\nExecute ListJarsCommand\n   +- ListJarsCommand\n\n",
		"EXPLAIN CODEGEN SHOW TABLES":    "Found 0 WholeStageCodegen subtrees.\n",
		"EXPLAIN SHOW CURRENT NAMESPACE": "== Physical Plan ==\nExecute ShowCurrentNamespaceCommand\n   +- ShowCurrentNamespaceCommand\n\n",
	} {
		n, err := sqlparse.ParseStatement(text, sqlparse.Options{})
		if err != nil {
			t.Fatal(text, err)
		}
		c := n.(*plan.Command)
		if got := ExplainCommand(c.Query.(*plan.Command), c.Mode); got != want {
			t.Errorf("%s\n%q, want\n%q", text, got, want)
		}
	}
}
