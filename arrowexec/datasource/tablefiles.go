package datasource

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

// TableFiles is what the catalog knows of a table's files. Stats beside nil are used where the files say less.
type TableFiles struct {
	PartitionBy []string
	Parts       []TablePart
	Stats       *plan.Stats
}

// TablePart is a partition: its folder, and the values of the columns as folder names have them, unescaped.
type TablePart struct {
	Path   string
	Values []string
}

// list finds the files of a source; t is nil where it is no table of the catalog. exact: the case of columns' names counts.
func (t *TableFiles) list(paths []string, opts map[string]string, exact bool) (*listing, error) {
	if t == nil {
		return listFiles(paths, opts, exact)
	}
	if len(t.PartitionBy) == 0 {
		var there []string
		for _, p := range paths {
			local, err := LocalPath(p)
			if err != nil {
				return nil, err
			}
			if _, err := os.Stat(local); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			there = append(there, p)
		}
		if len(there) == 0 {
			return &listing{roots: paths}, nil
		}
		l, err := listFiles(there, opts, exact)
		if err == nil && len(l.names) > 0 {
			l.files, l.names = slices.DeleteFunc(l.files, func(f fileInfo) bool { return filepath.Dir(f.path) != f.root }), nil
		}
		return l, err
	}
	out := &listing{names: t.PartitionBy}
	for _, p := range paths {
		local, err := LocalPath(p)
		if err != nil {
			return nil, err
		}
		out.roots = append(out.roots, local)
	}
	for _, part := range t.Parts {
		local, err := LocalPath(part.Path)
		if err != nil {
			return nil, err
		}
		entries, err := os.ReadDir(local)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		for _, e := range entries {
			if e.IsDir() || hidden(e.Name()) {
				continue
			}
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // gone since the folder was read
			}
			if err != nil {
				return nil, errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", "file://"+local).Because(err)
			}
			out.files = append(out.files, fileInfo{path: filepath.Join(local, e.Name()), root: local, size: info.Size(), mtime: info.ModTime().UnixNano(), parts: part.Values})
		}
		if err != nil {
			return nil, errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", "file://"+local).Because(err)
		}
		if !slices.ContainsFunc(out.roots, func(r string) bool { return strings.HasPrefix(local+"/", strings.TrimSuffix(r, "/")+"/") }) {
			out.roots = append(out.roots, local)
		}
	}
	slices.SortFunc(out.files, func(a, b fileInfo) int { return strings.Compare(a.path, b.path) })
	return out, nil
}

// FindPartitions lists the partitions that lie below a table's folder, by the
// folders' names: the values in the order of by, unescaped. Folders of other columns are passed over.
func FindPartitions(path string, by []string, fold bool) ([]TablePart, error) {
	local, err := LocalPath(path)
	if err != nil {
		return nil, err
	}
	eq := func(a, b string) bool { return a == b || fold && strings.EqualFold(a, b) }
	var out []TablePart
	var walk func(dir string, values []string) error
	walk = func(dir string, values []string) error {
		if len(values) == len(by) {
			out = append(out, TablePart{Path: dir, Values: slices.Clone(values)})
			return nil
		}
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", "file://"+dir).Because(err)
		}
		for _, e := range entries {
			name, value, ok := strings.Cut(e.Name(), "=")
			if !ok || !e.IsDir() || hidden(e.Name()) || !eq(unescape(name), by[len(values)]) {
				continue
			}
			if err := walk(filepath.Join(dir, e.Name()), append(values, unescape(value))); err != nil {
				return err
			}
		}
		return nil
	}
	return out, walk(local, nil)
}

// PartitionFolder is the folder of a partition below its table's, such as a=1/b=x; values as TablePart has them.
func PartitionFolder(by, values []string) string {
	parts := make([]string, len(values))
	for i, v := range values {
		if v == "" {
			v = nullPartition
		}
		if v != nullPartition {
			v = escapeFolder(v)
		}
		parts[i] = escapeFolder(by[i]) + "=" + v
	}
	return strings.Join(parts, "/")
}

// PartitionValues are the values of a folder that PartitionFolder made.
func PartitionValues(folder string) []string {
	parts := strings.Split(folder, "/")
	for i, p := range parts {
		_, v, _ := strings.Cut(p, "=")
		parts[i] = unescape(v)
	}
	return parts
}

// NullPartition is the value of a partition column that stands for null in folders.
const NullPartition = nullPartition
