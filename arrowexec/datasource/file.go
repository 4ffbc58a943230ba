package datasource

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"neptune/internal/errs"
	"neptune/internal/types"
)

// fileInfo is one file of a source.
type fileInfo struct {
	path  string
	size  int64
	mtime int64
	parts []string // values of the partition columns as the folders have them, unescaped
}

// nullPartition is the folder name that Hive and Spark give the null value.
const nullPartition = "__HIVE_DEFAULT_PARTITION__"

// LocalPath strips the file: scheme; other schemes are refused by name.
func LocalPath(p string) (string, error) {
	if i := strings.Index(p, ":/"); i > 0 {
		if scheme := p[:i]; scheme != "file" {
			return "", errs.NotSupported("file system " + scheme)
		}
		p = strings.TrimPrefix(p, "file:")
		for strings.HasPrefix(p, "//") {
			p = p[1:]
		}
	}
	return filepath.Clean(p), nil
}

// hidden reports whether readers pass over a file or folder of that name (as Spark's file index does).
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") && !strings.Contains(name, "=")
}

// listFiles finds the files of the paths, in order of path below each, and the
// names of the partition columns.
func listFiles(paths []string, opts map[string]string) ([]fileInfo, []string, error) {
	recursive := strings.EqualFold(opts["recursivefilelookup"], "true")
	pattern := opts["pathglobfilter"]
	base := ""
	if b, ok := opts["basepath"]; ok {
		var err error
		if base, err = LocalPath(b); err != nil {
			return nil, nil, err
		}
	}
	var files []fileInfo
	var names []string
	seen := false
	for _, given := range paths {
		p, err := LocalPath(given)
		if err != nil {
			return nil, nil, err
		}
		roots := []string{p}
		if strings.ContainsAny(p, "*?[{") {
			roots = nil
			for _, alt := range braces(p) {
				m, err := filepath.Glob(alt)
				if err != nil {
					return nil, nil, errs.New(errs.Analysis, "PATH_NOT_FOUND", "path", "file:"+p).Because(err)
				}
				roots = append(roots, m...)
			}
			slices.Sort(roots)
		}
		found := false
		for _, root := range roots {
			st, err := os.Stat(root)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, nil, errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", "file://"+root).Because(err)
			}
			found = true
			from := base
			if from == "" {
				from = root
				if !st.IsDir() {
					from = filepath.Dir(root)
				}
			}
			err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				if err != nil {
					return err
				}
				if path != root && hidden(d.Name()) {
					if d.IsDir() {
						return filepath.SkipDir
					}
					return nil
				}
				if d.IsDir() {
					return nil
				}
				if pattern != "" {
					if ok, err := filepath.Match(pattern, d.Name()); err != nil || !ok {
						return err
					}
				}
				info, err := os.Stat(path)
				if err != nil || info.IsDir() {
					return err
				}
				f := fileInfo{path: path, size: info.Size(), mtime: info.ModTime().UnixNano()}
				if !recursive {
					cols, err := f.partition(from)
					if err != nil {
						return err
					}
					if seen && !slices.Equal(cols, names) {
						return errs.New(errs.Execution, "CONFLICTING_PARTITION_COLUMN_NAMES", "distinctPartColLists", strings.Join(names, ", ")+" | "+strings.Join(cols, ", "), "suspiciousPaths", filepath.Dir(path))
					}
					names, seen = cols, true
				}
				files = append(files, f)
				return nil
			})
			if err != nil {
				if _, ok := errs.As(err); ok {
					return nil, nil, err
				}
				return nil, nil, errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", "file://"+root).Because(err)
			}
		}
		if !found {
			return nil, nil, errs.New(errs.Analysis, "PATH_NOT_FOUND", "path", "file:"+p)
		}
	}
	return files, names, nil
}

// braces expands {a,b} alternatives, which filepath.Glob doesn't know.
func braces(p string) []string {
	i := strings.IndexByte(p, '{')
	if i < 0 {
		return []string{p}
	}
	j := strings.IndexByte(p[i:], '}')
	if j < 0 {
		return []string{p}
	}
	var out []string
	for _, alt := range strings.Split(p[i+1:i+j], ",") {
		out = append(out, braces(p[:i]+alt+p[i+j+1:])...)
	}
	return out
}

// partition reads col=value from the folders between from and the file.
func (f *fileInfo) partition(from string) ([]string, error) {
	rel, err := filepath.Rel(from, filepath.Dir(f.path))
	if err != nil || rel == "." {
		return nil, nil
	}
	var cols []string
	for _, seg := range strings.Split(rel, string(filepath.Separator)) {
		name, value, ok := strings.Cut(seg, "=")
		if !ok {
			continue
		}
		if name == "" {
			return nil, errs.New(errs.Execution, "EMPTY_PARTITION_COLUMN_NAME", "columnSpec", seg)
		}
		if value == "" {
			return nil, errs.New(errs.Execution, "EMPTY_PARTITION_COLUMN_VALUE", "columnSpec", seg)
		}
		cols = append(cols, unescape(name))
		f.parts = append(f.parts, unescape(value))
	}
	return cols, nil
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
			if f.parts[i] != nullPartition {
				t = wider(t, valueType(f.parts[i]))
			}
		}
		if t == nil || !infer {
			t = types.StringType
		}
		out[i] = t
	}
	return out
}

func valueType(s string) *types.Type {
	if _, err := strconv.ParseInt(s, 10, 32); err == nil {
		return types.Int32Type
	}
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return types.Int64Type
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil && strings.ContainsAny(s, "0123456789") && !strings.ContainsAny(s, "xXpP_") {
		return types.Float64Type
	}
	if _, err := time.Parse("2006-01-02", s); err == nil {
		return types.DateType
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", time.RFC3339} { // fractions are taken with each
		if _, err := time.Parse(layout, s); err == nil {
			return types.TimestampType
		}
	}
	return types.StringType
}

func wider(a, b *types.Type) *types.Type {
	switch {
	case a == nil || a == b:
		return b
	case a.IsNumeric() && b.IsNumeric():
		if a.Kind > b.Kind {
			return a
		}
		return b
	case a.Kind == types.Date && b.Kind == types.Timestamp, a.Kind == types.Timestamp && b.Kind == types.Date:
		return types.TimestampType
	}
	return types.StringType
}

// partitionValue turns a folder's value into the literal form of t.
func partitionValue(s, name string, t *types.Type) (any, error) {
	if s == nullPartition {
		return nil, nil
	}
	bad := func() error {
		return errs.New(errs.Runtime, "INVALID_PARTITION_VALUE", "value", s, "dataType", errs.Quote(t.SQL()), "columnName", errs.ID(name))
	}
	switch t.Kind {
	case types.String:
		return s, nil
	case types.Int8, types.Int16, types.Int32, types.Int64:
		bits := map[types.Kind]int{types.Int8: 8, types.Int16: 16, types.Int32: 32, types.Int64: 64}[t.Kind]
		v, err := strconv.ParseInt(s, 10, bits)
		if err != nil {
			return nil, bad()
		}
		switch bits {
		case 8:
			return int8(v), nil
		case 16:
			return int16(v), nil
		case 32:
			return int32(v), nil
		}
		return v, nil
	case types.Float64:
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, bad()
		}
		return v, nil
	case types.Bool:
		v, err := strconv.ParseBool(strings.ToLower(s))
		if err != nil {
			return nil, bad()
		}
		return v, nil
	case types.Date:
		d, err := time.Parse("2006-01-02", s)
		if err != nil {
			return nil, bad()
		}
		return int32(d.Unix() / 86400), nil
	}
	return nil, errs.NotSupported("partition columns of type " + t.String())
}
