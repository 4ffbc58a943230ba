package datasource

import (
	"path/filepath"
	"slices"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/types"
)

// Files of metadata alone, which tell the schema of those beside them.
const (
	summaryFile       = "_metadata"
	commonSummaryFile = "_common_metadata"
)

func isSummary(name string) bool { return name == summaryFile || name == commonSummaryFile }

// inferParquet finds the columns in the footers: in that of the first summary file or of the first file of all, or, with
// the option mergeSchema, in all of them.
func (f *Files) inferParquet(summaries []fileInfo, conf map[string]string) (*types.Type, error) {
	merge := boolConf(conf, "spark.sql.parquet.mergeSchema")
	if v, ok := f.opts["mergeschema"]; ok {
		switch strings.ToLower(v) {
		case "true":
			merge = true
		case "false":
			merge = false
		default:
			return nil, errs.Refused(errs.IllegalArgument, "For input string: \"%s\"", v)
		}
	}
	byPath := func(a, b fileInfo) int { return strings.Compare(a.path, b.path) }
	touch := slices.SortedFunc(slices.Values(f.files), byPath)
	var rows, common []fileInfo
	for _, s := range slices.SortedFunc(slices.Values(summaries), byPath) {
		if filepath.Base(s.path) == commonSummaryFile {
			common = append(common, s)
		} else {
			rows = append(rows, s)
		}
	}
	if merge {
		if boolConf(conf, "spark.sql.parquet.respectSummaryFiles") {
			touch = nil
		}
		touch = slices.Concat(touch, rows, common)
	} else {
		touch = slices.Concat(common, rows, touch)
		touch = touch[:min(1, len(touch))]
	}
	var out *types.Type
	for _, file := range touch {
		ft, err := readFooter(file)
		if err != nil {
			if f.passes(err) {
				continue
			}
			return nil, err
		}
		t, err := ft.schemaOf(f.kinds)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = t
			continue
		}
		m, ok := mergeTypes(out, t, f.reads.exact)
		if !ok {
			return nil, errs.New(errs.Execution, "CANNOT_MERGE_SCHEMAS", "left", errs.Quote(out.SQL()), "right", errs.Quote(t.SQL()))
		}
		out = m
	}
	if out == nil {
		return nil, errs.New(errs.Analysis, "UNABLE_TO_INFER_SCHEMA", "format", formatName(f.format))
	}
	return nullable(out), nil
}

// mergeTypes is a type for values of a and of b, with the fields of both in each struct (Spark: StructType.merge); false:
// there is none. exact: the case of names counts.
func mergeTypes(a, b *types.Type, exact bool) (*types.Type, bool) {
	if a.Kind != b.Kind || a.UDT != b.UDT {
		return nil, false
	}
	switch a.Kind {
	case types.Array:
		e, ok := mergeTypes(a.Elem, b.Elem, exact)
		if !ok {
			return nil, false
		}
		return types.NewArray(e, a.ElemNulls || b.ElemNulls), true
	case types.Map:
		k, ok := mergeTypes(a.Key, b.Key, exact)
		if !ok {
			return nil, false
		}
		e, ok := mergeTypes(a.Elem, b.Elem, exact)
		if !ok {
			return nil, false
		}
		return types.NewMap(k, e, a.ElemNulls || b.ElemNulls), true
	case types.Struct:
		out := types.NewStruct(slices.Clone(a.Fields)...)
		for _, f := range b.Fields {
			i := slices.IndexFunc(a.Fields, func(x types.Field) bool {
				return x.Name == f.Name || !exact && strings.EqualFold(x.Name, f.Name)
			})
			if i < 0 {
				out.Fields = append(out.Fields, f)
				continue
			}
			t, ok := mergeTypes(a.Fields[i].Type, f.Type, exact)
			if !ok {
				return nil, false
			}
			out.Fields[i].Type = t
			out.Fields[i].Nullable = a.Fields[i].Nullable || f.Nullable
		}
		return out, true
	case types.Decimal:
		return types.NewDecimal(max(a.Precision, b.Precision), a.Scale), a.Scale == b.Scale
	case types.YearMonthInterval:
		return types.NewYearMonth(min(a.Start, b.Start), max(a.End, b.End)), true
	case types.DayTimeInterval:
		return types.NewDayTime(min(a.Start, b.Start), max(a.End, b.End)), true
	}
	return a, types.SameType(a, b)
}
