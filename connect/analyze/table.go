package analyze

import (
	"slices"
	"strings"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// fileFormats are what parquet.`path` may name.
var fileFormats = map[string]bool{"parquet": true, "csv": true, "json": true, "text": true, "orc": true, "avro": true, "binaryfile": true, "xml": true, "delta": true, "iceberg": true}

// timeTravel refuses VERSION AS OF and TIMESTAMP AS OF: tables of files have no versions.
func (r *run) timeTravel(n *plan.UnresolvedTable) (*rel, error) {
	id := errs.ID(n.Parts...)
	if r.Catalog != nil {
		if db, name, ok := r.Catalog.Resolve(n.Parts); ok && r.Catalog.TempView(n.Parts) == nil {
			t, err := r.Catalog.Table(db, name)
			if err != nil {
				return nil, err
			}
			if t == nil {
				return nil, aerr("TABLE_OR_VIEW_NOT_FOUND", "relationName", id, "searchPath", r.searchPath()).At(n.Origin)
			}
			id = errs.ID(catalog.DefaultCatalog, t.Database, t.Name)
		}
	}
	return nil, aerr("UNSUPPORTED_FEATURE.TIME_TRAVEL", "relationId", id).At(n.Origin)
}

// table resolves a table's name: a table expression, a temporary view, a
// catalog's table or view, or format.`path`.
func (r *run) table(n *plan.UnresolvedTable, outer *scope) (*rel, error) {
	if n.NameExpr != nil {
		parts, err := r.identifier(n.NameExpr, &scope{}, n.Origin)
		if err != nil {
			return nil, err
		}
		c := *n
		c.NameExpr, c.Parts = nil, parts
		return r.table(&c, outer)
	}
	if n.Version != "" || n.Timestamp != nil {
		return r.timeTravel(n)
	}
	name := n.Parts[len(n.Parts)-1]
	if len(n.Parts) == 1 {
		if x := r.lookupCTE(name); x != nil {
			return r.alias(&plan.SubqueryAlias{Common: n.Common, Name: name}, x)
		}
	}
	if r.Catalog != nil {
		var found *rel
		look := func(schema []string) (_ bool, err error) {
			if isSchema(schema, sessionSchema) {
				found, err = r.tempView(n, n.Parts)
			} else {
				found, err = r.catalogRelation(n, append(slices.Clone(schema), n.Parts...))
			}
			return found != nil, err
		}
		var err error
		switch _, custom := r.path(); {
		case custom && len(n.Parts) == 1:
			_, err = r.inPath(name, look)
		default:
			if found, err = r.tempView(n, n.Parts); found == nil && err == nil {
				found, err = r.catalogRelation(n, n.Parts)
			}
		}
		if found != nil || err != nil {
			*r.reads = true
			return found, err
		}
	}
	if len(n.Parts) == 2 && fileFormats[strings.ToLower(n.Parts[0])] {
		return r.dataSource(&plan.DataSource{Common: n.Common, Format: strings.ToLower(n.Parts[0]), Paths: []string{n.Parts[1]}, Options: n.Options, Streaming: n.Streaming})
	}
	if err := foreignRelation(n.Parts); err != nil {
		return nil, err.At(n.Origin)
	}
	return nil, aerr("TABLE_OR_VIEW_NOT_FOUND", "relationName", errs.ID(n.Parts...), "searchPath", r.searchPath()).At(n.Origin)
}

// tempView finds a temporary view, nil if there is none.
func (r *run) tempView(n *plan.UnresolvedTable, parts []string) (*rel, error) {
	v := r.Catalog.TempView(parts)
	if v == nil {
		return nil, nil
	}
	r.temps = append(r.temps, v.Name)
	x, err := r.view(v, n)
	if err != nil {
		return nil, err
	}
	var path []string
	if _, ok := catalog.VariableName(parts); !ok {
		path = []string{catalog.GlobalTemp}
	} else if len(parts) > 1 {
		path = sessionSchema
	}
	return r.alias(&plan.SubqueryAlias{Common: n.Common, Name: v.Name, Path: path}, x)
}

// catalogRelation finds a table or view of the catalog, nil if there is none.
func (r *run) catalogRelation(n *plan.UnresolvedTable, parts []string) (*rel, error) {
	db, t, ok := r.Catalog.Resolve(parts)
	if !ok {
		return nil, nil
	}
	tab, err := r.Catalog.Table(db, t)
	if tab == nil || err != nil {
		return nil, err
	}
	x, err := r.catalogTable(tab, n)
	if err != nil {
		return nil, err
	}
	return r.alias(&plan.SubqueryAlias{Common: n.Common, Name: tab.Name, Path: []string{catalog.DefaultCatalog, db}}, x)
}

func splitName(s string) []string {
	var parts []string
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '`' && quoted && i+1 < len(s) && s[i+1] == '`':
			b.WriteByte('`')
			i++
		case c == '`':
			quoted = !quoted
		case c == '.' && !quoted:
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	return append(parts, b.String())
}

// view gives out a temporary view with ids of its own.
func (r *run) view(v *catalog.View, n *plan.UnresolvedTable) (*rel, error) {
	out := v.Plan.Output()
	if out == nil {
		return nil, errs.Internalf("view %s is not analyzed", v.Name)
	}
	if slices.Contains(r.views, v.Name) {
		return nil, aerr("RECURSIVE_VIEW", "viewIdent", errs.ID(v.Name), "newPath", strings.Join(append(r.views, v.Name), " -> "))
	}
	return fresh(&rel{node: v.Plan, out: out}), nil
}

func (r *run) catalogTable(t *catalog.Table, n *plan.UnresolvedTable) (*rel, error) {
	if !t.IsView {
		return r.filesOf(t, n)
	}
	id := t.Database + "." + t.Name
	if slices.Contains(r.views, id) || len(r.views) > 100 {
		return nil, aerr("RECURSIVE_VIEW", "viewIdent", errs.ID(catalog.DefaultCatalog, t.Database, t.Name), "newPath", strings.Join(append(r.views, id), " -> ")).At(n.Origin)
	}
	if r.ParseSQL == nil {
		return nil, errs.NotSupported("a view's text without a parser")
	}
	inside := *r.Analyzer // the text sees what it saw when the view was made: neither temporary views nor variables
	inside.locals = nil
	if !r.Conf.flag("spark.sql.legacy.useCurrentConfigsForView", false) {
		inside.inMode(t.ANSI)
	}
	q, err := inside.ParseSQL(t.View)
	if err != nil {
		return nil, err
	}
	*r.used = append(*r.used, id)
	if t.Current != "" {
		inside.Catalog = r.Catalog.In(t.Current)
	}
	sub := &run{Analyzer: &inside, ctx: r.ctx, now: r.now, depth: r.depth, views: append(slices.Clone(r.views), id), orig: r.orig, used: r.used, frozen: t.Path, outside: r, inlined: r.inlined, reads: r.reads, collation: t.Properties["collation"]}
	x, err := sub.node(q, nil)
	if err != nil {
		return nil, err
	}
	return r.viewColumns(t, x)
}

// viewColumns gives a view's columns for those of its query, as the view's
// schema mode says: with the types that it had, or those that the query has now.
func (r *run) viewColumns(t *catalog.Table, x *rel) (*rel, error) {
	if t.SchemaMode == "EVOLUTION" || t.Schema == nil || len(t.QueryColumns) != len(t.Schema.Fields) {
		if len(t.Columns) != len(x.out) || len(x.out) == 0 {
			return &rel{node: x.node, out: x.out}, nil
		}
		list := make([]plan.Expr, len(x.out))
		for i, a := range x.out {
			list[i] = &plan.Alias{Child: a, Names: []string{t.Columns[i].Name}, ID: plan.NewID()}
		}
		p := &plan.Project{List: list, Child: x.node}
		return &rel{node: p, out: p.Output()}, nil
	}
	seen, want := map[string]int{}, map[string]int{}
	for _, n := range t.QueryColumns {
		want[r.fold(n)]++
	}
	list := make([]plan.Expr, len(t.QueryColumns))
	for i, n := range t.QueryColumns {
		var found []*plan.Attr
		for _, a := range x.out {
			if r.eq(a.Name, n) {
				found = append(found, a)
			}
		}
		if len(found) != want[r.fold(n)] {
			cols := make([]string, len(t.Schema.Fields))
			for k, f := range t.Schema.Fields {
				cols[k] = types.QuoteIfNeeded(f.Name)
			}
			name := catalog.DefaultCatalog + "." + t.Database + "." + t.Name
			list := ""
			if len(t.Columns) > 0 {
				list = "(" + strings.Join(cols, ", ") + ") "
			}
			return nil, aerr("INCOMPATIBLE_VIEW_SCHEMA_CHANGE", "viewName", errs.ID(catalog.DefaultCatalog, t.Database, t.Name), "colName", n, "expectedNum", itoa(want[r.fold(n)]),
				"actualCols", "["+fieldNames(found)+"]", "suggestion", "CREATE OR REPLACE VIEW "+name+" "+list+"AS "+t.View)
		}
		a := found[seen[r.fold(n)]]
		seen[r.fold(n)]++
		f := t.Schema.Fields[i]
		var e plan.Expr = a
		if t.SchemaMode != "TYPE EVOLUTION" && !types.SameType(a.T, f.Type) {
			k := &plan.Cast{Child: a, To: f.Type, Mode: plan.ANSI}
			if t.SchemaMode == "BINDING" || t.SchemaMode == "" {
				if !types.UpCasts(a.T, f.Type) {
					return nil, aerr("CANNOT_UP_CAST_DATATYPE", "expression", strings.Join(append(slices.Clone(a.Qualifier), a.Name), "."), "sourceType", errs.Quote(a.T.SQL()), "targetType", errs.Quote(f.Type.SQL()),
						"details", "Cast the column in the view, or make the view anew.")
				}
			} else if !castable(a.T, f.Type, true) {
				return nil, r.checkCast(k)
			}
			e = k
		}
		list[i] = &plan.Alias{Child: e, Names: []string{f.Name}, ID: plan.NewID(), Metadata: f.Metadata}
	}
	p := &plan.Project{List: list, Child: x.node}
	return &rel{node: p, out: p.Output()}, nil
}

// filesOf reads a table's files.
func (r *run) filesOf(t *catalog.Table, n *plan.UnresolvedTable) (*rel, error) {
	opts := map[string]string{}
	for k, v := range t.Options {
		opts[k] = v
	}
	for k, v := range n.Options {
		opts[k] = v
	}
	fields := make([]types.Field, len(t.Schema.Fields))
	for i, f := range t.Schema.Fields {
		fields[i] = readField(f)
	}
	var x *rel
	if open, ok := r.Sources.(TableSources); ok && !n.Streaming {
		src, err := open.OpenTable(r.ctx, t, opts, r.Conf.Keys)
		if err != nil {
			return nil, err
		}
		x = relationOf(&plan.Relation{Common: n.Common, Name: strings.ToLower(t.Provider), Handle: src, Options: opts})
	} else {
		var paths []string
		if t.Location != "" {
			paths = []string{t.Location}
		}
		var err error
		if x, err = r.dataSource(&plan.DataSource{Common: n.Common, Format: strings.ToLower(t.Provider), Paths: paths, Options: opts, Schema: types.NewStruct(fields...), Streaming: n.Streaming, Table: t.Name}); err != nil {
			return nil, err
		}
	}
	for _, a := range x.out {
		for _, f := range fields {
			if f.Name == a.Name {
				a.Metadata = f.Metadata
			}
		}
	}
	x = r.hideMetadata(x)
	if len(x.out) != len(fields) {
		return x, nil
	}
	return r.padChars(x, t.Schema.Fields)
}

// relationOf gives a source's columns out.
func relationOf(rn *plan.Relation) *rel {
	rn.Out = []*plan.Attr{}
	for _, f := range rn.Handle.Schema().Fields {
		// Files never vouch for the absence of nulls.
		rn.Out = append(rn.Out, &plan.Attr{ID: plan.NewID(), Name: f.Name, T: readType(types.AsNullable(f.Type)), Null: true, Metadata: f.Metadata})
	}
	return &rel{node: rn, out: rn.Out}
}

// dataSource opens spark.read.
func (r *run) dataSource(n *plan.DataSource) (*rel, error) {
	if r.Sources == nil {
		return nil, errs.NotSupported("data sources")
	}
	format := n.Format
	if n.Table != "" && format == "" {
		return r.table(&plan.UnresolvedTable{Common: n.Common, Parts: splitName(n.Table), Options: n.Options, Streaming: n.Streaming}, nil)
	}
	if format == "" {
		format = r.Conf.text("spark.sql.sources.default", "parquet")
	}
	if len(n.Predicates) > 0 {
		return nil, errs.NotSupported("predicates of data source " + format)
	}
	schema := n.Schema
	if schema == nil && n.SchemaDDL != "" {
		var err error
		if schema, err = r.ResolveType(n.SchemaDDL); err != nil {
			return nil, err
		}
	}
	src, err := r.Sources.Open(r.ctx, format, n.Options, n.Paths, schema, n.Streaming, r.Conf.Keys)
	if err != nil {
		return nil, err
	}
	rn := &plan.Relation{Common: n.Common, Name: format, Handle: src, Streaming: n.Streaming, Options: n.Options}
	for _, f := range src.Schema().Fields {
		// Files never vouch for the absence of nulls.
		rn.Out = append(rn.Out, &plan.Attr{ID: plan.NewID(), Name: f.Name, T: readType(types.AsNullable(f.Type)), Null: true, Metadata: f.Metadata})
	}
	if n.Streaming {
		for i, f := range src.Schema().Fields {
			rn.Out[i].Null = f.Nullable || src.PartitionColumns() > 0 || len(n.Paths) > 0
		}
	}
	if rn.Out == nil {
		rn.Out = []*plan.Attr{}
	}
	return r.hideMetadata(&rel{node: rn, out: rn.Out}), nil
}

func (r *run) local(n *plan.LocalRelation) (*rel, error) {
	if n.Out != nil {
		return &rel{node: n, out: n.Out}, nil
	}
	c := *n
	schema := n.Schema
	if schema == nil {
		if r.LocalSchema == nil {
			return nil, errs.NotSupported("a local relation without a schema")
		}
		var err error
		if schema, err = r.LocalSchema(n.Data); err != nil {
			return nil, err
		}
	}
	c.Schema = schema
	c.Out = []*plan.Attr{}
	for _, f := range schema.Fields {
		c.Out = append(c.Out, &plan.Attr{ID: plan.NewID(), Name: f.Name, T: readType(f.Type), Null: f.Nullable, Metadata: f.Metadata})
	}
	return &rel{node: &c, out: c.Out}, nil
}

func (r *run) cachedRef(n *plan.CachedRef, outer *scope) (*rel, error) {
	if n.Out != nil {
		return &rel{node: n, out: n.Out}, nil
	}
	if r.Cached != nil {
		if k := r.Cached(n.Key); k != nil && k.Output() != nil {
			return fresh(&rel{node: k, out: k.Output()}), nil
		}
	}
	return nil, errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.DATAFRAME_NOT_FOUND", "dfId", n.Key, "sessionId", r.SessionID)
}

// inlineValue refuses an expression of VALUES that has no value of its own, or none at all.
func (r *run) inlineValue(e plan.Expr) error {
	if _, ok := e.(*plan.Literal); ok || first(e, func(x plan.Expr) bool { _, ok := x.(*plan.Subquery); return ok }, always) != nil {
		return nil
	}
	// The nonce of aes_encrypt is random, and it is a constant all the same.
	if c, ok := e.(*plan.Call); !foldable(e) && !(ok && c.Name == "aes_encrypt" && !slices.ContainsFunc(c.Args, func(a plan.Expr) bool { return !foldable(a) })) {
		return aerr("INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", "expr", r.quoted(e)).At(e.Pos())
	}
	if r.Fold == nil {
		return nil
	}
	_, err := r.Fold(e)
	if x, ok := errs.As(err); ok {
		switch x.Class {
		case errs.Arithmetic, errs.ArrayIndex, errs.DateTime, errs.NumberFormat, errs.IllegalArgument, errs.NoSuchElement, errs.Runtime:
			return aerr("INVALID_INLINE_TABLE.FAILED_SQL_EXPRESSION_EVALUATION", "sqlExpr", r.quoted(e)).At(e.Pos()).Because(err)
		}
	}
	return nil
}

// inlineTable is VALUES: the rows' common types, then a projection of constants for each row.
func (r *run) inlineTable(n *plan.InlineTable, outer *scope) (*rel, error) {
	if len(n.Rows) == 0 {
		return nil, errs.Internalf("VALUES without rows")
	}
	w := len(n.Rows[0])
	if len(n.Names) > 0 {
		w = len(n.Names)
	}
	s := &scope{}
	rows := make([][]plan.Expr, len(n.Rows))
	cols := make([][]plan.Expr, w)
	for i, row := range n.Rows {
		if len(row) != w {
			return nil, aerr("INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "expectedNumCols", itoa(w), "actualNumCols", itoa(len(row)), "rowIndex", itoa(i)).At(n.Origin)
		}
		l, err := r.exprs(row, s)
		if err != nil {
			if isUnresolvedColumn(err) {
				e, _ := errs.As(err)
				return nil, aerr("INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", "expr", errs.Quote(strings.ReplaceAll(e.Params["objectName"], "`", ""))).At(e.Context)
			}
			return nil, err
		}
		for c, e := range l {
			l[c] = unalias(e)
			if err := r.inlineValue(l[c]); err != nil {
				return nil, err
			}
			cols[c] = append(cols[c], l[c])
		}
		rows[i] = l
	}
	out := make([]*plan.Attr, w)
	for c := range cols {
		t := r.coercion().WiderAll(typesOf(cols[c]), false)
		name := "col" + itoa(c+1)
		if len(n.Names) > 0 {
			name = n.Names[c]
		}
		if t == nil {
			return nil, aerr("INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE", "colName", errs.ID(name)).At(n.Origin)
		}
		null := false
		for i := range rows {
			rows[i][c] = r.implicit(rows[i][c], t)
			null = null || rows[i][c].Nullable()
		}
		out[c] = &plan.Attr{ID: plan.NewID(), Name: name, T: t, Null: null}
	}
	// An Expand over one row: a row for each projection, which an optimizer may fold into a local relation.
	return &rel{node: &plan.Expand{Common: n.Common, Projections: rows, Out: out, Child: &plan.OneRow{}}, out: out}, nil
}
