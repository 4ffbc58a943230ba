package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neptune/internal/types"
)

func sample(name string) *Table {
	lo := "1"
	return &Table{Database: "default", Name: name, Provider: "parquet", Location: "/w/" + name, Options: map[string]string{"a": "1"}, Properties: map[string]string{"k": "v"},
		Schema: types.NewStruct(types.Field{Name: "a", Type: types.Int32Type, Nullable: true, Metadata: `{"comment":"c"}`},
			types.Field{Name: "c", Type: &types.Type{Kind: types.Char, Length: 5, Collation: "UTF8_LCASE"}, Nullable: true},
			types.Field{Name: "s", Type: types.NewStruct(types.Field{Name: "x", Type: types.NewArray(types.NewDecimal(20, 3), true), Nullable: true}), Nullable: true},
			types.Field{Name: "p", Type: types.StringType, Nullable: true}),
		Partitions: []string{"p"}, Managed: true, BucketBy: []string{"a"}, SortBy: []string{"c"}, Buckets: 4, Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Parts: []Partition{{Values: []string{"x"}, Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, {Values: []string{"y"}, Location: "/elsewhere"}},
		Stats: &Stats{Bytes: 10, Rows: 2, Columns: map[string]ColumnStats{"a": {Min: &lo, Distinct: 1}}}}
}

func stores(t *testing.T) map[string]Store {
	s, err := OpenSQLite(filepath.Join(t.TempDir(), "dir", "catalog.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return map[string]Store{"memory": NewMemory(), "sqlite": s}
}

func TestStores(t *testing.T) {
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			made, err := s.CreateTable(sample("t"))
			must(err)
			again, err := s.CreateTable(sample("t"))
			must(err)
			if !made || again {
				t.Errorf("created %v, and again %v", made, again)
			}
			for range 2 { // decoded, and kept
				got, err := s.Table("default", "t")
				must(err)
				if d := cmp.Diff(sample("t"), got); d != "" {
					t.Error(d)
				}
			}
			must(s.UpdateTable("default", "t", func(x *Table) (*Table, error) {
				x = x.Clone()
				x.Comment = "new"
				return x, nil
			}))
			if got, err := s.Table("default", "t"); err != nil || got.Comment != "new" {
				t.Error(got, err)
			}
			failure := fmt.Errorf("no")
			if err := s.UpdateTable("default", "t", func(x *Table) (*Table, error) { return nil, failure }); err == nil {
				t.Error("a failed change gave no error")
			}
			must(s.PutTable(sample("u")))
			if ok, err := s.RenameTable("default", "t", "u"); ok || err != nil {
				t.Error("renamed to a name that is taken", err)
			}
			if ok, err := s.RenameTable("default", "t", "v"); !ok || err != nil {
				t.Error(ok, err)
			}
			list, err := s.Tables("default")
			must(err)
			var names []string
			for _, x := range list {
				names = append(names, x.Name)
			}
			if d := cmp.Diff([]string{"u", "v"}, names); d != "" {
				t.Error(d)
			}
			must(s.DropTable("default", "v"))
			if got, err := s.Table("default", "v"); got != nil || err != nil {
				t.Error(got, err)
			}
			must(s.PutDatabase(Database{Name: "d", Comment: "c", Properties: map[string]string{"x": "y"}}))
			x := sample("t")
			x.Database = "d"
			must(s.PutTable(x))
			dbs, err := s.Databases()
			must(err)
			if len(dbs) != 2 || dbs[0].Name != "d" || dbs[0].Properties["x"] != "y" {
				t.Error(dbs)
			}
			must(s.DropDatabase("d"))
			if got, err := s.Table("d", "t"); got != nil || err != nil {
				t.Error("a table outlived its database", err)
			}
		})
	}
}

// TestConcurrentUpdates has many change one table: no change is lost.
func TestConcurrentUpdates(t *testing.T) {
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			if err := s.PutTable(sample("t")); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for i := range 6 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for k := range 10 {
						err := s.UpdateTable("default", "t", func(x *Table) (*Table, error) {
							x = x.Clone()
							x.Parts = append(x.Parts, Partition{Values: []string{fmt.Sprint(i, k)}})
							return x, nil
						})
						if err != nil {
							t.Error(err)
						}
						if _, err := s.Table("default", "t"); err != nil {
							t.Error(err)
						}
					}
				}()
			}
			wg.Wait()
			if got, err := s.Table("default", "t"); err != nil || len(got.Parts) != 62 {
				t.Error(len(got.Parts), err)
			}
		})
	}
}

func TestSQLiteSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	for i := range 2 {
		s, err := OpenSQLite(path)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if err := s.PutTable(sample("t")); err != nil {
				t.Fatal(err)
			}
		} else if got, err := s.Table("default", "t"); err != nil || got == nil || !cmp.Equal(got, sample("t")) {
			t.Error(got, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, []byte("this is no database, whatever its name says, and it is longer than a header"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSQLite(path); err == nil {
		t.Error("opened what is no catalog")
	}
}
