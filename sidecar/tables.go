package sidecar

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"neptune/arrowexec/datasource"
	"neptune/arrowexec/vec"
	"neptune/connect/analyze"
	"neptune/connect/catalog"
	"neptune/connect/server"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

// openCatalog makes the engine keep its catalog in a file; "" leaves it in
// memory. The store returned, if any, is to be closed after the engine.
func (e *Engine) openCatalog(file string) (io.Closer, error) {
	if file == "" {
		return nil, nil
	}
	store, err := catalog.OpenSQLite(file)
	if err != nil {
		return nil, err
	}
	e.catalog = catalog.New(store)
	return store, nil
}

// tables keeps the files of tables for the statements of one query. Managed
// tables lie below the warehouse folder, as <database>.db/<table>.
type tables struct {
	engine *Engine
	query  *server.Query
	conf   *sessionConf
}

var _ analyze.Tables = (*tables)(nil)

// Path implements analyze.Tables.
func (t *tables) Path(db *catalog.Database, table string) (string, error) {
	folder := t.engine.conf.Warehouse
	switch {
	case db.Location != "":
		folder = db.Location
	case db.Name != catalog.DefaultDatabase:
		folder = filepath.Join(folder, db.Name+".db")
	}
	folder, err := datasource.LocalPath(folder)
	if err != nil {
		return "", err
	}
	if table != "" {
		folder = filepath.Join(folder, table)
	}
	return filepath.Abs(folder)
}

// Make implements analyze.Tables.
func (t *tables) Make(table []string, path string) error {
	if entries, err := os.ReadDir(path); err == nil && len(entries) > 0 {
		return errs.New(errs.Analysis, "LOCATION_ALREADY_EXISTS", "location", "'file:"+path+"'", "identifier", errs.ID(table...))
	}
	return failed(path, os.MkdirAll(path, 0o755))
}

// Clear implements analyze.Tables.
func (t *tables) Clear(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return failed(path, err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(path, e.Name())); err != nil {
			return failed(path, err)
		}
	}
	return nil
}

// Remove implements analyze.Tables.
func (t *tables) Remove(path string) error { return failed(path, os.RemoveAll(path)) }

func failed(path string, err error) error {
	if err == nil {
		return nil
	}
	return errs.New(errs.Execution, "TASK_WRITE_FAILED", "path", "file:"+path).Because(err)
}

// MakeFolder implements analyze.Tables.
func (t *tables) MakeFolder(path string) error {
	local, err := datasource.LocalPath(path)
	if err != nil {
		return err
	}
	return failed(path, os.MkdirAll(local, 0o755))
}

// Move implements analyze.Tables.
func (t *tables) Move(from, to string) error {
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return failed(to, os.Rename(from, to))
}

// Size implements analyze.Tables.
func (t *tables) Size(path string, deep bool) (size int64, files int, err error) {
	local, err := datasource.LocalPath(path)
	if err != nil {
		return 0, 0, err
	}
	err = filepath.WalkDir(local, func(p string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir():
			if p != local && (!deep || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")) {
				return filepath.SkipDir
			}
			return nil
		case strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_"):
			return nil
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
			files++
		}
		return err
	})
	return size, files, failed(path, err)
}

// WriteFiles implements analyze.Tables.
func (t *tables) WriteFiles(ctx context.Context, w *plan.Write) error {
	return t.engine.write(ctx, t.query, t.conf, w)
}

// Find implements analyze.Tables.
func (t *tables) Find(of *catalog.Table) ([]catalog.Partition, error) {
	parts, err := datasource.FindPartitions(of.Location, of.Partitions, !t.conf.caseSensitive)
	if err != nil {
		return nil, err
	}
	out := make([]catalog.Partition, len(parts))
	for i, p := range parts {
		out[i] = catalog.Partition{Values: p.Values, Created: t.conf.now}
		if folder := t.Folder(of, out[i]); folder != p.Path {
			out[i].Location = p.Path
		}
	}
	return out, nil
}

// Folder implements analyze.Tables.
func (t *tables) Folder(of *catalog.Table, p catalog.Partition) string { return partitionFolder(of, p) }

func partitionFolder(t *catalog.Table, p catalog.Partition) string {
	if p.Location != "" {
		return p.Location
	}
	return filepath.Join(strings.TrimPrefix(t.Location, "file:"), datasource.PartitionFolder(t.Partitions, p.Values))
}

// tableFiles is what the catalog knows of a table's files.
func tableFiles(t *catalog.Table) *datasource.TableFiles {
	out := &datasource.TableFiles{PartitionBy: t.Partitions, Stats: analyze.TableStats(t)}
	for _, p := range t.Parts {
		out.Parts = append(out.Parts, datasource.TablePart{Path: partitionFolder(t, p), Values: p.Values})
	}
	return out
}

// Write implements analyze.Tables.
func (t *tables) Write(ctx context.Context, to *catalog.Table, rows plan.Node, how analyze.TableWrite) ([][]string, error) {
	w := &plan.Write{Format: strings.ToLower(to.Provider), Path: to.Location, Mode: "append", PartitionBy: to.Partitions, Options: lowerKeys(to.Options)}
	for k, v := range lowerKeys(how.Options) {
		w.Options[k] = v
	}
	delete(w.Options, "partitionoverwritemode")
	place := writePlace{elsewhere: map[string]string{}}
	if how.Overwrite {
		w.Mode = "overwrite"
		if how.Dynamic {
			w.Options["partitionoverwritemode"] = "dynamic"
		} else if len(how.Static) > 0 {
			place.below = datasource.PartitionFolder(to.Partitions, how.Static)
		}
	}
	for _, p := range to.Parts {
		if p.Location != "" {
			local, err := datasource.LocalPath(p.Location)
			if err != nil {
				return nil, err
			}
			place.elsewhere[datasource.PartitionFolder(to.Partitions, p.Values)] = local
		}
	}
	folders, err := t.engine.writeTo(ctx, w, rows.Output(), place, func(target *plan.Write) ([]*vec.Batch, error) {
		return t.engine.collect(ctx, t.query, t.conf, target.WithChildren([]plan.Node{rows}))
	})
	if err != nil || len(to.Partitions) == 0 {
		return nil, err
	}
	var parts [][]string
	for _, f := range folders {
		parts = append(parts, datasource.PartitionValues(f))
	}
	return parts, nil
}
