package errs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// An error whose condition isn't in the table would have neither SQLSTATE nor
// sentence. UNSUPPORTED_FEATURE has none in Spark's table either: NotSupported writes it.
func TestConditionsThatAreRaisedAreInTheTable(t *testing.T) {
	condition := regexp.MustCompile(`^_?[A-Z][A-Z0-9]*(_[A-Z0-9]+)+(\.[A-Z0-9_]+)?$`)
	raises := map[string]bool{"New": true, "aerr": true} // errs.New, and analyze's short form of it
	found := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/pb/") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				if x, ok := f.X.(*ast.Ident); ok && x.Name == "errs" {
					name = f.Sel.Name
				}
			case *ast.Ident:
				name = f.Name
			}
			if !raises[name] {
				return true
			}
			for _, a := range call.Args[:min(2, len(call.Args))] {
				if l, ok := a.(*ast.BasicLit); ok && l.Kind == token.STRING {
					if c, err := strconv.Unquote(l.Value); err == nil && condition.MatchString(c) {
						found++
						if lookup(c).Text == "" && c != "UNSUPPORTED_FEATURE" {
							t.Errorf("%s: %s is not in the table", path, c)
						}
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 300 {
		t.Errorf("only %d conditions found: does the test still know how errors are raised?", found)
	}
}
