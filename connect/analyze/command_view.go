package analyze

import (
	"strings"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func createView(r *run, c *plan.Command) (plan.Node, error) {
	name := c.Name[len(c.Name)-1]
	query := c.Query
	if p := c.Args["provider"]; p != "" && query == nil {
		opts := map[string]string{}
		for k, v := range c.Args {
			if o, ok := strings.CutPrefix(k, "option."); ok {
				opts[o] = v
			}
		}
		ds := &plan.DataSource{Format: p, Options: opts}
		if v, ok := opts["path"]; ok {
			ds.Paths = []string{v}
		}
		if len(c.Columns) > 0 {
			ds.Schema = types.NewStruct(c.Columns...)
			c = &plan.Command{Kind: c.Kind, Name: c.Name, Flags: c.Flags, Args: c.Args}
		}
		query = ds
	}
	if query == nil {
		return nil, errs.Internalf("CREATE VIEW without a query")
	}
	x, err := r.node(query, nil)
	if err != nil {
		return nil, err
	}
	if err := checkPlan(x.node); err != nil {
		return nil, err
	}
	node := x.node
	if len(c.Columns) > 0 {
		if len(c.Columns) != len(x.out) {
			cond := "CREATE_VIEW_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"
			if len(c.Columns) < len(x.out) {
				cond = "CREATE_VIEW_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"
			}
			return nil, aerr(cond, "viewName", errs.ID(c.Name...), "viewColumns", fieldList(c.Columns), "dataColumns", idList(x.out))
		}
		list := make([]plan.Expr, len(x.out))
		for i, a := range x.out {
			list[i] = &plan.Alias{Child: a, Names: []string{c.Columns[i].Name}, ID: plan.NewID(), Metadata: c.Columns[i].Metadata}
		}
		node = &plan.Project{List: list, Child: node}
	}
	seen := map[string]bool{}
	for _, a := range node.Output() {
		if seen[r.fold(a.Name)] && !c.Flags["dataframe"] {
			return nil, aerr("COLUMN_ALREADY_EXISTS", "columnName", errs.ID(r.fold(a.Name)))
		}
		seen[r.fold(a.Name)] = true
	}
	if c.Flags["temporary"] || c.Flags["global"] {
		if len(c.Name) > 1 && !(len(c.Name) == 2 && c.Flags["global"] && strings.EqualFold(c.Name[0], catalog.GlobalTemp)) {
			return nil, aerr("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", "actualName", errs.ID(c.Name...))
		}
		if c.Flags["if_not_exists"] && r.Catalog.TempView(c.Name) != nil {
			return nothing()
		}
		v := &catalog.View{Name: name, Plan: node, Text: c.Text, Types: Schema(node)}
		if err := r.Catalog.CreateTempView(v, c.Flags["global"], c.Flags["or_replace"] || c.Flags["replace"]); err != nil {
			return nil, err
		}
		return nothing()
	}
	db, tab, ok := r.Catalog.Resolve(c.Name)
	if !ok {
		return nil, errs.NotSupported("catalog " + c.Name[0])
	}
	if _, err := r.database([]string{db}); err != nil {
		return nil, err
	}
	if len(r.temps) > 0 {
		return nil, aerr("INVALID_TEMP_OBJ_REFERENCE", "obj", "VIEW", "objName", errs.ID(catalog.DefaultCatalog, db, name), "tempObj", "VIEW", "tempObjName", errs.ID(r.temps[0])).At(c.Origin)
	}
	old, err := r.Catalog.Table(db, tab)
	if err != nil {
		return nil, err
	}
	if old != nil && !c.Flags["or_replace"] {
		if c.Flags["if_not_exists"] {
			return nothing()
		}
		return nil, aerr("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", errs.ID(catalog.DefaultCatalog, db, name))
	}
	if c.Text == "" {
		return nil, errs.NotSupported("a persistent view of a DataFrame")
	}
	_, cur := r.Catalog.Current()
	t := &catalog.Table{Database: db, Name: tab, View: c.Text, IsView: true, Columns: c.Columns, Schema: Schema(node), Comment: c.Args["comment"], Current: cur}
	if err := r.Catalog.PutTable(t); err != nil {
		return nil, err
	}
	return nothing()
}

func fieldList(l []types.Field) string {
	names := make([]string, len(l))
	for i, f := range l {
		names[i] = errs.ID(f.Name)
	}
	return strings.Join(names, ", ")
}

func idList(l []*plan.Attr) string {
	names := make([]string, len(l))
	for i, a := range l {
		names[i] = errs.ID(a.Name)
	}
	return strings.Join(names, ", ")
}

func (r *run) dropTemp(parts []string) bool {
	if len(parts) == 1 {
		return r.Catalog.DropTempView(parts[0], false)
	}
	return len(parts) == 2 && strings.EqualFold(parts[0], catalog.GlobalTemp) && r.Catalog.DropTempView(parts[1], true)
}

func dropView(r *run, c *plan.Command) (plan.Node, error) { return r.dropRelation(c, true) }

func dropTable(r *run, c *plan.Command) (plan.Node, error) { return r.dropRelation(c, false) }

func (r *run) dropRelation(c *plan.Command, view bool) (plan.Node, error) {
	if view && r.dropTemp(c.Name) {
		return nothing()
	}
	if db, name, ok := r.Catalog.Resolve(c.Name); ok {
		t, err := r.Catalog.Table(db, name)
		if err != nil {
			return nil, err
		}
		if t != nil && t.IsView == view {
			if !view && t.Managed && r.Tables == nil {
				return nil, errs.NotSupported("dropping the files of a managed table")
			}
			if err := r.Catalog.DropTable(db, name); err != nil {
				return nil, err
			}
			if !view && t.Managed {
				if err := r.Tables.Remove(t.Location); err != nil {
					return nil, err
				}
			}
			return nothing()
		}
	}
	if !view && r.dropTemp(c.Name) {
		return nothing()
	}
	if c.Flags["if_exists"] {
		return nothing()
	}
	full := c.Name
	if len(full) == 1 {
		_, db := r.Catalog.Current()
		full = []string{catalog.DefaultCatalog, db, c.Name[0]}
	}
	cond := "TABLE_OR_VIEW_NOT_FOUND"
	if view {
		cond = "VIEW_NOT_FOUND"
	}
	return nil, aerr(cond, "relationName", errs.ID(full...), "searchPath", r.searchPath()).At(c.Origin)
}

// cacheCommand has CACHE, UNCACHE, CLEAR CACHE and REFRESH, and the catalog's calls of the same kind.
func cacheCommand(r *run, c *plan.Command) (plan.Node, error) {
	if r.Cache == nil {
		return nil, errs.NotSupported("command " + c.Kind)
	}
	table := func() (plan.Node, error) {
		x, err := r.table(&plan.UnresolvedTable{Common: plan.Common{Origin: c.Origin}, Parts: c.Name}, nil)
		if err != nil {
			return nil, err
		}
		return x.node, nil
	}
	switch c.Kind {
	case "clear_cache", "catalog_clear_cache":
		if err := r.Cache.Clear(r.ctx); err != nil {
			return nil, err
		}
	case "catalog_refresh_by_path":
		if err := r.Cache.RefreshPath(r.ctx, c.Args["path"]); err != nil {
			return nil, err
		}
	case "refresh", "catalog_refresh_table":
		switch c.Args["type"] {
		case "path":
			if err := r.Cache.RefreshPath(r.ctx, c.Args["path"]); err != nil {
				return nil, err
			}
			return nothing()
		case "function":
			return nothing()
		}
		n, err := table()
		if err != nil {
			return nil, err
		}
		if err := r.Cache.Refresh(r.ctx, n); err != nil {
			return nil, err
		}
	case "catalog_is_cached":
		n, err := table()
		if err != nil {
			return nil, err
		}
		return rows([]types.Field{boolCol("value")}, [][]any{{r.Cache.Cached(r.ctx, n)}})
	case "uncache", "catalog_uncache_table":
		n, err := table()
		if err != nil {
			if c.Flags["if_exists"] {
				return nothing()
			}
			return nil, err
		}
		if _, err := r.Cache.Uncache(r.ctx, n, r.Catalog.TempView(c.Name) == nil); err != nil {
			return nil, err
		}
	default:
		if c.Query != nil {
			if _, err := createView(r, &plan.Command{Kind: "create_view", Name: c.Name, Query: c.Query, Text: c.Text, Flags: map[string]bool{"temporary": true}}); err != nil {
				return nil, err
			}
		}
		n, err := table()
		if err != nil {
			return nil, err
		}
		opts := map[string]string{}
		for k, v := range c.Args {
			opts[strings.TrimPrefix(k, "option.")] = v
		}
		if err := r.Cache.Cache(r.ctx, c.Name, n, c.Flags["lazy"], opts); err != nil {
			return nil, err
		}
	}
	return nothing()
}
