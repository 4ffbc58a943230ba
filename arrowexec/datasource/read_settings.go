package datasource

import (
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"neptune/internal/errs"
	"neptune/internal/types"
)

// readSettings say how the values of a Parquet file are understood.
type readSettings struct {
	dates, int96 rebaseMode
	zone         *time.Location // of what is rebased
	exact        bool           // the case of columns' names counts
	ids          bool           // columns with a number are found by it
	idsMissing   bool           // also in files without numbers, where they are null
	nullStructs  bool           // a struct of which the file has no field is null
	// INT96 is the time of day here, other than where Parquet's Java library wrote it; nil: it is always that in UTC.
	wall *time.Location
}

// String tells settings from others.
func (s readSettings) String() string {
	return fmt.Sprint(s.dates, s.int96, s.zone, s.exact, s.ids, s.idsMissing, s.nullStructs, s.wall)
}

// inferSettings say which types the columns of Parquet files have where no Spark wrote them.
type inferSettings struct {
	binaryAsString, int96AsOther, ntzAsLTZ, nanosAsLong, plainVariants bool
}

func newInferSettings(conf map[string]string) inferSettings {
	off := func(k string) bool { return strings.EqualFold(strings.TrimSpace(conf[k]), "false") }
	return inferSettings{
		binaryAsString: boolConf(conf, "spark.sql.parquet.binaryAsString"),
		int96AsOther:   off("spark.sql.parquet.int96AsTimestamp"),
		ntzAsLTZ:       off("spark.sql.parquet.inferTimestampNTZ.enabled"),
		nanosAsLong:    boolConf(conf, "spark.sql.legacy.parquet.nanosAsLong"),
		plainVariants:  boolConf(conf, "spark.sql.parquet.ignoreVariantAnnotation"),
	}
}

const (
	datetimeModeKey = "spark.sql.parquet.datetimeRebaseModeInRead"
	int96ModeKey    = "spark.sql.parquet.int96RebaseModeInRead"
)

// boolConf is the session's value of a key whose values are true and false.
func boolConf(conf map[string]string, key string) bool { return isTrue(strings.TrimSpace(conf[key])) }

// newReadSettings are those of files that don't say which calendar they are in: the options', else the session's.
func newReadSettings(opts, conf map[string]string, zone *time.Location) (s readSettings, err error) {
	first := func(o, k string) string {
		if v, ok := opts[o]; ok {
			return v
		}
		return conf[k]
	}
	if s.dates, err = rebaseOf(first("datetimerebasemode", datetimeModeKey)); err != nil {
		return s, err
	}
	s.int96, err = rebaseOf(first("int96rebasemode", int96ModeKey))
	s.zone, s.exact = zone, boolConf(conf, "spark.sql.caseSensitive")
	s.ids, s.idsMissing = boolConf(conf, "spark.sql.parquet.fieldId.read.enabled"), boolConf(conf, "spark.sql.parquet.fieldId.read.ignoreMissing")
	s.nullStructs = boolConf(conf, "spark.sql.legacy.parquet.returnNullStructIfAllFieldsMissing")
	if boolConf(conf, "spark.sql.parquet.int96TimestampConversion") {
		s.wall = zone
	}
	return s, err
}

// settings are those of one file: what its footer says comes first.
func (ft *footer) settings(s readSettings) readSettings {
	if ft.java {
		s.wall = nil
	}
	if !ft.spark {
		return s
	}
	s.dates, s.int96 = ft.dates, ft.int96
	if ft.zone != nil {
		s.zone = ft.zone
	}
	return s
}

// marks reads what the footer says of calendars.
func (ft *footer) marks() {
	ft.java = strings.HasPrefix(ft.meta.FileMetaData.GetCreatedBy(), "parquet-mr")
	kv := ft.meta.KeyValueMetadata()
	if kv == nil {
		return
	}
	version := kv.FindValue(sparkVersion)
	if version == nil {
		return
	}
	ft.spark = true
	if *version < "3.0.0" || kv.FindValue(legacyDateTime) != nil {
		ft.dates = rebaseLegacy
	}
	if *version < "3.1.0" || kv.FindValue(legacyInt96) != nil {
		ft.int96 = rebaseLegacy
	}
	if id := kv.FindValue(rebaseZone); id != nil {
		if zone, err := types.LoadZone(*id); err == nil {
			ft.zone = zone
		}
	}
}

// rebased reports whether statistics of days and instants of type t aren't in the calendar of values that are read.
func (s readSettings) rebased(t *types.Type) bool {
	return s.dates != rebaseCorrected && (t.Kind == types.Date || t.Kind == types.Timestamp)
}

// rebaseDays changes days as they are decoded, and rebaseMicros instants; nil: nothing is to be changed.
func (s readSettings) rebaseDays(bad *error) func([]int32) {
	switch s.dates {
	case rebaseLegacy:
		return func(d []int32) {
			for i, x := range d {
				d[i] = gregorianDay(x)
			}
		}
	case rebaseException:
		return func(d []int32) {
			for _, x := range d {
				if x < firstGregorian {
					*bad = ancientRead("Parquet", datetimeModeKey, "datetimeRebaseMode")
					return
				}
			}
		}
	}
	return nil
}

func (s readSettings) rebaseMicros(int96 bool, bad *error) func([]int64) {
	mode, format, key, option := s.dates, "Parquet", datetimeModeKey, "datetimeRebaseMode"
	if int96 {
		mode, format, key, option = s.int96, "Parquet INT96", int96ModeKey, "int96RebaseMode"
	}
	switch mode {
	case rebaseLegacy:
		r := newRebaser(s.zone)
		return func(d []int64) {
			for i, x := range d {
				if x < beginOf1900 {
					d[i] = r.toGregorian(x)
				}
			}
		}
	case rebaseException:
		return func(d []int64) {
			for _, x := range d {
				if x < beginOf1900 {
					*bad = ancientRead(format, key, option)
					return
				}
			}
		}
	}
	return nil
}

// typeOfNode is the SQL type of a column (Spark: ParquetToSparkSchemaConverter).
func typeOfNode(sc *schema.Schema, n schema.Node, s inferSettings) (*types.Type, error) {
	t, err := typeOfContent(sc, n, s)
	if err == nil && n.RepetitionType() == parquet.Repetitions.Repeated {
		t = types.NewArray(t, false)
	}
	return t, err
}

// typeOfContent is typeOfNode but for a repetition of the node itself.
func typeOfContent(sc *schema.Schema, n schema.Node, s inferSettings) (*types.Type, error) {
	g, ok := n.(*schema.GroupNode)
	if !ok {
		return leafType(sc.Column(sc.ColumnIndexByNode(n)), s)
	}
	illegal := func() (*types.Type, error) {
		return nil, errs.New(errs.Analysis, "PARQUET_TYPE_NOT_RECOGNIZED", "field", n.Name())
	}
	isNull := func(n schema.Node) bool { return n.RepetitionType() == parquet.Repetitions.Optional }
	_, isVariant := g.LogicalType().(schema.VariantLogicalType)
	switch {
	case isVariant && !s.plainVariants:
		return types.VariantType, nil
	case isListNode(g):
		elem, inner := listElement(g)
		if elem == nil {
			return illegal()
		}
		if !inner {
			t, err := typeOfContent(sc, elem, s)
			return types.NewArray(t, false), err
		}
		t, err := typeOfNode(sc, elem, s)
		return types.NewArray(t, isNull(elem)), err
	case isMapNode(g):
		e := mapEntries(g)
		if e == nil {
			return illegal()
		}
		k, err := typeOfNode(sc, e.Field(0), s)
		if err != nil {
			return nil, err
		}
		v, err := typeOfNode(sc, e.Field(1), s)
		return types.NewMap(k, v, isNull(e.Field(1))), err
	}
	out := types.NewStruct()
	for i := range g.NumFields() {
		f := g.Field(i)
		t, err := typeOfNode(sc, f, s)
		if err != nil {
			return nil, err
		}
		out.Fields = append(out.Fields, types.Field{Name: f.Name(), Type: t, Nullable: isNull(f)})
	}
	return out, nil
}
