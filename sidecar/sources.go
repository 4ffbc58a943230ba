package sidecar

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"

	"neptune/arrowexec/datasource"
	"neptune/connect/analyze"
	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
	"neptune/scheduler/stream"
)

// sources opens data sources for the analyzer.
type sources struct{ slots int }

// OpenTable implements analyze.TableSources.
func (s sources) OpenTable(ctx context.Context, t *catalog.Table, options, conf map[string]string) (plan.Source, error) {
	return datasource.Open(ctx, datasource.OpenArgs{Format: strings.ToLower(t.Provider), Options: options, Paths: []string{t.Location}, Schema: analyze.ReadSchema(t.Schema), Conf: conf, Table: tableFiles(t)})
}

// OpenRows implements analyze.RowSources.
func (s sources) OpenRows(ctx context.Context, format string, options map[string]string, rows []string, schema *types.Type, conf map[string]string) (plan.Source, error) {
	return datasource.OpenRows(ctx, datasource.OpenArgs{Format: format, Options: options, Schema: schema, Conf: conf}, rows)
}

// Open implements analyze.Sources.
func (s sources) Open(ctx context.Context, format string, options map[string]string, paths []string, schema *types.Type, streaming bool, conf map[string]string) (plan.Source, error) {
	if !streaming {
		return datasource.Open(ctx, datasource.OpenArgs{Format: format, Options: options, Paths: paths, Schema: schema, Conf: conf})
	}
	switch strings.ToLower(format) {
	case "rate":
		return stream.NewRate(options, s.slots)
	case "rate-micro-batch":
		return stream.NewRateMicroBatch(options, s.slots)
	}
	all, err := datasource.Open(ctx, datasource.OpenArgs{Format: format, Options: options, Paths: paths, Schema: schema, Streaming: true, Conf: conf})
	if err != nil {
		return nil, err
	}
	files, ok := all.(datasource.FileSource)
	if !ok {
		return nil, errs.NotSupported("streaming reads of format " + format)
	}
	if schema == nil && !strings.EqualFold(conf["spark.sql.streaming.schemaInference"], "true") && !strings.EqualFold(format, "text") {
		return nil, errs.New(errs.IllegalArgument, "_LEGACY_ERROR_TEMP_2048")
	}
	return stream.NewFiles(stream.Files{
		Name: strings.ToLower(format), Path: strings.Join(paths, ","), Columns: all.Schema(), NParts: all.PartitionColumns(), Options: options,
		List: func(ctx context.Context) ([]stream.File, error) {
			list, err := files.List(ctx)
			out := make([]stream.File, len(list))
			for i, f := range list {
				out[i] = stream.File{Path: f.Path, Size: f.Size, Modified: f.Modified.UnixMilli()}
			}
			return out, err
		},
		Open: func(_ context.Context, paths []string) (plan.Source, error) { return files.Only(paths) },
	})
}

// refresh opens the static sources of a streaming query anew, so that each
// micro-batch sees the files that are there now.
func refresh(ctx context.Context, n plan.Node) (plan.Node, error) {
	return plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		r, ok := n.(*plan.Relation)
		if !ok || r.Streaming || r.Live { // a live one is the files of this batch
			return n, nil
		}
		files, ok := r.Handle.(datasource.FileSource)
		if !ok {
			return n, nil
		}
		fresh, err := files.Refresh(ctx)
		if err != nil {
			return nil, err
		}
		c := *r
		c.Handle = fresh
		return &c, nil
	})
}

// reseed lets uuid() give other values in each micro-batch (as Spark's IncrementalExecution does).
func reseed(n plan.Node, batch int64) (plan.Node, error) {
	return plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		exprs, changed := slices.Clone(n.Exprs()), false
		for i, e := range exprs {
			x, err := plan.Transform(e, func(e plan.Expr) (plan.Expr, error) {
				c, ok := e.(*plan.Call)
				if !ok || c.Name != "uuid" {
					return e, nil
				}
				fresh := *c
				fresh.Seed += batch << 32 // partitions are counted from the lower end
				changed = true
				return &fresh, nil
			})
			if err != nil {
				return nil, err
			}
			exprs[i] = x
		}
		if !changed {
			return n, nil
		}
		return n.WithExprs(exprs), nil
	})
}

func lowerKeys(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range maps.All(m) {
		out[strings.ToLower(k)] = v
	}
	return out
}

// localPath takes file: URIs and plain paths.
func localPath(p string) string {
	if strings.HasPrefix(p, "file:") {
		if u, err := url.Parse(p); err == nil && u.Path != "" {
			return u.Path
		}
	}
	return p
}
