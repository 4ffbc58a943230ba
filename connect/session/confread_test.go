package session

import (
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "write confread.txt anew")

// TestReadKeys holds confread.txt to the code: the keys that stand in it as literals, other than in the texts of errors.
func TestReadKeys(t *testing.T) {
	literal := regexp.MustCompile(`[^` + "`" + `]"(spark\.[A-Za-z0-9_.]+)"`)
	found := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, m := range literal.FindAllStringSubmatch(string(code), -1) {
			if _, known := LookupConf(m[1]); known {
				found[m[1]] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(slices.Sorted(maps.Keys(found)), "\n") + "\n"
	if *rewrite {
		if err := os.WriteFile("confread.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(readTable, got); d != "" {
		t.Error("confread.txt differs from the keys in the code; -rewrite writes it:\n" + d)
	}
}

func TestIgnoredKeysAreTold(t *testing.T) {
	c := NewConf(nil)
	for _, x := range []struct {
		key, value string
		told       bool
	}{
		{"spark.sql.ansi.enabled", "false", false},
		{"spark.sql.codegen.wholeStage", "true", false}, // its default
		{"spark.sql.codegen.wholeStage", "false", true},
		{"spark.sql.codegen.wholeStage", "false", false}, // once
		{"spark.sql.execution.arrow.maxRecordsPerBatch", "7", false},
		{"spark.my.own", "x", false},
	} {
		if got := c.Ignored(x.key, x.value); (got != "") != x.told {
			t.Errorf("%s = %s: %q", x.key, x.value, got)
		}
	}
}
