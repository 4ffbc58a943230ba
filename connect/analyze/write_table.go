package analyze

import (
	"context"
	"slices"
	"strings"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

// WriteTable carries out the writes of DataFrames to tables: saveAsTable,
// insertInto and writeTo, by the statements that do the same.
func (a *Analyzer) WriteTable(ctx context.Context, w *plan.Write) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errs.Panic(p)
		}
	}()
	if a.Catalog == nil || a.Tables == nil {
		return errs.NotSupported("writing to tables").At(w.Origin)
	}
	r := a.newRun(ctx)
	db, name, ok := r.Catalog.Resolve(w.Table)
	if !ok {
		return errs.NotSupported("catalog " + w.Table[0]).At(w.Origin)
	}
	old, err := r.Catalog.Table(db, name)
	if err != nil {
		return err
	}
	if r.Catalog.TempView(w.Table) != nil && (w.Insert || w.V2 != "" || w.Mode == "append") {
		return errs.NotSupported("writing to a temporary view").At(w.Origin)
	}
	switch {
	case w.V2 != "":
		return r.writeTo(w, old)
	case w.Insert:
		if len(w.PartitionBy) > 0 {
			return aerr("PARTITION_BY_NOT_ALLOWED_WITH_INSERT_INTO", "tableName", strings.Join(w.Table, ".")).At(w.Origin)
		}
		if old == nil {
			return r.missing(w)
		}
		x, err := r.node(w.Child, nil)
		if err != nil {
			return err
		}
		if len(x.out) < len(old.Schema.Fields) {
			return aerr("INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS", "tableName", errs.ID(catalog.DefaultCatalog, old.Database, old.Name),
				"tableColumns", fieldList(old.Schema.Fields), "dataColumns", idList(x.out)).At(w.Origin)
		}
		return r.insertRows(w, w.Mode == "overwrite", false)
	}
	return r.saveAsTable(w, old)
}

func (r *run) exists(w *plan.Write) error {
	db, name, _ := r.Catalog.Resolve(w.Table)
	return aerr("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", errs.ID(catalog.DefaultCatalog, db, name)).At(w.Origin)
}

func (r *run) missing(w *plan.Write) error {
	return aerr("TABLE_OR_VIEW_NOT_FOUND", "relationName", errs.ID(w.Table...), "searchPath", r.searchPath()).At(w.Origin)
}

func (r *run) insertRows(w *plan.Write, overwrite, byName bool) error {
	_, err := insert(r, &plan.Command{Common: w.Common, Kind: "insert", Name: w.Table, Query: w.Child, Flags: map[string]bool{"overwrite": overwrite, "by_name": byName}})
	return err
}

// createAs makes a table of a query's rows, in the place of an old one if that is given.
func (r *run) createAs(w *plan.Write, old *catalog.Table) error {
	x, err := r.node(w.Child, nil)
	if err != nil {
		return err
	}
	if err := checkPlan(x.node); err != nil {
		return err
	}
	c := &plan.Command{Common: w.Common, Kind: "create_table", Name: w.Table, Query: w.Child, Flags: map[string]bool{}, Args: map[string]string{}}
	if c.Args["provider"] = w.Format; w.Format == "" {
		c.Args["provider"] = r.Conf.text("spark.sql.sources.default", "parquet")
	}
	for k, v := range w.Options {
		if p, ok := strings.CutPrefix(k, "property."); ok {
			c.Args["property."+p] = v
			continue
		}
		c.Args["option."+k] = v
	}
	if w.Path != "" {
		c.Args["location"] = w.Path
	}
	by := make([]string, len(w.PartitionBy))
	for i, p := range w.PartitionBy {
		by[i] = errs.ID(p)
	}
	c.Args["partition_by"] = strings.Join(by, ",")
	if len(w.BucketBy) > 0 {
		c.Args["bucket_by"], c.Args["sort_by"], c.Args["buckets"] = quoteAll(w.BucketBy), quoteAll(w.Sort), itoa(w.Buckets)
	}
	if old != nil {
		if err := r.replaceTable(w, old, x.node); err != nil {
			return err
		}
	}
	_, err = createTable(r, c)
	return err
}

func quoteAll(names []string) string {
	by := make([]string, len(names))
	for i, n := range names {
		by[i] = errs.ID(n)
	}
	return strings.Join(by, ",")
}

// replaceTable removes the table that a write replaces; rows, what comes in its place, may not be read from it.
func (r *run) replaceTable(w *plan.Write, old *catalog.Table, rows plan.Node) error {
	full := errs.ID(catalog.DefaultCatalog, old.Database, old.Name)
	if old.IsView { // as in Spark, a table comes in the place of a view
		return r.Catalog.DropTable(old.Database, old.Name)
	}
	if readsTable(rows, old) {
		return aerr("UNSUPPORTED_OVERWRITE.TABLE", "table", full).At(w.Origin)
	}
	if r.Cache != nil {
		if err := r.Cache.RefreshPath(r.ctx, old.Location); err != nil {
			return err
		}
	}
	if err := r.Catalog.DropTable(old.Database, old.Name); err != nil {
		return err
	}
	if old.Managed {
		return r.Tables.Remove(old.Location)
	}
	return nil
}

// readsTable reports whether a plan reads a table's files.
func readsTable(rows plan.Node, t *catalog.Table) (read bool) {
	plan.WalkNodes(rows, func(n plan.Node) bool {
		if f, ok := n.(*plan.Relation); ok {
			if s, ok := f.Handle.(interface{ Reads(path string) bool }); ok && s.Reads(t.Location) {
				read = true
			}
		}
		return !read
	})
	return read
}

// saveAsTable is df.write.saveAsTable.
func (r *run) saveAsTable(w *plan.Write, old *catalog.Table) error {
	switch {
	case old == nil:
		return r.createAs(w, nil)
	case w.Mode == "ignore":
		return nil
	case w.Mode == "overwrite":
		return r.createAs(w, old)
	case w.Mode != "append":
		return r.exists(w)
	}
	full := strings.Join([]string{catalog.DefaultCatalog, old.Database, old.Name}, ".")
	if w.Format != "" && !strings.EqualFold(w.Format, old.Provider) {
		return aerr("_LEGACY_ERROR_TEMP_1159", "tableName", full, "existingProvider", providerClass(old.Provider), "specifiedProvider", providerClass(w.Format))
	}
	if len(w.PartitionBy) > 0 && !slices.EqualFunc(w.PartitionBy, old.Partitions, r.eq) {
		return aerr("_LEGACY_ERROR_TEMP_1163", "tableName", full, "specifiedPartCols", strings.Join(w.PartitionBy, ", "), "existingPartCols", strings.Join(old.Partitions, ", "))
	}
	x, err := r.node(w.Child, nil)
	if err != nil {
		return err
	}
	if len(x.out) != len(old.Schema.Fields) {
		return aerr("_LEGACY_ERROR_TEMP_1161", "tableName", full, "existingTableSchema", old.Schema.String(), "querySchema", Schema(x.node).String())
	}
	for _, f := range old.Schema.Fields {
		if !slices.ContainsFunc(x.out, func(a *plan.Attr) bool { return r.eq(a.Name, f.Name) }) {
			var have []string
			for _, a := range x.out {
				have = append(have, a.Name)
			}
			return aerr("_LEGACY_ERROR_TEMP_1162", "col", f.Name, "inputColumns", strings.Join(have, ", "))
		}
	}
	return r.insertRows(w, false, true)
}

// providerClass is a format as Spark names it in errors.
func providerClass(format string) string {
	switch f := strings.ToLower(format); f {
	case "csv", "orc":
		return strings.ToUpper(f) + "DataSourceV2"
	case "":
		return ""
	default:
		return strings.ToUpper(f[:1]) + f[1:] + "DataSourceV2"
	}
}

// writeTo is df.writeTo. As in Spark's own catalog, tables of files can be created, and neither replaced nor written in this way.
func (r *run) writeTo(w *plan.Write, old *catalog.Table) error {
	db, name, _ := r.Catalog.Resolve(w.Table)
	full := errs.ID(catalog.DefaultCatalog, db, name)
	switch w.V2 {
	case "create":
		if old != nil {
			return r.exists(w)
		}
		return r.createAs(w, nil)
	case "replace", "create_or_replace":
		return aerr("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", full, "operation", "REPLACE TABLE AS SELECT").At(w.Origin)
	}
	if old == nil {
		return r.missing(w)
	}
	return aerr("_LEGACY_ERROR_TEMP_1012", "identifier", full)
}
