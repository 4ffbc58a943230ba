package datasource

import (
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"neptune/internal/errs"
	"neptune/internal/types"
)

// folderColumns reads col=value from the folders of a file, innermost first, up to one
// of the bases or, once a column was found, a folder that is none. at is where it stopped.
func folderColumns(dir string, bases map[string]bool) (names, values []string, at string, err error) {
	for at = dir; !bases[at] && at != filepath.Dir(at); at = filepath.Dir(at) {
		seg := filepath.Base(at)
		name, value, ok := strings.Cut(seg, "=")
		if !ok {
			if len(names) > 0 {
				break
			}
			continue
		}
		if name == "" {
			return nil, nil, "", errs.New(errs.Execution, "EMPTY_PARTITION_COLUMN_NAME", "columnSpec", seg)
		}
		if value == "" {
			return nil, nil, "", errs.New(errs.Execution, "EMPTY_PARTITION_COLUMN_VALUE", "columnSpec", seg)
		}
		names = append(names, unescape(name))
		values = append(values, unescape(value))
	}
	slices.Reverse(names)
	slices.Reverse(values)
	if len(names) == 0 {
		at = dir
	}
	return names, values, at, nil
}

// partition finds the partition columns of the files, and drops the files that
// don't belong to the table that they make. Errors are
// CONFLICTING_PARTITION_COLUMN_NAMES and CONFLICTING_DIRECTORY_STRUCTURES.
func (l *listing) partition(bases map[string]bool, exact bool) error {
	same := func(a, b string) bool { return a == b || !exact && strings.EqualFold(a, b) }
	var lists [][]string
	var folders [][]string // of each list
	var found []string     // base folders
	var flat []fileInfo    // right in a given folder
	var deep []fileInfo
	for _, f := range l.files {
		dir := filepath.Dir(f.path)
		names, values, at, err := folderColumns(dir, bases)
		if err != nil {
			return err
		}
		if f.path == f.root || dir == f.root {
			flat = append(flat, f)
		}
		if !slices.Contains(found, at) && (len(names) > 0 || bases[at]) {
			found = append(found, at)
		}
		if len(names) == 0 {
			continue
		}
		i := slices.IndexFunc(lists, func(x []string) bool { return slices.EqualFunc(x, names, same) })
		if i < 0 {
			i = len(lists)
			lists = append(lists, names)
			folders = append(folders, nil)
		}
		if !slices.Contains(folders[i], dir) {
			folders[i] = append(folders[i], dir)
		}
		f.parts = values
		deep = append(deep, f)
	}
	if len(lists) == 0 {
		l.files = flat
		l.summaries = slices.DeleteFunc(l.summaries, func(f fileInfo) bool { return f.path != f.root && filepath.Dir(f.path) != f.root })
		return nil
	}
	if len(found) > 1 {
		return errs.New(errs.Execution, "CONFLICTING_DIRECTORY_STRUCTURES", "discoveredBasePaths", "\n\tfile:"+strings.Join(found, "\n\tfile:")+"\n")
	}
	if len(lists) > 1 {
		var cols, where []string
		order := make([]int, len(lists))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return slices.Compare(lists[a], lists[b]) })
		for i, k := range order {
			x := lists[k]
			cols = append(cols, "Partition column name list #"+strconv.Itoa(i)+": "+strings.Join(x, ", "))
			where = append(where, folders[k]...)
		}
		return errs.New(errs.Runtime, "CONFLICTING_PARTITION_COLUMN_NAMES", "distinctPartColLists", "\n\t"+strings.Join(cols, "\n\t")+"\n", "suspiciousPaths", "\n\tfile:"+strings.Join(where, "\n\tfile:"))
	}
	for i, a := range lists[0] {
		for _, b := range lists[0][:i] {
			if same(a, b) {
				if !exact {
					a = strings.ToLower(a)
				}
				return errs.New(errs.Analysis, "COLUMN_ALREADY_EXISTS", "columnName", errs.ID(a))
			}
		}
	}
	l.files, l.names = deep, lists[0]
	return nil
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// partitionTypes infers the types of the partition columns from their values.
func partitionTypes(files []fileInfo, names []string, infer bool) []*types.Type {
	out := make([]*types.Type, len(names))
	for i := range names {
		var t *types.Type
		for _, f := range files {
			if infer && f.parts[i] != nullPartition {
				t = partitionWider(t, partitionType(f.parts[i]))
			}
		}
		if t == nil {
			t = types.StringType
		}
		out[i] = t
	}
	return out
}

// partitionType is the type of a folder's value: the first that it can be read as.
func partitionType(s string) *types.Type {
	if _, err := strconv.ParseInt(s, 10, 32); err == nil {
		return types.Int32Type
	}
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return types.Int64Type
	}
	// A decimal must have no fraction: 1.5 is a double, 1e3 is not.
	if strings.TrimSpace(s) == s {
		if v, scale, r := types.ParseDecimalExact(s, 0); r == types.DecimalOK && scale <= 0 && !strings.Contains(s, ".") {
			if v, ok := types.Rescale(v, scale, 0); ok && v.Digits() <= types.MaxPrecision {
				return types.NewDecimal(max(1, v.Digits()), 0)
			}
		}
	}
	if _, ok := types.ParseDouble(s, 64); ok {
		return types.Float64Type
	}
	if _, ok := partitionTime(s, time.UTC); ok {
		return types.TimestampType
	}
	if _, err := time.Parse("2006-01-02", s); err == nil {
		return types.DateType
	}
	return types.StringType
}

// partitionTime reads yyyy-MM-dd HH:mm:ss, perhaps with a fraction, in a zone.
func partitionTime(s string, zone *time.Location) (int64, bool) {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", s, zone) // takes fractions too
	return t.UnixMicro(), err == nil
}

// partitionWider is the type of a column with values of both types.
func partitionWider(a, b *types.Type) *types.Type {
	is := func(k, l types.Kind) bool { return a.Kind == k && b.Kind == l || a.Kind == l && b.Kind == k }
	switch {
	case a == nil:
		return b
	case is(types.Float64, types.Decimal), is(types.Float64, types.Int64):
		return types.StringType
	}
	if t := (types.Rules{}).Wider(a, b, true); t != nil {
		return t
	}
	return types.StringType
}

// partitionValue turns a folder's value into the literal form of t.
func partitionValue(s, name string, t *types.Type, zone *time.Location) (any, error) {
	if s == nullPartition {
		return nil, nil
	}
	if zone == nil {
		zone = time.UTC
	}
	switch t.Kind {
	case types.String:
		return s, nil
	case types.Binary:
		return []byte(s), nil
	case types.Int8, types.Int16, types.Int32, types.Int64:
		bits := map[types.Kind]int{types.Int8: 8, types.Int16: 16, types.Int32: 32, types.Int64: 64}[t.Kind]
		if v, err := strconv.ParseInt(s, 10, bits); err == nil {
			switch bits {
			case 8:
				return int8(v), nil
			case 16:
				return int16(v), nil
			case 32:
				return int32(v), nil
			}
			return v, nil
		}
	case types.Float32:
		if v, ok := types.ParseDouble(s, 32); ok {
			return float32(v), nil
		}
	case types.Float64:
		if v, ok := types.ParseDouble(s, 64); ok {
			return v, nil
		}
	case types.Decimal:
		if v, scale, r := types.ParseDecimalExact(s, t.Scale); r == types.DecimalOK {
			if v, ok := types.ToScale(v, scale, t.Precision, t.Scale); ok {
				return v, nil
			}
		}
	case types.Bool:
		if v, err := strconv.ParseBool(strings.ToLower(s)); err == nil {
			return v, nil
		}
	case types.Date:
		if v, ok := types.ParseDate(s); ok {
			return v, nil
		}
	case types.Timestamp:
		if v, ok := partitionTime(s, zone); ok {
			return v, nil
		}
		if v, ok := types.ParseTimestamp(s, types.NewZoneCache(zone), nil); ok {
			return v, nil
		}
	case types.TimestampNTZ:
		if v, ok := types.ParseTimestampNTZ(s); ok {
			return v, nil
		}
	default:
		return nil, errs.NotSupported("partition columns of type " + t.String())
	}
	return nil, errs.New(errs.Runtime, "INVALID_PARTITION_VALUE", "value", s, "dataType", errs.Quote(t.SQL()), "columnName", errs.ID(name))
}
