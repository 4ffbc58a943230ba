package optimize_test

import (
	"neptune/internal/plan"
	"neptune/internal/types"
)

// fakeSource is a table without data: a schema and statistics.
type fakeSource struct {
	name   string
	schema *types.Type
	stats  plan.Stats
}

func (f *fakeSource) Format() string        { return "parquet" }
func (f *fakeSource) Schema() *types.Type   { return f.schema }
func (f *fakeSource) PartitionColumns() int { return 0 }
func (f *fakeSource) Stats() plan.Stats     { return f.stats }

var (
	i32, i64 = types.Int32Type, types.Int64Type
	str      = types.StringType
	date     = types.DateType
	dec      = types.NewDecimal(15, 2)
)

type col struct {
	name     string
	t        *types.Type
	min, max any
	distinct int64
}

func d(v int64) any { return types.I128(v) }

func table(name string, rows int64, cols ...col) *fakeSource {
	f := &fakeSource{name: name, schema: &types.Type{Kind: types.Struct}, stats: plan.Stats{Rows: rows, Bytes: rows * 50}}
	for _, c := range cols {
		f.schema.Fields = append(f.schema.Fields, types.Field{Name: c.name, Type: c.t, Nullable: true})
		n := c.distinct
		if n == 0 {
			n = -1
		}
		f.stats.Cols = append(f.stats.Cols, plan.ColStats{Min: c.min, Max: c.max, Distinct: n})
	}
	return f
}

// tpch is the tables of TPC-H with statistics as of scale factor 1: ranges of
// numbers and dates, no distinct counts (as Parquet footers have it).
func tpch() []*fakeSource {
	day := func(n int32) any { return n }
	return []*fakeSource{
		table("region", 5, col{"r_regionkey", i64, int64(0), int64(4), 0}, col{"r_name", str, "AFRICA", "MIDDLE EAST", 0}, col{"r_comment", str, nil, nil, 0}),
		table("nation", 25, col{"n_nationkey", i64, int64(0), int64(24), 0}, col{"n_name", str, "ALGERIA", "VIETNAM", 0},
			col{"n_regionkey", i64, int64(0), int64(4), 0}, col{"n_comment", str, nil, nil, 0}),
		table("supplier", 10000, col{"s_suppkey", i64, int64(1), int64(10000), 0}, col{"s_name", str, "S", "T", 0}, col{"s_address", str, nil, nil, 0},
			col{"s_nationkey", i64, int64(0), int64(24), 0}, col{"s_phone", str, nil, nil, 0}, col{"s_acctbal", dec, d(-99832), d(999993), 0}, col{"s_comment", str, nil, nil, 0}),
		table("customer", 150000, col{"c_custkey", i64, int64(1), int64(150000), 0}, col{"c_name", str, nil, nil, 0}, col{"c_address", str, nil, nil, 0},
			col{"c_nationkey", i64, int64(0), int64(24), 0}, col{"c_phone", str, nil, nil, 0}, col{"c_acctbal", dec, d(-99999), d(999999), 0},
			col{"c_mktsegment", str, "AUTOMOBILE", "MACHINERY", 0}, col{"c_comment", str, nil, nil, 0}),
		table("part", 200000, col{"p_partkey", i64, int64(1), int64(200000), 0}, col{"p_name", str, nil, nil, 0}, col{"p_mfgr", str, nil, nil, 0},
			col{"p_brand", str, "Brand#11", "Brand#55", 0}, col{"p_type", str, nil, nil, 0}, col{"p_size", i32, int32(1), int32(50), 0},
			col{"p_container", str, nil, nil, 0}, col{"p_retailprice", dec, d(90100), d(209899), 0}, col{"p_comment", str, nil, nil, 0}),
		table("partsupp", 800000, col{"ps_partkey", i64, int64(1), int64(200000), 0}, col{"ps_suppkey", i64, int64(1), int64(10000), 0},
			col{"ps_availqty", i32, int32(1), int32(9999), 0}, col{"ps_supplycost", dec, d(100), d(100000), 0}, col{"ps_comment", str, nil, nil, 0}),
		table("orders", 1500000, col{"o_orderkey", i64, int64(1), int64(6000000), 0}, col{"o_custkey", i64, int64(1), int64(149999), 0},
			col{"o_orderstatus", str, "F", "P", 0}, col{"o_totalprice", dec, d(85771), d(55528516), 0}, col{"o_orderdate", date, day(8035), day(10440), 0},
			col{"o_orderpriority", str, "1-URGENT", "5-LOW", 0}, col{"o_clerk", str, nil, nil, 0}, col{"o_shippriority", i32, int32(0), int32(0), 0}, col{"o_comment", str, nil, nil, 0}),
		table("lineitem", 6001215, col{"l_orderkey", i64, int64(1), int64(6000000), 0}, col{"l_partkey", i64, int64(1), int64(200000), 0},
			col{"l_suppkey", i64, int64(1), int64(10000), 0}, col{"l_linenumber", i32, int32(1), int32(7), 0}, col{"l_quantity", dec, d(100), d(5000), 0},
			col{"l_extendedprice", dec, d(90100), d(10494950), 0}, col{"l_discount", dec, d(0), d(10), 0}, col{"l_tax", dec, d(0), d(8), 0},
			col{"l_returnflag", str, "A", "R", 0}, col{"l_linestatus", str, "F", "O", 0}, col{"l_shipdate", date, day(8036), day(10561), 0},
			col{"l_commitdate", date, day(8064), day(10530), 0}, col{"l_receiptdate", date, day(8037), day(10591), 0},
			col{"l_shipinstruct", str, "COLLECT COD", "TAKE BACK RETURN", 0}, col{"l_shipmode", str, "AIR", "TRUCK", 0}, col{"l_comment", str, nil, nil, 0}),
	}
}

// small has tables that queries about single rules use: t(a, b, c), u(x, y) large, s(k, v) tiny.
func small() []*fakeSource {
	return []*fakeSource{
		table("t", 1000000, col{"a", i32, int32(0), int32(999999), 0}, col{"b", i64, int64(0), int64(1000), 0}, col{"c", str, nil, nil, 0}),
		table("u", 2000000, col{"x", i32, int32(0), int32(999999), 0}, col{"y", i64, int64(0), int64(1000), 0}, col{"z", str, nil, nil, 0}),
		table("s", 100, col{"k", i32, int32(0), int32(99), 0}, col{"v", str, nil, nil, 0}),
	}
}
