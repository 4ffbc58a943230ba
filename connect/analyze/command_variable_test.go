package analyze

import (
	"context"
	"testing"

	"neptune/connect/catalog"
	"neptune/connect/sqlparse"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

// A script of declarations; what evaluates needs the engine, and is tested there.
func TestVariableConditions(t *testing.T) {
	a := &Analyzer{Catalog: catalog.NewSession(catalog.New(nil)), Conf: Conf{ANSI: true}}
	a.ParseSQL = func(s string) (plan.Node, error) { return sqlparse.ParseStatement(s, sqlparse.Options{}) }
	a.ParseBound = func(s string, pos []plan.Expr, named map[string]plan.Expr) (plan.Node, error) {
		return sqlparse.ParseStatement(s, sqlparse.Options{Positional: pos, Named: named})
	}
	a.Markers = func(s string) (bool, bool, error) { return sqlparse.Markers(s, sqlparse.Options{}) }
	a.RunScalar = func(_ context.Context, n plan.Node) ([][]any, error) {
		var row []any
		for _, e := range n.Exprs() {
			l, ok := unalias(e).(*plan.Literal)
			if !ok {
				t.Fatalf("%T isn't constant", unalias(e))
			}
			row = append(row, l.Value)
		}
		return [][]any{row}, nil
	}
	for _, c := range []struct{ text, condition string }{
		{"DECLARE v INT", ""},
		{"DECLARE session.v INT", "VARIABLE_ALREADY_EXISTS"},
		{"DECLARE OR REPLACE system.session.v = 5", ""},
		{"DECLARE foo.v INT", "UNRESOLVED_VARIABLE"},
		{"DECLARE w, W INT", "DUPLICATE_VARIABLE_NAME_INSIDE_DECLARE"},
		{"DECLARE w", "INVALID_SQL_SYNTAX.VARIABLE_TYPE_OR_DEFAULT_REQUIRED"},
		{"DECLARE w INT = (SELECT 1)", "INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION"},
		{"DECLARE w STRING DEFAULT 'SELECT v'", ""},
		{"SET VAR nobody = 1", "UNRESOLVED_VARIABLE"},
		{"SET VAR v = 1, V = 2", "DUPLICATE_ASSIGNMENTS"},
		{"SET VAR v = DEFAULT", ""},
		{"DROP TEMPORARY VARIABLE nobody", "VARIABLE_NOT_FOUND"},
		{"DROP TEMPORARY VARIABLE IF EXISTS nobody", ""},
		{"EXECUTE IMMEDIATE w", ""},
		{"EXECUTE IMMEDIATE v", "INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE"},
		{"EXECUTE IMMEDIATE 'SELECT ? + :a' USING 1", "INVALID_QUERY_MIXED_QUERY_PARAMETERS"},
		{"EXECUTE IMMEDIATE 'SELECT :a' USING 1", "ALL_PARAMETERS_MUST_BE_NAMED"},
		{"EXECUTE IMMEDIATE 'SELECT :v' USING v", ""},
		{"EXECUTE IMMEDIATE 'SELECT ?'", "UNBOUND_SQL_PARAMETER"},
		{"EXECUTE IMMEDIATE 'SELECT ?' USING (SELECT 1)", "UNSUPPORTED_EXPR_FOR_PARAMETER"},
		{"EXECUTE IMMEDIATE 'SET VAR v = 1' INTO v", "INVALID_STATEMENT_FOR_EXECUTE_INTO"},
		{"EXECUTE IMMEDIATE 'SELECT 1, 2' INTO v", "ASSIGNMENT_ARITY_MISMATCH"},
		{"EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE ''DECLARE deep INT''", "PARSE_SYNTAX_ERROR"},
		{"EXECUTE IMMEDIATE 'DECLARE deep INT'", ""},
		{"DROP TEMPORARY VARIABLE deep", ""},
		{"CREATE VIEW p AS SELECT v", "INVALID_TEMP_OBJ_REFERENCE"},
	} {
		n, err := a.ParseSQL(c.text)
		if err == nil {
			_, handled, e := a.RunCommand(context.Background(), n.(*plan.Command))
			if err = e; !handled {
				t.Errorf("%s: not handled", c.text)
			}
		}
		got := ""
		if x, ok := errs.As(err); ok {
			got = x.Condition
		} else if err != nil {
			got = err.Error()
		}
		if got != c.condition {
			t.Errorf("%s: %s, want %s", c.text, got, c.condition)
		}
	}
	if v, ok := a.Catalog.FindVariable("V"); !ok || v.Value != int32(5) {
		t.Errorf("v is %v", v.Value)
	}
}
