package sidecar

import (
	"context"
	"errors"
	"strings"

	"neptune/arrowexec/datasource"
	"neptune/arrowexec/vec"
	"neptune/connect/server"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// write carries out df.write...save(): tasks write into a staging folder, and
// the commit moves their files into place.
func (e *Engine) write(ctx context.Context, q *server.Query, c *sessionConf, w *plan.Write) error {
	if len(w.Sort) > 0 && w.Buckets == 0 {
		return errs.New(errs.Analysis, "SORT_BY_WITHOUT_BUCKETING").At(w.Origin)
	}
	if len(w.Table) > 0 || w.V2 != "" || w.Insert {
		a := e.analyzer(q.Session, c)
		a.Tables, a.Cache = &tables{e, q, c}, &cacheTables{e, q, c}
		child, err := decodeLocal(w.Child)
		if err != nil {
			return err
		}
		return a.WriteTable(ctx, w.WithChildren([]plan.Node{child}).(*plan.Write))
	}
	if w.Buckets > 0 {
		return errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_1312", "operation", "save").At(w.Origin)
	}
	resolved, err := e.analyze(ctx, q.Session, c, w.Child)
	if err != nil {
		return err
	}
	o := *w
	if o.Format == "" {
		if o.Format = c.keys["spark.sql.sources.default"]; o.Format == "" {
			o.Format = "parquet"
		}
	}
	if o.Format == "noop" {
		_, err := e.discard(ctx, q, c, resolved)
		return err
	}
	if o.Options = lowerKeys(o.Options); o.Mode == "overwrite" {
		if m := c.keys["spark.sql.sources.partitionOverwriteMode"]; m != "" && o.Options["partitionoverwritemode"] == "" {
			o.Options["partitionoverwritemode"] = m
		}
		path := o.Path
		if path == "" {
			path = o.Options["path"]
		}
		if err := checkOverwrite(resolved, path); err != nil && !strings.EqualFold(o.Options["partitionoverwritemode"], "dynamic") {
			return err
		}
	}
	if err := checkWrite(&o, resolved.Output(), c.caseSensitive); err != nil {
		return err
	}
	return e.writeFiles(ctx, &o, resolved.Output(), func(target *plan.Write) ([]*vec.Batch, error) {
		return e.collect(ctx, q, c, target.WithChildren([]plan.Node{resolved}))
	})
}

// checkWrite checks what is known before any row is: where to write, and the names of columns.
func checkWrite(w *plan.Write, out []*plan.Attr, caseSensitive bool) error {
	if pathOf(w) == "" {
		return errs.New(errs.IllegalArgument, "_LEGACY_ERROR_TEMP_2047").At(w.Origin)
	}
	fold := strings.ToLower
	if caseSensitive {
		fold = func(s string) string { return s }
	}
	unique := func(names []string) error {
		seen := map[string]bool{}
		for _, n := range names {
			if seen[fold(n)] {
				return errs.New(errs.Analysis, "COLUMN_ALREADY_EXISTS", "columnName", errs.ID(fold(n))).At(w.Origin)
			}
			seen[fold(n)] = true
		}
		return nil
	}
	var names []string
	have := map[string]bool{}
	schema := &types.Type{Kind: types.Struct}
	for _, a := range out {
		names = append(names, a.Name)
		have[fold(a.Name)] = true
		schema.Fields = append(schema.Fields, types.Field{Name: a.Name, Type: a.T, Nullable: a.Null})
	}
	for _, l := range [][]string{names, w.PartitionBy} {
		if err := unique(l); err != nil {
			return err
		}
	}
	for _, p := range w.PartitionBy {
		if !have[fold(p)] {
			return errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_1155", "col", p, "schemaCatalog", schema.String()).At(w.Origin)
		}
	}
	return nil
}

// checkOverwrite refuses to overwrite what the plan reads.
func checkOverwrite(n plan.Node, path string) (err error) {
	_, walk := plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		if r, ok := n.(*plan.Relation); ok && err == nil {
			err = datasource.CheckOverwrite(r.Handle, path)
		}
		return n, nil
	})
	return errors.Join(walk, err)
}

// discard runs a plan for its effects alone.
func (e *Engine) discard(ctx context.Context, q *server.Query, c *sessionConf, resolved plan.Node) (int64, error) {
	resolved, done, err := e.withCache(ctx, q, c, resolved, false)
	defer done()
	if err != nil {
		return 0, err
	}
	root, err := e.physical(ctx, c, resolved)
	if err != nil {
		return 0, err
	}
	return 0, e.job(ctx, q, c, root, &payload{}, nil, nil)
}

// writeFiles prepares the target, lets run do the tasks' part, and commits or
// takes everything back. run gets the write with the staging folder as its path.
func (e *Engine) writeFiles(ctx context.Context, w *plan.Write, out []*plan.Attr, run func(target *plan.Write) ([]*vec.Batch, error)) error {
	_, err := e.writeTo(ctx, w, out, writePlace{}, run)
	return err
}

// writePlace is where the files of a table's partitions go: see datasource.WriteArgs.
type writePlace struct {
	below     string
	elsewhere map[string]string
}

// writeTo is writeFiles; it returns the folders, below the target, that got files.
func (e *Engine) writeTo(ctx context.Context, w *plan.Write, out []*plan.Attr, place writePlace, run func(target *plan.Write) ([]*vec.Batch, error)) ([]string, error) {
	job, err := prepareWriteTo(ctx, w, out, place)
	if err != nil {
		return nil, err
	}
	if job.Skip {
		return nil, nil
	}
	target := *w
	target.Path = job.Staging
	results, err := run(&target)
	if err == nil {
		err = job.Keep(results)
	}
	if err != nil {
		job.Abort()
		return nil, err
	}
	defer e.cache.changed(pathOf(w)) // whether all went well or not
	err = job.Commit(ctx)
	return job.Folders(), err
}

// prepareWrite checks a write of rows with the columns out and makes its staging folder.
func prepareWrite(ctx context.Context, w *plan.Write, out []*plan.Attr) (*datasource.Job, error) {
	return prepareWriteTo(ctx, w, out, writePlace{})
}

func prepareWriteTo(ctx context.Context, w *plan.Write, out []*plan.Attr, place writePlace) (*datasource.Job, error) {
	schema := &types.Type{Kind: types.Struct}
	for _, a := range out {
		schema.Fields = append(schema.Fields, types.Field{Name: a.Name, Type: a.T, Nullable: a.Null, Metadata: a.Metadata})
	}
	return datasource.PrepareWrite(ctx, datasource.WriteArgs{Format: w.Format, Path: pathOf(w), Mode: w.Mode, PartitionBy: w.PartitionBy, Options: w.Options, Schema: schema,
		Below: place.below, Elsewhere: place.elsewhere})
}

// pathOf is where a write's files go.
func pathOf(w *plan.Write) string {
	if w.Path != "" {
		return w.Path
	}
	return lowerKeys(w.Options)["path"]
}
