package analyze

import (
	"neptune/connect/catalog"
	"neptune/internal/plan"
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
