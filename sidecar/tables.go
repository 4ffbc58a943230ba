package sidecar

import (
	"context"
	"os"
	"path/filepath"

	"neptune/arrowexec/datasource"
	"neptune/arrowexec/vec"
	"neptune/connect/analyze"
	"neptune/connect/catalog"
	"neptune/connect/server"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

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
	return filepath.Abs(filepath.Join(folder, table))
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

// Write implements analyze.Tables.
func (t *tables) Write(ctx context.Context, to *catalog.Table, rows plan.Node, overwrite bool) error {
	w := &plan.Write{Format: to.Provider, Path: to.Location, Mode: "append", PartitionBy: to.Partitions, Options: to.Options}
	if overwrite {
		w.Mode = "overwrite"
	}
	return t.engine.writeFiles(ctx, w, rows.Output(), func(target *plan.Write) ([]*vec.Batch, error) {
		return t.engine.collect(ctx, t.query, t.conf, target.WithChildren([]plan.Node{rows}))
	})
}
