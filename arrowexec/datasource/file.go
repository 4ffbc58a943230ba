package datasource

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"neptune/internal/errs"
)

// fileInfo is one file of a source.
type fileInfo struct {
	path  string
	root  string // which given path it is below, or is
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
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") && !strings.Contains(name, "=") || strings.HasSuffix(name, "._COPYING_")
}

// listing is what lies at the paths of a source.
type listing struct {
	files []fileInfo
	names []string // of the partition columns
	roots []string // the paths, globs resolved
	// Files that tell the schema of others, of Parquet.
	summaries []fileInfo
}

// listFiles finds the files of the paths, in order of path below each, and the
// partition columns. Without partition columns only files right in the given
// folders count, unless the lookup is recursive (as in Spark's file index).
func listFiles(paths []string, opts map[string]string, exact bool) (*listing, error) {
	recursive := isTrue(opts["recursivefilelookup"])
	var names *regexp.Regexp
	if p, ok := opts["pathglobfilter"]; ok {
		var err error
		if names, _, err = compileGlob(p); err != nil {
			return nil, err
		}
	}
	base := ""
	if b, ok := opts["basepath"]; ok {
		var err error
		if base, err = LocalPath(b); err != nil {
			return nil, err
		}
	}
	out := &listing{}
	bases := map[string]bool{}
	for _, given := range paths {
		p, err := LocalPath(given)
		if err != nil {
			return nil, err
		}
		roots := []string{p}
		if isGlob(p) {
			if roots, err = globPaths(p); err != nil {
				return nil, err
			}
		}
		found := false
		for _, root := range roots {
			st, err := os.Stat(root)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", "file://"+root).Because(err)
			}
			found = true
			out.roots = append(out.roots, root)
			switch {
			case base != "":
				bases[base] = true
			case st.IsDir():
				bases[root] = true
			default:
				bases[filepath.Dir(root)] = true
			}
			logged, isSink, err := OpenSinkLog(root).Files()
			if err != nil {
				return nil, err
			}
			err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				if err != nil {
					return err
				}
				if hidden(d.Name()) && !(path == root && d.IsDir()) {
					if d.IsDir() {
						return filepath.SkipDir
					}
					if info, err := os.Stat(path); err == nil && isSummary(d.Name()) {
						out.summaries = append(out.summaries, fileInfo{path: path, root: root, size: info.Size(), mtime: info.ModTime().UnixNano()})
					}
					return nil
				}
				if d.IsDir() {
					return nil
				}
				if isSink {
					if full, err := filepath.Abs(path); err != nil || !logged[full] {
						return err
					}
				}
				if names != nil && !names.MatchString(d.Name()) {
					return nil
				}
				info, err := os.Stat(path)
				if err != nil || info.IsDir() {
					return err
				}
				out.files = append(out.files, fileInfo{path: path, root: root, size: info.Size(), mtime: info.ModTime().UnixNano()})
				return nil
			})
			if err != nil {
				if _, ok := errs.As(err); ok {
					return nil, err
				}
				return nil, errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", "file://"+root).Because(err)
			}
		}
		if !found {
			return nil, errs.New(errs.Analysis, "PATH_NOT_FOUND", "path", "file:"+p)
		}
	}
	if recursive {
		return out, nil
	}
	return out, out.partition(bases, exact)
}
