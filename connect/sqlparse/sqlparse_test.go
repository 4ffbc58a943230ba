package sqlparse

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

func options(d *datadriven.TestData) Options {
	o := Options{ANSI: true}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "double-quoted":
			o.DoubleQuotedIdentifiers = true
		case "reserved":
			o.EnforceReserved = true
		case "escaped":
			o.EscapedStringLiterals = true
		case "ntz":
			o.TimestampNTZ = true
		case "legacy":
			o.ANSI = false
		case "berlin":
			o.TimeZone = time.FixedZone("+01:00", 3600)
		}
	}
	return o
}

// describe is an error with all that a client sees of it.
func describe(err error) string {
	e, ok := errs.As(err)
	if !ok {
		return "no errs.Error: " + err.Error()
	}
	keys := make([]string, 0, len(e.Params))
	for k := range e.Params {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var b strings.Builder
	b.WriteString("error " + e.Condition + " " + e.SQLState())
	if e.Condition == "UNSUPPORTED_FEATURE" {
		b.WriteString(" " + e.Params["feature"])
	} else {
		for _, k := range keys {
			fmt.Fprintf(&b, " %s=%s", k, e.Params[k])
		}
	}
	if c := e.Context; c != nil {
		fmt.Fprintf(&b, "\nat line %d col %d", c.Line, c.Col)
		if c.Start >= 0 {
			fmt.Fprintf(&b, " [%d, %d] %s", c.Start, c.Stop, c.Text())
		}
	}
	return b.String() + "\n"
}

func TestGoldens(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "statement":
				n, err := ParseStatement(d.Input, options(d))
				if err != nil {
					return describe(err)
				}
				return plan.Print(n)
			case "expr": // one a line
				var b strings.Builder
				for _, line := range strings.Split(d.Input, "\n") {
					e, err := ParseExpression(line, options(d))
					if err != nil {
						b.WriteString(describe(err))
						continue
					}
					b.WriteString(plan.ExprString(e) + "\n")
				}
				return b.String()
			case "type":
				var b strings.Builder
				for _, line := range strings.Split(d.Input, "\n") {
					e, err := ParseDataType(line)
					if err != nil {
						b.WriteString(describe(err))
						continue
					}
					b.WriteString(e.String() + "\n")
				}
				return b.String()
			case "schema":
				e, err := ParseSchema(d.Input)
				if err != nil {
					return describe(err)
				}
				return e.JSON() + "\n"
			case "name":
				parts, err := ParseIdentifier(d.Input)
				if err != nil {
					return describe(err)
				}
				return fmt.Sprintf("%q\n", parts)
			case "interval":
				var b strings.Builder
				for _, line := range strings.Split(d.Input, "\n") {
					v, err := ParseInterval(line)
					if err != nil {
						b.WriteString(describe(err))
						continue
					}
					fmt.Fprintf(&b, "%+v\n", v)
				}
				return b.String()
			}
			t.Fatalf("no command %s", d.Cmd)
			return ""
		})
	})
}

func TestNestingHasALimit(t *testing.T) {
	deep := map[string]string{
		"parens":     "SELECT " + strings.Repeat("(", 10000) + "1" + strings.Repeat(")", 10000),
		"unclosed":   "SELECT " + strings.Repeat("(", 200000),
		"not":        "SELECT " + strings.Repeat("NOT ", 100000) + "a",
		"minus":      "SELECT " + strings.Repeat("- ", 100000) + "a",
		"calls":      "SELECT " + strings.Repeat("f(", 100000) + "1" + strings.Repeat(")", 100000),
		"case":       "SELECT " + strings.Repeat("CASE WHEN ", 100000),
		"chain":      "SELECT 1" + strings.Repeat("+1", 1000000),
		"subqueries": strings.Repeat("SELECT * FROM (", 10000) + "SELECT 1" + strings.Repeat(")", 10000),
		"relations":  "SELECT * FROM " + strings.Repeat("(", 100000) + "t" + strings.Repeat(")", 100000),
		"types":      "SELECT CAST(a AS " + strings.Repeat("ARRAY<", 100000) + "INT" + strings.Repeat(">", 100000) + ")",
		"brackets":   "SELECT a" + strings.Repeat("[0", 100000),
		"lambda":     "SELECT f(" + strings.Repeat("x -> ", 100000) + "1)",
		"explain":    strings.Repeat("EXPLAIN ", 100000) + "SELECT 1",
		"unions":     "SELECT 1" + strings.Repeat(" UNION SELECT 1", 100000),
		"joins":      "SELECT 1 FROM t" + strings.Repeat(" JOIN t", 100000),
		"pipes":      "FROM t" + strings.Repeat(" |> SELECT *", 100000),
		"casts":      "SELECT a" + strings.Repeat("::int", 1000000),
		"with":       strings.Repeat("WITH a AS (", 10000),
		"in":         "SELECT " + strings.Repeat("1 IN (", 100000),
		"sets":       "SELECT 1 GROUP BY " + strings.Repeat("GROUPING SETS (", 100000),
	}
	for name, sql := range deep {
		_, err := ParseStatement(sql, Options{})
		e, ok := errs.As(err)
		if !ok || e.Condition != "FAILED_TO_PARSE_TOO_COMPLEX" {
			text := fmt.Sprint(err)
			t.Errorf("%s: %.200s", name, text)
		}
	}
}

func TestLongTexts(t *testing.T) {
	var values strings.Builder
	values.WriteString("SELECT * FROM VALUES (1, 'a')")
	for values.Len() < 10<<20 {
		values.WriteString(", (12345, 'some text', a + b * c)")
	}
	long := []string{
		"SELECT 1 " + strings.Repeat("/* comment */ -- more\n", 400000),
		"SELECT '" + strings.Repeat("x", 10<<20) + "'",
		"SELECT a FROM t WHERE a IN (1" + strings.Repeat(", 2", 1000000) + ")",
		"SELECT a FROM t WHERE a = 1" + strings.Repeat(" OR a = 2 AND b = 3", 100000),
		"SELECT " + strings.Repeat("((((((((((", 150) + "1" + strings.Repeat("))))))))))", 150),
	}
	for _, sql := range long {
		if _, err := ParseStatement(sql, Options{}); err != nil {
			t.Errorf("%.60s: %.300v", sql, err)
		}
	}
	_, err := ParseStatement(values.String(), Options{})
	if e, ok := errs.As(err); !ok || e.Condition != "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH" {
		t.Errorf("rows of different widths: %.200v", err)
	}
}

func TestPositionsCountCharacters(t *testing.T) {
	sql := "SELECT 'äöü€𝄞',\n  'é' || colX"
	n, err := ParseStatement(sql, Options{})
	if err != nil {
		t.Fatal(err)
	}
	list := n.(*plan.Project).List
	for i, want := range []string{"'äöü€𝄞'", "'é' || colX"} {
		if got := list[i].Pos().Text(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	o := list[1].(*plan.Call).Args[1].Pos()
	if o.Line != 2 || o.Col != 9 || o.Start != 25 || o.Stop != 28 {
		t.Errorf("colX is at %+v", *o)
	}
}

func TestParametersAreReplaced(t *testing.T) {
	lit := func(s string) plan.Expr {
		e, err := ParseExpression(s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	o := Options{Named: map[string]plan.Expr{"t": lit("'db.tab'"), "n": lit("7")}, Positional: []plan.Expr{lit("'x'")}}
	n, err := ParseStatement("SELECT ?, ?, :n, :m FROM IDENTIFIER(:t)", o)
	if err != nil {
		t.Fatal(err)
	}
	want := "Project List=[\"x\", ?10, 7:int, :m]\n  UnresolvedTable Parts=[db tab]\n"
	if got := plan.Print(n); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// FuzzParse looks for texts that panic or that give neither a result nor an error.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.IsDir() {
			continue
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range strings.Split(string(raw), "\n\n") {
			_, body, _ := strings.Cut(part, "\n")
			sql, _, _ := strings.Cut(body, "\n----")
			f.Add(sql)
		}
	}
	f.Fuzz(func(t *testing.T, sql string) {
		for _, o := range []Options{{}, {ANSI: true, DoubleQuotedIdentifiers: true, EnforceReserved: true, EscapedStringLiterals: true, BangEqualsNot: true}} {
			n, err := ParseStatement(sql, o)
			if (n == nil) == (err == nil) {
				t.Errorf("statement: %v, %v", n, err)
			}
			if err == nil {
				plan.Print(n)
			}
			e, err := ParseExpression(sql, o)
			if (e == nil) == (err == nil) {
				t.Errorf("expression: %v, %v", e, err)
			}
			if err != nil {
				_ = err.Error()
			}
		}
		for _, parse := range []func(string) error{
			func(s string) error { _, err := ParseDataType(s); return err },
			func(s string) error { _, err := ParseSchema(s); return err },
			func(s string) error { _, err := ParseIdentifier(s); return err },
			func(s string) error { _, err := ParseInterval(s); return err },
		} {
			if err := parse(sql); err != nil {
				_ = err.Error()
			}
		}
	})
}

func BenchmarkQuery(b *testing.B) {
	sql := `select l_returnflag, l_linestatus, sum(l_quantity) as sum_qty, sum(l_extendedprice) as sum_base_price,
	sum(l_extendedprice * (1 - l_discount)) as sum_disc_price, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge,
	avg(l_quantity) as avg_qty, avg(l_extendedprice) as avg_price, avg(l_discount) as avg_disc, count(*) as count_order
	from lineitem where l_shipdate <= date '1998-12-01' - interval '90' day
	group by l_returnflag, l_linestatus order by l_returnflag, l_linestatus`
	b.SetBytes(int64(len(sql)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseStatement(sql, Options{ANSI: true}); err != nil {
			b.Fatal(err)
		}
	}
}
