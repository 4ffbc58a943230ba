package datasource

import (
	"fmt"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/google/go-cmp/cmp"

	"neptune/internal/plan"
	"neptune/internal/types"
)

func cmpExpr(name string, col int, value any) plan.Expr {
	t := sample.Fields[col].Type
	return &plan.Call{Name: name, T: types.BoolType, Kind: plan.FnScalar, Args: []plan.Expr{&plan.Bound{Index: col, T: t}, &plan.Literal{T: t, Value: value}}}
}

func inExpr(col int, values ...any) plan.Expr {
	t := sample.Fields[col].Type
	c := &plan.Call{Name: "in", T: types.BoolType, Kind: plan.FnScalar, Args: []plan.Expr{&plan.Bound{Index: col, T: t}}}
	for _, v := range values {
		c.Args = append(c.Args, &plan.Literal{T: t, Value: v})
	}
	return c
}

// TestFiltersOfScans: a scan with filters gives the rows that a scan without
// them has, however the columns are stored and however few rows are left.
func TestFiltersOfScans(t *testing.T) {
	const b, i32, f, s, uniq, day = 0, 2, 4, 7, 8, 9
	type filter struct {
		name  string
		exprs []plan.Expr
		keep  func(row []any) bool
	}
	filters := []filter{
		{"equal string", []plan.Expr{cmpExpr("=", s, "s3")}, func(r []any) bool { return r[s] == "s3" }},
		{"strings of a list", []plan.Expr{inExpr(s, "s3", "s11", "none")}, func(r []any) bool { return r[s] == "s3" || r[s] == "s11" }},
		{"no such string", []plan.Expr{cmpExpr("=", s, "none")}, func([]any) bool { return false }},
		{"few days, then few strings", []plan.Expr{cmpExpr("<", day, int32(3)), cmpExpr(">", s, "s5")},
			func(r []any) bool {
				return r[day] != nil && r[day].(int32) < 3 && r[s] != nil && r[s].(string) > "s5"
			}},
		{"most strings, then numbers", []plan.Expr{&plan.Call{Name: "not", T: types.BoolType, Kind: plan.FnScalar, Args: []plan.Expr{cmpExpr("=", s, "s1")}}, cmpExpr("<", f, 2.5), inExpr(i32, int32(5), int32(900), int32(4100), int32(6999))},
			func(r []any) bool {
				x, ok := r[i32].(int32)
				return r[s] != nil && r[s] != "s1" && r[f] != nil && r[f].(float64) < 2.5 && ok && (x == 5 || x == 900 || x == 4100 || x == 6999)
			}},
		{"null", []plan.Expr{&plan.Call{Name: "isnull", T: types.BoolType, Kind: plan.FnScalar, Args: []plan.Expr{&plan.Bound{Index: s, T: types.StringType}}}},
			func(r []any) bool { return r[s] == nil }},
		{"plain strings", []plan.Expr{cmpExpr("<", uniq, "unique text 3"), &plan.Bound{Index: b, T: types.BoolType}},
			func(r []any) bool { return r[uniq] != nil && r[uniq].(string) < "unique text 3" && r[b] == true }},
	}
	layouts := map[string][]parquet.WriterProperty{
		"dictionaries": {parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDataPageSize(2000)},
		"plain":        {parquet.WithDictionaryDefault(false), parquet.WithCompression(compress.Codecs.Zstd), parquet.WithDataPageSize(2000)},
		"uncompressed": {parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithDictionaryPageSizeLimit(4000), parquet.WithDataPageSize(700)},
	}
	for name, props := range layouts {
		for _, nulls := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "x.parquet")
			rows := sampleBatch(7000, nulls)
			writeSample(t, path, rows, props...)
			all := rowsOf(rows)
			for _, fl := range filters {
				t.Run(fmt.Sprintf("%s/nulls=%t/%s", name, nulls, fl.name), func(t *testing.T) {
					var want [][]any
					for _, r := range all {
						if fl.keep(r) {
							want = append(want, r)
						}
					}
					for _, every := range []int{0, 1} {
						s := openAll(t, OpenArgs{Format: "parquet", Paths: []string{path}})
						s.Filters = fl.exprs
						got, err := scanAll(t, s, 1+every, every)
						if err != nil {
							t.Fatal(err)
						}
						if !reflect.DeepEqual(want, got) {
							t.Fatalf("%.2000s", cmp.Diff(want, got))
						}
					}
				})
			}
		}
	}
}
