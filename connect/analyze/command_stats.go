package analyze

import (
	"math"
	"slices"
	"strings"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// TableStats are the statistics that ANALYZE TABLE left, for the optimizer; nil if there are none.
func TableStats(t *catalog.Table) *plan.Stats {
	if t.Stats == nil {
		return nil
	}
	out := &plan.Stats{Rows: t.Stats.Rows, Bytes: t.Stats.Bytes}
	if len(t.Stats.Columns) == 0 {
		return out
	}
	out.Cols = make([]plan.ColStats, len(t.Schema.Fields))
	for i, f := range t.Schema.Fields {
		out.Cols[i] = plan.ColStats{Nulls: -1, Distinct: -1}
		if c, ok := t.Stats.Columns[f.Name]; ok {
			out.Cols[i] = plan.ColStats{Nulls: c.Nulls, Distinct: c.Distinct, AvgBytes: int(c.AvgLen)}
		}
	}
	return out
}

// analyzeTable is ANALYZE TABLE and ANALYZE TABLES.
func analyzeTable(r *run, c *plan.Command) (plan.Node, error) {
	if c.Kind == "analyze_tables" {
		db, err := r.database(c.Name)
		if err != nil {
			return nil, err
		}
		tabs, err := r.Catalog.Tables(db)
		if err != nil {
			return nil, err
		}
		for _, t := range tabs {
			if t.IsView {
				continue
			}
			if err := r.gather(t, c.Flags["noscan"], nil); err != nil {
				return nil, err
			}
		}
		return nothing()
	}
	if r.Catalog.TempView(c.Name) != nil {
		return nil, aerr("EXPECT_PERMANENT_VIEW_NOT_TEMP", "viewName", errs.ID(c.Name...), "operation", "ANALYZE TABLE").At(c.Origin)
	}
	t, err := r.found(c)
	if err != nil {
		return nil, err
	}
	if t.IsView {
		return nil, aerr("UNSUPPORTED_FEATURE.ANALYZE_VIEW").At(c.Origin)
	}
	if r.Tables == nil {
		return nil, errs.NotSupported("statement " + c.Kind).At(c.Origin)
	}
	if c.Flags["partition"] {
		return answer(r.gatherPartitions(t, c))
	}
	var cols []types.Field
	for _, n := range splitNames(c.Args["columns"]) {
		if n == "" {
			continue
		}
		at := slices.IndexFunc(t.Schema.Fields, func(f types.Field) bool { return r.eq(f.Name, splitName(n)[0]) })
		if at < 0 {
			return nil, aerr("COLUMN_NOT_FOUND", "colName", errs.ID(splitName(n)...), "caseSensitiveConfig", `"spark.sql.caseSensitive"`)
		}
		cols = append(cols, t.Schema.Fields[at])
	}
	if c.Flags["all_columns"] {
		cols = t.Schema.Fields
	}
	for _, f := range cols {
		if !countable(f.Type) {
			return nil, aerr("UNSUPPORTED_FEATURE.ANALYZE_UNSUPPORTED_COLUMN_TYPE", "columnType", errs.Quote(f.Type.SQL()), "columnName", errs.ID(f.Name), "tableName", fullName(t))
		}
	}
	return answer(r.gather(t, c.Flags["noscan"], cols))
}

// countable reports whether columns of a type have statistics.
func countable(t *types.Type) bool {
	return t.IsNumeric() || t.IsString() || t.Kind == types.Bool || t.Kind == types.Binary || t.Kind == types.Date || t.Kind == types.Timestamp || t.Kind == types.TimestampNTZ
}

func (r *run) sizeOf(t *catalog.Table) (int64, error) {
	if len(t.Partitions) == 0 {
		size, _, err := r.Tables.Size(t.Location, false)
		return size, err
	}
	total := int64(0)
	for _, p := range t.Parts {
		size, _, err := r.Tables.Size(r.Tables.Folder(t, p), false)
		if err != nil {
			return 0, err
		}
		total += size
	}
	return total, nil
}

// scalars computes aggregates over a table's rows.
func (r *run) scalars(t *catalog.Table, list []string) ([]any, error) {
	if r.RunScalar == nil || r.ParseExpr == nil {
		return nil, errs.NotSupported("ANALYZE TABLE without a way to run queries")
	}
	x, err := r.filesOf(t, &plan.UnresolvedTable{})
	if err != nil {
		return nil, err
	}
	agg := &plan.Aggregate{Child: &resolvedNode{rel: x}}
	for _, text := range list {
		e, err := r.ParseExpr(text)
		if err != nil {
			return nil, err
		}
		agg.List = append(agg.List, e)
	}
	n, err := r.node(agg, nil)
	if err != nil {
		return nil, err
	}
	got, err := r.RunScalar(r.ctx, n.node)
	if err != nil {
		return nil, err
	}
	if len(got) != 1 {
		return nil, errs.Internalf("statistics of %d rows", len(got))
	}
	return got[0], nil
}

func (r *run) gather(t *catalog.Table, noscan bool, cols []types.Field) error {
	size, err := r.sizeOf(t)
	if err != nil {
		return err
	}
	s := &catalog.Stats{Bytes: size, Rows: -1}
	if noscan {
		if t.Stats != nil && t.Stats.Bytes == size {
			return nil
		}
	} else {
		list := []string{"count(1)"}
		for _, f := range cols {
			q := errs.ID(f.Name)
			lo, hi, avg, most := "CAST(NULL AS STRING)", "CAST(NULL AS STRING)", "CAST(NULL AS DOUBLE)", "CAST(NULL AS BIGINT)"
			if f.Type.IsNumeric() || f.Type.IsDatetime() || f.Type.Kind == types.Bool {
				lo, hi = "CAST(min("+q+") AS STRING)", "CAST(max("+q+") AS STRING)"
			} else {
				avg, most = "CAST(avg(octet_length("+q+")) AS DOUBLE)", "CAST(max(octet_length("+q+")) AS BIGINT)"
			}
			list = append(list, "count("+q+")", "approx_count_distinct("+q+")", lo, hi, avg, most)
		}
		row, err := r.scalars(t, list)
		if err != nil {
			return err
		}
		s.Rows, _ = row[0].(int64)
		for i, f := range cols {
			v := row[1+6*i:]
			count, _ := v[0].(int64)
			distinct, _ := v[1].(int64)
			c := catalog.ColumnStats{Nulls: s.Rows - count, Distinct: min(distinct, count)}
			if lo, ok := v[2].(string); ok {
				c.Min = &lo
			}
			if hi, ok := v[3].(string); ok {
				c.Max = &hi
			}
			c.AvgLen = defaultSize(f.Type)
			c.MaxLen = c.AvgLen
			if avg, ok := v[4].(float64); ok {
				c.AvgLen = int64(math.Ceil(avg))
			}
			if most, ok := v[5].(int64); ok {
				c.MaxLen = most
			}
			if s.Columns == nil {
				s.Columns = map[string]catalog.ColumnStats{}
			}
			s.Columns[f.Name] = c
		}
	}
	return r.update(t, func(t *catalog.Table) error {
		if t.Stats != nil && len(cols) > 0 { // those of other columns stay
			for k, v := range t.Stats.Columns {
				if _, ok := s.Columns[k]; !ok {
					s.Columns[k] = v
				}
			}
		}
		t.Stats = s
		return nil
	})
}

// defaultSize is the size that Spark takes values of a type to have.
func defaultSize(t *types.Type) int64 {
	switch t.Kind {
	case types.Bool, types.Int8:
		return 1
	case types.Int16:
		return 2
	case types.Int32, types.Float32, types.Date:
		return 4
	case types.String, types.Char, types.Varchar:
		return 20
	case types.Binary:
		return 100
	case types.Decimal:
		if t.Precision > types.MaxInt64Precision {
			return 16
		}
	}
	return 8
}

// gatherPartitions is ANALYZE TABLE ... PARTITION: each that has the values given.
func (r *run) gatherPartitions(t *catalog.Table, c *plan.Command) error {
	spec, err := r.partitionSpec(t, c)
	if err != nil {
		return err
	}
	found := map[string]*catalog.Stats{}
	for _, p := range t.Parts {
		if !spec.matches(p.Values) {
			continue
		}
		one := t.Clone()
		one.Parts = []catalog.Partition{p}
		size, err := r.sizeOf(one)
		if err != nil {
			return err
		}
		s := &catalog.Stats{Bytes: size, Rows: -1}
		if !c.Flags["noscan"] {
			row, err := r.scalars(one, []string{"count(1)"})
			if err != nil {
				return err
			}
			s.Rows, _ = row[0].(int64)
		}
		found[strings.Join(p.Values, "\x00")] = s
	}
	if len(found) == 0 && len(spec.list()) > 0 {
		return r.noPartition(t, spec)
	}
	return r.update(t, func(t *catalog.Table) error {
		for i, p := range t.Parts {
			if s := found[strings.Join(p.Values, "\x00")]; s != nil {
				t.Parts[i].Stats = s
			}
		}
		return nil
	})
}
