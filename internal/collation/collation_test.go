package collation

import (
	"slices"
	"strings"
	"testing"
)

func mustKey(t *testing.T, name, s string) string {
	t.Helper()
	c, ok := Lookup(name)
	if !ok {
		t.Fatalf("no collation %s", name)
	}
	return string(c.Key(nil, []byte(s)))
}

func TestEqual(t *testing.T) {
	// Answers of Spark 4.3.
	for _, c := range []struct {
		name, a, b string
		want       bool
	}{
		{"utf8_lcase", "A", "a", true}, {"utf8_lcase", "İ", "i̇", true}, {"utf8_lcase", "ς", "σ", true}, {"utf8_lcase", "a ", "a", false},
		{"utf8_lcase_rtrim", "A  ", "a", true}, {"utf8_binary_rtrim", "a ", "a", true}, {"utf8_binary_rtrim", "A", "a", false},
		{"unicode", "a", "A", false}, {"unicode", "", "\x00", true}, {"unicode_ai", "ä", "a", true}, {"unicode_ai", "Ä", "a", false},
		{"unicode_ci", "ß", "ss", false}, {"unicode_ci", "①", "1", true}, {"unicode_ci", "Ａ", "a", true}, {"unicode_ci", "ä", "a", false},
		{"sr_ai_ci", "ć", "Č", true}, {"sr_CI_AI", "š", "S", true}, {"unicode_ci_ai", "É", "e", true}, {"unicode_rtrim", "a  ", "a", true},
	} {
		if got := mustKey(t, c.name, c.a) == mustKey(t, c.name, c.b); got != c.want {
			t.Errorf("%s: %q = %q is %v", c.name, c.a, c.b, got)
		}
	}
}

func TestOrder(t *testing.T) {
	for name, want := range map[string]string{
		"unicode":    " |_|-|1|a|A|a b|a-b|ab|b|B|e|é|z|Z",
		"utf8_lcase": " |-|1|_|A|b|e|z|É",
	} {
		l := strings.Split(want, "|")
		got := slices.Clone(l)
		slices.Reverse(got)
		slices.SortFunc(got, func(a, b string) int { return strings.Compare(mustKey(t, name, a), mustKey(t, name, b)) })
		if !slices.Equal(got, l) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{"SR_ai_ci": "sr_CI_AI", "utf8_binary": "UTF8_BINARY", "unicode_cs_as": "UNICODE", "SR_CYRL_srb_ci_rtrim": "sr_Cyrl_SRB_CI_RTRIM",
		"utf8_lcase_rtrim": "UTF8_LCASE_RTRIM", "foo": "", "unicode_ci_ci": "", "utf8_binary_ci": "", "unicode_rtrim_ci": ""} {
		c, ok := Lookup(in)
		switch {
		case want == "" && ok:
			t.Errorf("%s is known as %s", in, c.Name())
		case want != "" && (!ok || c.Name() != want):
			t.Errorf("%s: not %s", in, want)
		}
	}
}

// Where Spark's contains, instr and substring_index find one string in another.
func TestFinder(t *testing.T) {
	for _, c := range []struct {
		name, s, part     string
		from, to, lastEnd int
	}{
		{"UTF8_LCASE", "xABCx", "abc", 1, 4, 4}, {"UTF8_LCASE", "aİb", "i\u0307B", 1, 4, 4}, {"UTF8_LCASE", "ab", "abc", -1, -1, -1},
		{"UTF8_LCASE", "", "a", -1, -1, -1}, {"UTF8_LCASE", "σς", "ΣΣ", 0, 4, 4}, {"UTF8_LCASE", "İ", "i", -1, -1, -1},
		{"UNICODE_CI", "aÄbA\u0308c", "ä", 1, 3, 7}, {"UNICODE_CI", "e\u0301x", "e", -1, -1, -1}, {"UNICODE_CI_AI", "e\u0301x", "E", 0, 3, 3},
		{"UNICODE", "abcABC", "Bc", -1, -1, -1}, {"UNICODE_CI", "abcABC", "Bc", 1, 3, 6}, {"de_CI", "x\U0001F600y", "\U0001F600", 1, 5, 5},
	} {
		k, _ := Lookup(c.name)
		f := k.Finder([]byte(c.part))
		from, to := f.Next([]byte(c.s), 0)
		if _, end := f.Last([]byte(c.s), len(c.s)); from != c.from || to != c.to || end != c.lastEnd {
			t.Errorf("%s: %q in %q: %d to %d, the last to %d", c.name, c.part, c.s, from, to, end)
		}
	}
}
