package datasource

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// TestCalendars: days keep their name when they go from one calendar to the other, and come back the same.
func TestCalendars(t *testing.T) {
	for _, x := range []struct{ gregorian, julian int32 }{
		{-171655, -171646},                                           // 1500-01-10, and the same name: nine days later
		{firstGregorian, firstGregorian}, {0, 0}, {-719162, -719164}, // 0001-01-01
		{-141437 + 3, firstGregorian}, // in the gap
	} {
		if got := julianDay(x.gregorian); got != x.julian {
			t.Errorf("%d is %d in the Julian calendar, want %d", x.gregorian, got, x.julian)
		}
	}
	for d := int32(-800_000); d < firstGregorian-10; d += 13 {
		if got := gregorianDay(julianDay(d)); got != d {
			t.Fatalf("%d comes back as %d", d, got)
		}
	}
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	r := newRebaser(zone)
	for us := int64(-40_000_000_000_000_000); us < 0; us += 977_777_777_777_777 {
		if got := r.toGregorian(r.toJulian(us)); got != us && types.FloorDiv(us, microsPerDay) < firstGregorian-11 {
			t.Fatalf("%d comes back as %d", us, got)
		}
	}
}

// writeWith writes one file with a session's settings.
func writeWith(t *testing.T, st *types.Type, conf, opts map[string]string, b *vec.Batch) (string, error) {
	dir := t.TempDir()
	cols, ts := columns(st)
	meta := make([]string, len(cols))
	for i, f := range st.Fields {
		meta[i] = f.Metadata
	}
	w, err := NewWrite(&physical.Write{Format: "parquet", Path: dir, Cols: cols, Metadata: meta, Options: opts}, &batches{ts, []*vec.Batch{b.Slice(0, b.N/3), b.Slice(b.N/3, b.N/2), b.Slice(b.N/2, b.N)}}, 0)
	if err != nil {
		return "", err
	}
	err = task.Run(task.Info{}, &task.Conf{Keys: conf}, mem.NewPool(0).NewAccount("t"), 1, func(c *task.Ctx) error {
		defer w.Close()
		if err := w.Open(c); err != nil {
			return err
		}
		_, err := w.Next(c)
		return err
	})
	return dir, err
}

// TestParquetSettings writes under the settings of Spark, looks at the file's schema, and reads it.
func TestParquetSettings(t *testing.T) {
	st := types.NewStruct(field("d", types.DateType), field("ts", types.TimestampType), field("dec", types.NewDecimal(5, 2)), field("list", types.NewArray(types.Int32Type, false)),
		field("nulls", types.NewArray(types.Int32Type, true)), field("m", types.NewMap(types.StringType, types.Int32Type, true)), field("deep", types.NewArray(types.NewArray(types.DateType, false), false)),
		field("ym", types.YearMonthType), field("none", types.NullType), field("v", types.VariantType), field("lv", types.NewArray(types.DayTimeType, true)))
	row := func(k int) []any {
		v := types.VariantValue{Value: []byte{12, byte(k)}, Metadata: []byte{1, 0, 0}}
		list := []any{int32(k), int32(2)}
		if k%5 == 0 {
			list = []any{}
		}
		return []any{int32(-200_000 + k), int64(-12_000_000_000_000_000) + int64(k)*1000, types.I128(int64(k)), list, []any{nil, int32(k)}, types.MapValue{Keys: []any{"k"}, Values: []any{int32(k)}},
			[]any{[]any{int32(-300_000)}, []any{}}, int32(k), nil, v, []any{int64(k), nil}}
	}
	b := batchOf(t, st, 3000, 7, row)
	const p = "spark.sql.parquet."
	for _, x := range []struct {
		name       string
		conf, opts map[string]string
		phys       string // of the columns d, ts and dec
		leaves     int
		paths      []string
	}{
		{"default", nil, nil, "INT32 INT96 INT32", 13, []string{"list.list.element", "nulls.list.element", "m.key_value.key"}},
		{"micros", map[string]string{outputTimestampType: "TIMESTAMP_MICROS"}, nil, "INT32 INT64 INT32", 13, nil},
		{"millis", map[string]string{outputTimestampType: "TIMESTAMP_MILLIS"}, nil, "INT32 INT64 INT32", 13, nil},
		{"old forms", map[string]string{p + "writeLegacyFormat": "true"}, nil, "INT32 INT96 FIXED_LEN_BYTE_ARRAY", 13, []string{"list.array", "nulls.bag.array", "deep.array.array"}},
		{"old calendar", map[string]string{p + "datetimeRebaseModeInWrite": "LEGACY", p + "int96RebaseModeInWrite": "LEGACY"}, nil, "INT32 INT96 INT32", 13, nil},
		{"small pages", nil, map[string]string{"parquet.page.size": "100", "parquet.block.size": "5000", "parquet.enable.dictionary": "false"}, "INT32 INT96 INT32", 13, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			dir, err := writeWith(t, st, x.conf, x.opts, b)
			if err != nil {
				t.Fatal(err)
			}
			r := written(t, dir)
			sc := r.MetaData().Schema
			if got := sc.Column(0).PhysicalType().String() + " " + sc.Column(1).PhysicalType().String() + " " + sc.Column(2).PhysicalType().String(); got != x.phys {
				t.Errorf("the columns are %s, want %s", got, x.phys)
			}
			for _, path := range x.paths {
				if sc.ColumnIndexByName(path) < 0 {
					t.Errorf("there is no %s in %s", path, sc)
				}
			}
			if x.name == "small pages" && r.NumRowGroups() < 3 {
				t.Errorf("%d row groups", r.NumRowGroups())
			}
			s := openAll(t, OpenArgs{Format: "parquet", Paths: []string{dir}})
			got, err := scanAll(t, s, 1, 0)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(rowsOf(b), got); d != "" {
				t.Error(d)
			}
		})
	}
	for _, x := range []map[string]string{{p + "datetimeRebaseModeInWrite": "EXCEPTION"}, {p + "int96RebaseModeInWrite": "EXCEPTION"}} {
		_, err := writeWith(t, st, x, nil, b)
		if e, ok := errs.As(err); !ok || e.Condition != "TASK_WRITE_FAILED" {
			t.Errorf("%v: %v", x, err)
		}
	}
	// Files that don't say who wrote them are in the calendar that the option says.
	path := filepath.Join(t.TempDir(), "a.parquet")
	one := types.NewStruct(field("d", types.DateType))
	writeBatch(t, path, one, batchOf(t, one, 1, 0, func(int) []any { return []any{int32(-171655)} }))
	for mode, want := range map[string]any{"LEGACY": int32(-171664), "CORRECTED": int32(-171655), "EXCEPTION": nil} {
		got, err := scanAll(t, openAll(t, OpenArgs{Format: "parquet", Paths: []string{path}, Options: map[string]string{"datetimeRebaseMode": mode}}), 1, 0)
		if e, ok := errs.As(err); want == nil && (!ok || e.Condition != "INCONSISTENT_BEHAVIOR_CROSS_VERSION.READ_ANCIENT_DATETIME") || want != nil && (err != nil || got[0][0] != want) {
			t.Errorf("%s: %v %v", mode, got, err)
		}
	}
}
