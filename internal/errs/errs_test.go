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
