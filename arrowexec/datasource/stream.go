package datasource

import (
	"context"
	"strings"
	"time"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

// FileSource is a source over files, as streaming reads need it.
type FileSource interface {
	plan.Source
	// List are the files that the source was opened over.
	List(ctx context.Context) ([]FileInfo, error)
	// Only is the source over some of the listed files, or files that came since.
	Only(paths []string) (plan.Source, error)
	// Refresh lists the folders again; the schema stays.
	Refresh(ctx context.Context) (plan.Source, error)
}

// FileInfo is a file of a source.
type FileInfo struct {
	Path     string
	Size     int64
	Modified time.Time
}

// List implements FileSource: it looks at the folders anew.
func (f *Files) List(ctx context.Context) ([]FileInfo, error) {
	fresh, err := f.refresh(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]FileInfo, len(fresh.files))
	for i, x := range fresh.files {
		out[i] = FileInfo{Path: x.path, Size: x.size, Modified: time.Unix(0, x.mtime)}
	}
	return out, nil
}

// Refresh implements FileSource.
func (f *Files) Refresh(ctx context.Context) (plan.Source, error) { return f.refresh(ctx) }

func (f *Files) refresh(ctx context.Context) (*Files, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l, err := f.table.list(f.paths, f.opts, f.reads.exact)
	if err != nil {
		return nil, err
	}
	return f.with(l.files, l.names)
}

// with is f over other files.
func (f *Files) with(files []fileInfo, names []string) (*Files, error) {
	c := *f
	c.files = files
	c.values = make([][]any, len(files))
	for i, file := range files {
		if len(file.parts) != f.parts {
			return nil, errs.New(errs.Execution, "CONFLICTING_PARTITION_COLUMN_NAMES", "distinctPartColLists", strings.Join(names, ", "), "suspiciousPaths", file.path)
		}
		for k, s := range file.parts {
			col := f.partition(k)
			v, err := partitionValue(s, col.Name, col.Type, f.zone)
			if err != nil {
				return nil, err
			}
			c.values[i] = append(c.values[i], v)
		}
	}
	return &c, nil
}

// Only implements FileSource. Files that are gone are a FAILED_READ_FILE error when they are read.
func (f *Files) Only(paths []string) (plan.Source, error) {
	byPath := map[string]fileInfo{}
	all, err := f.refresh(context.Background())
	if err != nil {
		return nil, err
	}
	for _, x := range all.files {
		byPath[x.path] = x
	}
	var files []fileInfo
	for _, p := range paths {
		x, ok := byPath[p]
		if !ok {
			return nil, errs.New(errs.FileNotFound, "FAILED_READ_FILE.FILE_NOT_EXIST", "path", "file://"+p)
		}
		files = append(files, x)
	}
	return f.with(files, nil)
}
