package sidecar

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"neptune/connect/sqlparse"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

// TestStatements compares with what Spark answered to the statements of
// testdata/statements, see statements.py there.
func TestStatements(t *testing.T) {
	files, err := filepath.Glob("testdata/statements/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			r := newRig(t, way{slots: 2, memory: 64 << 20})
			for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
				head, want, ok := strings.Cut(block, "\n----\n")
				if !ok {
					t.Fatalf("no answer to %s", block)
				}
				lines := slices.DeleteFunc(strings.Split(head, "\n"), func(l string) bool { return strings.HasPrefix(l, "#") })
				sql := strings.Join(lines, "\n")
				if got := r.statement(t, sql); got != want {
					t.Errorf("%s\n%s\nwant\n%s", sql, got, want)
				}
			}
		})
	}
}

// statement runs a command or a query; the answer is as statements.py writes it.
func (r *rig) statement(t *testing.T, text string) string {
	n, err := sqlparse.ParseStatement(text, r.engine.sessionConf(r.session).parser())
	if _, command := n.(*plan.Command); err == nil && command {
		err := r.execute(text)
		if x, ok := errs.As(err); ok {
			return "error " + x.Condition + " " + x.SQLState() + ifInternal(x)
		}
		if err != nil {
			return err.Error()
		}
		return "ok"
	}
	rows := r.answer(text)
	if len(rows) == 1 && strings.HasPrefix(rows[0], "error ") {
		return rows[0]
	}
	slices.Sort(rows)
	_, schema, err := r.run(text)
	if err != nil {
		return err.Error()
	}
	cols := make([]string, len(schema.Fields))
	for i, f := range schema.Fields {
		cols[i] = f.Name + " " + f.Type.String()
	}
	return strings.Join(append([]string{strings.Join(cols, ", ")}, rows...), "\n")
}
