package sidecar

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"neptune/arrowexec/arrowio"
	"neptune/arrowexec/vec"
	"neptune/connect/sqlparse"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
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
			params := strings.HasPrefix(string(text), "# params:")
			for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
				head, want, ok := strings.Cut(block, "\n----\n")
				if !ok {
					t.Fatalf("no answer to %s", block)
				}
				lines := slices.DeleteFunc(strings.Split(head, "\n"), func(l string) bool { return strings.HasPrefix(l, "#") })
				sql := strings.Join(lines, "\n")
				if got := r.statement(sql, params); got != want {
					t.Errorf("%s\n%s\nwant\n%s", sql, got, want)
				}
			}
		})
	}
}

// statement runs a command or a query; the answer is as statements.py writes it.
func (r *rig) statement(text string, params bool) string {
	n, err := sqlparse.ParseStatement(text, r.engine.sessionConf(r.session).parser())
	if err != nil {
		return failure(err, params)
	}
	var rows [][]any
	var schema *types.Type
	if _, command := n.(*plan.Command); command {
		var got kept
		if err := r.executeInto(text, &got); err != nil {
			return failure(err, params)
		}
		rows, schema = rowsOf(got.batches), got.schema
		if schema == nil || len(schema.Fields) == 0 || strings.HasPrefix(strings.ToLower(text), "set ") {
			return "ok"
		}
	} else {
		batches, t, err := r.run(text)
		if err != nil {
			return failure(err, params)
		}
		rows, schema = rowsOf(batches), t
	}
	lines := make([]string, len(rows))
	for k, row := range rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = cell(v, schema.Fields[i].Type)
		}
		lines[k] = strings.Join(cells, "|")
	}
	slices.Sort(lines)
	cols := make([]string, len(schema.Fields))
	for i, f := range schema.Fields {
		cols[i] = f.Name + " " + f.Type.String()
	}
	return strings.ReplaceAll(strings.Join(append([]string{strings.Join(cols, ", ")}, lines...), "\n"), "\n\n", "\n \n")
}

// failure is how an error is written.
func failure(err error, params bool) string {
	x, ok := errs.As(err)
	if !ok {
		return err.Error()
	}
	line := "error " + cmp.Or(x.Condition, "None") + " " + cmp.Or(x.SQLState(), "None") + ifInternal(x)
	if !params || x.Condition == "PARSE_SYNTAX_ERROR" {
		return line
	}
	for _, k := range slices.Sorted(maps.Keys(x.Params)) {
		line += "\n  " + k + ": " + strings.ReplaceAll(x.Params[k], "\n", "\\n")
	}
	return line
}

// kept keeps the rows that a command gives.
type kept struct {
	ignore
	schema  *types.Type
	batches []*vec.Batch
}

func (k *kept) Schema(t *types.Type) error {
	k.schema = t
	return nil
}

func (k *kept) Batch(ipc []byte, _ int64) error {
	b, _, err := arrowio.Decode(ipc)
	k.batches = append(k.batches, b...)
	return err
}
