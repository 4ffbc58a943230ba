package analyze

import (
	"slices"
	"strings"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// insert is INSERT INTO and INSERT OVERWRITE of a table.
func insert(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.tableOf(c, "INSERT")
	if err != nil {
		if e, ok := errs.As(err); ok && e.Condition == "TABLE_OR_VIEW_NOT_FOUND" {
			e.Params["searchPath"] = r.searchPath()
		}
		return nil, err
	}
	full := fullName(t)
	if c.Flags["replace_where"] {
		return nil, tableOperation(t.Database, t.Name, "INSERT INTO ... REPLACE WHERE")
	}
	if c.Flags["replace_on"] {
		return nil, tableOperation(t.Database, t.Name, "INSERT INTO ... REPLACE ON/USING")
	}
	spec := &partSpec{}
	if c.Flags["partition"] {
		if spec, err = r.insertSpec(t, c); err != nil {
			return nil, err
		}
	}
	names, err := r.insertTargets(t, c, spec)
	if err != nil {
		return nil, err
	}
	field := func(i int) (types.Field, bool) {
		if i >= len(names) {
			return types.Field{}, false
		}
		k := slices.IndexFunc(t.Schema.Fields, func(f types.Field) bool { return r.eq(f.Name, names[i]) })
		return t.Schema.Fields[k], true
	}
	query := c.Query
	if !c.Flags["by_name"] {
		if query, err = r.withDefaults(query, field); err != nil {
			return nil, err
		}
	}
	x, err := r.node(query, nil)
	if err != nil {
		return nil, err
	}
	if err := checkPlan(x.node); err != nil {
		return nil, err
	}
	if names, err = r.insertColumns(t, c, x, names, spec); err != nil {
		return nil, err
	}
	if err := wholePartition(t, c, spec); err != nil {
		return nil, err
	}
	list := make([]plan.Expr, len(t.Schema.Fields))
	for i, f := range t.Schema.Fields {
		var e plan.Expr
		if s, ok := spec.static[f.Name]; ok {
			e = s
		} else if at := slices.IndexFunc(names, func(n string) bool { return r.eq(n, f.Name) }); at >= 0 {
			e, err = r.assign(x.out[at], f, full, c.Flags["by_name"])
		} else {
			e, err = r.fieldDefault(f)
		}
		if err != nil {
			return nil, err
		}
		list[i] = &plan.Alias{Child: e, Names: []string{f.Name}, ID: plan.NewID()}
	}
	dynamic := len(t.Partitions) > 0 && !(c.Flags["partition"] && spec.complete()) && r.dynamicOverwrite(c)
	if c.Flags["overwrite"] && readsTable(x.node, t) && !dynamic {
		return nil, aerr("UNSUPPORTED_OVERWRITE.TABLE", "table", full).At(c.Origin)
	}
	if c.Flags["if_not_exists"] && slices.ContainsFunc(t.Parts, func(p catalog.Partition) bool { return spec.matches(p.Values) }) {
		return nothing()
	}
	w := TableWrite{Overwrite: c.Flags["overwrite"], Dynamic: dynamic, Options: map[string]string{}}
	for k, v := range c.Args {
		if o, ok := strings.CutPrefix(k, "option."); ok {
			w.Options[o] = v
		}
	}
	if c.Flags["partition"] {
		w.Static = spec.list()
	}
	parts, err := r.Tables.Write(r.ctx, t, &plan.Project{Common: c.Common, List: list, Child: x.node}, w)
	if err != nil {
		return nil, err
	}
	if err := r.wrote(t, w, parts); err != nil {
		return nil, err
	}
	return nothing()
}

// multiInsert is FROM ... INSERT ... INSERT ...: one after the other.
func multiInsert(r *run, c *plan.Command) (plan.Node, error) {
	for _, one := range c.More {
		if _, err := insert(r, one); err != nil {
			return nil, err
		}
	}
	return nothing()
}

// insertDirectory is INSERT OVERWRITE DIRECTORY: files of a format, without a table.
func insertDirectory(r *run, c *plan.Command) (plan.Node, error) {
	if r.Tables == nil {
		return nil, errs.NotSupported("statement " + c.Kind).At(c.Origin)
	}
	if c.Flags["hive"] || c.Args["provider"] == "" {
		return nil, aerr("NOT_SUPPORTED_COMMAND_WITHOUT_HIVE_SUPPORT", "cmd", "INSERT OVERWRITE DIRECTORY with the Hive format")
	}
	w := &plan.Write{Common: c.Common, Child: c.Query, Format: strings.ToLower(c.Args["provider"]), Path: c.Args["path"], Mode: "overwrite", Options: map[string]string{}}
	for k, v := range c.Args {
		if o, ok := strings.CutPrefix(k, "option."); ok {
			w.Options[o] = v
		}
	}
	return answer(r.Tables.WriteFiles(r.ctx, w))
}

// wrote notes in the catalog which partitions a write made and removed.
func (r *run) wrote(t *catalog.Table, w TableWrite, parts [][]string) error {
	if len(t.Partitions) == 0 && t.Stats == nil {
		return nil
	}
	return r.update(t, func(t *catalog.Table) error {
		t.Stats = nil
		if w.Overwrite && !w.Dynamic {
			t.Parts = slices.DeleteFunc(t.Parts, func(p catalog.Partition) bool {
				return slices.Equal(p.Values[:len(w.Static)], w.Static) && !slices.ContainsFunc(parts, func(v []string) bool { return slices.Equal(v, p.Values) })
			})
		}
		for _, v := range parts {
			if len(v) == len(t.Partitions) && !slices.ContainsFunc(t.Parts, func(p catalog.Partition) bool { return slices.Equal(p.Values, v) }) {
				t.Parts = append(t.Parts, catalog.Partition{Values: v, Created: r.now})
			}
		}
		return nil
	})
}

func (r *run) dynamicOverwrite(c *plan.Command) bool {
	if !c.Flags["overwrite"] {
		return false
	}
	mode := r.Conf.text("spark.sql.sources.partitionOverwriteMode", "static")
	for k, v := range c.Args {
		if strings.EqualFold(k, "option.partitionOverwriteMode") {
			mode = v
		}
	}
	return strings.EqualFold(mode, "dynamic")
}

// insertSpec is the PARTITION clause of an INSERT, which names all of the table's partition columns: wholePartition says so where it doesn't.
func (r *run) insertSpec(t *catalog.Table, c *plan.Command) (*partSpec, error) {
	spec, err := r.partitionSpec(t, c)
	if err != nil {
		return nil, err
	}
	if len(spec.keys) != len(t.Partitions) {
		return spec, nil
	}
	dynamic := ""
	for i, v := range spec.values {
		switch {
		case v == nil && dynamic == "":
			dynamic = t.Partitions[i]
		case v != nil && dynamic != "":
			return nil, aerr("_LEGACY_ERROR_TEMP_1147", "partColumns", "["+strings.Join(t.Partitions, ",")+"]").At(c.Origin)
		}
	}
	if dynamic != "" && c.Flags["if_not_exists"] {
		return nil, errs.New(errs.Parse, "_LEGACY_ERROR_TEMP_0035", "message", "IF NOT EXISTS with dynamic partitions: "+dynamic).At(c.Origin)
	}
	return spec, nil
}

func wholePartition(t *catalog.Table, c *plan.Command, spec *partSpec) error {
	if !c.Flags["partition"] || len(spec.keys) == len(t.Partitions) {
		return nil
	}
	return aerr("_LEGACY_ERROR_TEMP_1169", "tableName", fullName(t), "normalizedPartSpec", strings.Join(spec.keys, ","), "partColNames", strings.Join(t.Partitions, ",")).At(c.Origin)
}

// insertTargets names the table's column that each column of the query goes to; nil BY NAME, where the query's names say it.
func (r *run) insertTargets(t *catalog.Table, c *plan.Command, spec *partSpec) ([]string, error) {
	var names []string
	switch {
	case c.Flags["by_name"]:
		return nil, nil
	case len(c.Columns) > 0:
		for _, f := range c.Columns {
			names = append(names, f.Name)
		}
		return names, r.checkTargets(t, c, names, spec)
	}
	for _, f := range t.Schema.Fields {
		if _, ok := spec.static[f.Name]; !ok {
			names = append(names, f.Name)
		}
	}
	return names, nil
}

func (r *run) checkTargets(t *catalog.Table, c *plan.Command, names []string, spec *partSpec) error {
	seen := map[string]bool{}
	for _, n := range names {
		if seen[r.fold(n)] {
			return aerr("COLUMN_ALREADY_EXISTS", "columnName", errs.ID(r.fold(n)))
		}
		seen[r.fold(n)] = true
		at := slices.IndexFunc(t.Schema.Fields, func(f types.Field) bool { return r.eq(f.Name, n) })
		if at >= 0 {
			if _, static := spec.static[t.Schema.Fields[at].Name]; !static {
				continue
			}
		}
		if at >= 0 || c.Flags["by_name"] {
			return aerr("INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS", "tableName", fullName(t), "extraColumns", errs.ID(n))
		}
		return r.unresolvedIn(&plan.UnresolvedAttr{At: plan.At{Origin: c.Origin}, Parts: []string{n}}, attrsOf(t.Schema.Fields))
	}
	return nil
}

// insertColumns checks that the query has as many columns as it has to, and names where each goes.
func (r *run) insertColumns(t *catalog.Table, c *plan.Command, x *rel, names []string, spec *partSpec) ([]string, error) {
	if c.Flags["by_name"] {
		for _, a := range x.out {
			names = append(names, a.Name)
		}
		return names, r.checkTargets(t, c, names, spec)
	}
	if len(x.out) == len(names) {
		return names, nil
	}
	full, fields := fullName(t), t.Schema.Fields
	if len(spec.static) > 0 && len(c.Columns) == 0 {
		var static []types.Field
		for _, p := range t.Partitions {
			if _, ok := spec.static[p]; ok {
				static = append(static, types.Field{Name: p})
			}
		}
		return nil, aerr("INSERT_PARTITION_COLUMN_ARITY_MISMATCH", "tableName", full, "tableColumns", fieldList(fields), "dataColumns", idList(x.out), "staticPartCols", fieldList(static))
	}
	if len(c.Columns) > 0 {
		fields = c.Columns
	}
	cond := "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"
	if len(x.out) < len(names) {
		cond = "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"
	}
	return nil, aerr(cond, "tableName", full, "tableColumns", fieldList(fields), "dataColumns", idList(x.out))
}

// assign casts a column of a query to the type of a table's column, by the
// rules of spark.sql.storeAssignmentPolicy. Fields of structs go by position, or by name.
func (r *run) assign(a *plan.Attr, f types.Field, table string, byName bool) (plan.Expr, error) {
	to := deepRead(f.Type)
	var e plan.Expr = a
	if byName {
		var err error
		if e, err = r.fieldsByName(e, to, []string{f.Name}, table); err != nil {
			return nil, err
		}
	}
	if !types.SameType(e.Type(), to) {
		mode, stores := plan.ANSI, r.storeAssignable
		switch strings.ToUpper(r.Conf.text("spark.sql.storeAssignmentPolicy", "ANSI")) {
		case "LEGACY":
			mode, stores = plan.Legacy, func(a, b *types.Type) bool { return castable(a, b, false) }
		case "STRICT":
			stores = upcasts
		}
		if err := r.checkStore(e.Type(), to, []string{f.Name}, table, stores); err != nil {
			return nil, err
		}
		e = &plan.Cast{Child: e, To: to, Mode: mode, Implicit: true, Column: f.Name}
	}
	return r.charCall("char_write", e, f.Type)
}

// checkStore checks that values of type a may be stored in a column of type b; path names it, down to fields of structs.
func (r *run) checkStore(a, b *types.Type, path []string, table string, stores func(a, b *types.Type) bool) error {
	switch {
	case types.SameType(a, b):
		return nil
	case a.Kind == types.Struct && b.Kind == types.Struct:
		if n := len(b.Fields); len(a.Fields) > n {
			return aerr("INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_STRUCT_FIELDS", "tableName", table, "colName", errs.ID(path...), "extraFields", fieldList(a.Fields[n:]))
		} else if len(a.Fields) < n {
			return aerr("INCOMPATIBLE_DATA_FOR_TABLE.STRUCT_MISSING_FIELDS", "tableName", table, "colName", errs.ID(path...), "missingFields", fieldList(b.Fields[len(a.Fields):]))
		}
		for i, f := range b.Fields {
			if err := r.checkStore(a.Fields[i].Type, f.Type, append(slices.Clone(path), f.Name), table, stores); err != nil {
				return err
			}
		}
		return nil
	case a.Kind == types.Array && b.Kind == types.Array:
		return r.checkStore(a.Elem, b.Elem, append(slices.Clone(path), "element"), table, stores)
	case a.Kind == types.Map && b.Kind == types.Map:
		if err := r.checkStore(a.Key, b.Key, append(slices.Clone(path), "key"), table, stores); err != nil {
			return err
		}
		return r.checkStore(a.Elem, b.Elem, append(slices.Clone(path), "value"), table, stores)
	}
	if stores(a, b) {
		return nil
	}
	return aerr("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "tableName", table, "colName", errs.ID(path...), "srcType", errs.Quote(a.SQL()), "targetType", errs.Quote(b.SQL()))
}

// upcasts reports whether no value of a changes when it is stored as b (Spark: UpCastRule.canUpCast).
func upcasts(a, b *types.Type) bool {
	number := func(t *types.Type) bool { return t.IsNumeric() && t.Kind != types.Decimal }
	whole := func(t *types.Type) int { return t.Precision - t.Scale }
	switch {
	case a.Kind == types.Null, b.IsString() && a.Kind < types.Array:
		return true
	case number(a) && number(b):
		return a.Kind <= b.Kind
	case a.IsIntegral() && b.Kind == types.Decimal:
		return whole(b) >= types.ForIntegral(a).Precision
	case a.Kind == types.Decimal && b.Kind == types.Decimal:
		return whole(b) >= whole(a) && b.Scale >= a.Scale
	case a.Kind == types.Decimal && b.IsIntegral():
		return a.Scale == 0 && a.Precision < types.ForIntegral(b).Precision
	case a.Kind == types.Decimal:
		return b.Kind == types.Float32 && a.Precision <= 7 || b.Kind == types.Float64 && a.Precision <= 15
	case a.IsDatetime() && b.IsDatetime():
		return b.Kind != types.Date
	}
	return a.Kind == b.Kind && a.IsAnsiInterval()
}

// fieldsByName puts the fields of a struct, and of structs in it, into the order of the column's.
func (r *run) fieldsByName(e plan.Expr, to *types.Type, path []string, table string) (plan.Expr, error) {
	from := e.Type()
	if from.Kind != types.Struct || to.Kind != types.Struct || types.SameType(from, to) {
		return e, nil
	}
	same := len(from.Fields) == len(to.Fields)
	var args []plan.Expr
	for i, f := range to.Fields {
		at := slices.IndexFunc(from.Fields, func(x types.Field) bool { return r.eq(x.Name, f.Name) })
		if at < 0 {
			return nil, aerr("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_FIND_DATA", "tableName", table, "colName", errs.ID(append(slices.Clone(path), f.Name)...))
		}
		same = same && at == i
		x, err := r.extract(e, &plan.Literal{T: types.StringType, Value: from.Fields[at].Name}, nil)
		if err != nil {
			return nil, err
		}
		y, err := r.fieldsByName(x, f.Type, append(slices.Clone(path), f.Name), table)
		if err != nil {
			return nil, err
		}
		same = same && y == x
		args = append(args, &plan.Literal{T: types.StringType, Value: f.Name}, y)
	}
	if len(from.Fields) > len(to.Fields) {
		var extra []types.Field
		for _, x := range from.Fields {
			if !slices.ContainsFunc(to.Fields, func(f types.Field) bool { return r.eq(x.Name, f.Name) }) {
				extra = append(extra, x)
			}
		}
		return nil, aerr("INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_STRUCT_FIELDS", "tableName", table, "colName", errs.ID(path...), "extraFields", fieldList(extra))
	}
	if same {
		return e, nil
	}
	made, err := r.call(&plan.Call{Name: "named_struct", Args: args}, &scope{})
	if err != nil || !e.Nullable() {
		return made, err
	}
	null, err := r.call(&plan.Call{Name: "isnull", Args: []plan.Expr{e}}, &scope{})
	if err != nil {
		return nil, err
	}
	return &plan.Case{When: []plan.Expr{null}, Then: []plan.Expr{nullLit(made.Type())}, Else: made}, nil
}
