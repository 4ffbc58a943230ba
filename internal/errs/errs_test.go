package errs

import (
	"regexp"
	"strings"
	"testing"
)

func TestConditionsStandOnce(t *testing.T) {
	seen := map[string]bool{}
	state := regexp.MustCompile(`^[0-9A-Z]{5}$`)
	for _, part := range areas() {
		for name, c := range part {
			if seen[name] {
				t.Errorf("%s stands twice in the table", name)
			}
			seen[name] = true
			legacy := strings.HasPrefix(name, "_LEGACY_") // these have no SQLSTATE in Spark
			if !legacy && !state.MatchString(c.State) || c.Text == "" {
				t.Errorf("%s has no SQLSTATE or no sentence: %+v", name, c)
			}
		}
	}
}

func TestMessageHasConditionSentenceAndState(t *testing.T) {
	e := New(Arithmetic, "DIVIDE_BY_ZERO", "config", `"spark.sql.ansi.enabled"`)
	want := "[DIVIDE_BY_ZERO] Division by zero. Use `try_divide` to get NULL where the divisor is 0, or set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error. SQLSTATE: 22012"
	if e.Error() != want {
		t.Errorf("got  %s\nwant %s", e.Error(), want)
	}
}

// Every DATATYPE_MISMATCH begins by telling what cannot be resolved, whether its sentence is of the table or not.
func TestMismatchesBeginAlike(t *testing.T) {
	const begin = `Cannot resolve "f(x)" due to data type mismatch: `
	for _, part := range areas() {
		for name, c := range part {
			if !strings.HasPrefix(name, "DATATYPE_MISMATCH.") || !strings.Contains(c.Text, "<sqlExpr>") {
				continue
			}
			if got := New(Analysis, name, "sqlExpr", `"f(x)"`).Sentence(); !strings.HasPrefix(got, begin) || len(got) <= len(begin) || strings.HasPrefix(got, begin+`"f(x)": `) {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
	e := New(Analysis, "DATATYPE_MISMATCH.UNEXPECTED_NULL", "exprName", "percentage", "sqlExpr", `"f(x)"`)
	if got := e.Sentence(); got != begin+"percentage must not be null." {
		t.Error(got)
	}
	if e.Text = "Odd."; e.Sentence() != begin+"Odd." {
		t.Error(e.Sentence())
	}
}
