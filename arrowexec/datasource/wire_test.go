package datasource

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/physical/wire"
	"neptune/internal/types"
)

// TestSourcesCross opens a source in another process: it reads the same files
// in the same way, though the folder has changed and its options had defaults.
func TestSourcesCross(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"d=2024-01-02/a.csv": "1;x\n2;N\n", "d=__HIVE_DEFAULT_PARTITION__/b.csv": "oops;y\n"} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	src, err := Open(context.Background(), OpenArgs{Format: "csv", Paths: []string{dir}, Options: map[string]string{"sep": ";", "nullValue": "N"},
		Schema: types.NewStruct(field("a", types.Int32Type), field("s", types.StringType), field("bad", types.StringType)),
		Conf:   map[string]string{"spark.sql.columnNameOfCorruptRecord": "bad", "spark.sql.session.timeZone": "America/Los_Angeles"}})
	if err != nil {
		t.Fatal(err)
	}
	f := src.(*Files)
	data, err := wire.Encode(&wire.Stage{Root: &physical.Scan{Source: f}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "d=2024-01-02", "late.csv"), []byte("3;z\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := wire.Decode(data, WireSources())
	if err != nil {
		t.Fatal(err)
	}
	g := s.Root.(*physical.Scan).Source.(*Files)
	if g.Canonical() != f.Canonical() || !reflect.DeepEqual(g.files, f.files) || g.zone.String() != f.zone.String() || g.parts != 1 {
		t.Errorf("%s\n%s", f.Canonical(), g.Canonical())
	}
	if d := cmp.Diff(f.values, g.values); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(f.absent, g.absent); d != "" || len(f.absent) != 3 {
		t.Error("values of columns that files haven't:", d)
	}
	if g.text.corrupt != "bad" || !reflect.DeepEqual(f.text.csv, g.text.csv) {
		t.Error("the options changed")
	}
	if _, err := openState([]byte("junk")); !errors.Is(err, wire.ErrCorrupt) {
		t.Error(err)
	}
	empty, err := wire.Marshal(&filesState{Format: "csv"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openState(empty); !errors.Is(err, wire.ErrCorrupt) {
		t.Errorf("a source without a schema: %v", err)
	}
}

// TestFieldsOfFiles fails when Files get a field of which nobody has thought
// whether it crosses.
func TestFieldsOfFiles(t *testing.T) {
	cross := []string{"format", "opts", "paths", "roots", "files", "data", "schema", "parts", "zone", "text", "values", "absent", "rowIndex", "reads", "order"}
	stay := []string{"known", "table", "inline", "kinds"} // see filesState; sources with inline are refused
	for _, x := range []struct {
		t     reflect.Type
		names []string
	}{
		{reflect.TypeFor[Files](), append(cross, stay...)},
		{reflect.TypeFor[fileInfo](), []string{"path", "root", "size", "mtime", "parts"}},
	} {
		for i := range x.t.NumField() {
			if name := x.t.Field(i).Name; !slices.Contains(x.names, name) {
				t.Errorf("%s.%s: say in wire.go and here whether it goes to other processes", x.t, name)
			}
		}
	}
}
