package analyze

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"neptune/connect/catalog"
	"neptune/connect/sqlparse"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

func TestZZProbe(t *testing.T) {
	file := os.Getenv("PROBE")
	if file == "" {
		t.Skip()
	}
	a := &Analyzer{Catalog: catalog.NewSession(catalog.New(nil)), Conf: Conf{ANSI: true, User: "u"}}
	mk := func(name, q string) {
		n, err := sqlparse.ParseStatement(q, sqlparse.Options{})
		if err != nil {
			t.Fatal(err)
		}
		x, err := a.Analyze(context.Background(), n)
		if err != nil {
			t.Fatal(name, err)
		}
		a.Catalog.CreateTempView(&catalog.View{Name: name, Plan: x}, false, true)
	}
	mk("t", "select * from values (1, 'x', 1.5, 2.5D, date'2020-01-01', timestamp'2020-01-01 00:00:00', true, 5L) as t(i,s,d,f,dt,ts,b,l)")
	mk("n", "select named_struct('a',1,'b',named_struct('c','x')) st, array(1,2) ar, map('k',1) m, array(named_struct('q',1)) ars")
	f, _ := os.Open(file)
	sc := bufio.NewScanner(f)
	sc.Buffer(make([]byte, 1<<20), 1<<20)
	bad, n := 0, 0
	for sc.Scan() {
		q := sc.Text()
		sc.Scan()
		want := strings.TrimSpace(sc.Text())
		n++
		got := one(a, q)
		var w, g map[string]any
		json.Unmarshal([]byte(want), &w)
		json.Unmarshal([]byte(got), &g)
		delete(w, "state")
		if fmt.Sprint(w) != fmt.Sprint(g) {
			bad++
			wb, _ := json.Marshal(w)
			gb, _ := json.Marshal(g)
			fmt.Printf("%s\n  want %s\n  got  %s\n", q, wb, gb)
		}
	}
	fmt.Println(n, "queries", bad, "differ")
}

func one(a *Analyzer, q string) string {
	n, err := sqlparse.ParseStatement(q, sqlparse.Options{})
	var x plan.Node
	if err == nil {
		x, err = a.Analyze(context.Background(), n)
	}
	if err != nil {
		e, ok := errs.As(err)
		if !ok {
			return fmt.Sprintf(`{"err":%q}`, err.Error())
		}
		m := map[string]any{"err": e.Condition, "params": e.Params, "ctx": []string{}}
		if e.Condition == "INTERNAL_ERROR" && e.Cause != nil {
			m["cause"] = e.Cause.Error()[:min(900, len(e.Cause.Error()))]
		}
		if e.Context != nil {
			m["ctx"] = []string{e.Context.Text()}
		}
		b, _ := json.Marshal(m)
		return string(b)
	}
	var s [][]any
	for _, f := range Schema(x).Fields {
		s = append(s, []any{f.Name, f.Type.String(), f.Nullable})
	}
	b, _ := json.Marshal(map[string]any{"schema": s})
	return string(b)
}
