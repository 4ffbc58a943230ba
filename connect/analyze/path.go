package analyze

import (
	"slices"
	"strings"

	"neptune/arrowexec/fn"
	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/sqlpath"
)

const (
	pathEnabled = "spark.sql.path.enabled"
	defaultPath = "spark.sql.defaultPath"
)

var (
	builtinSchema = []string{"system", "builtin"}
	sessionSchema = []string{"system", "session"}
)

func isSchema(parts, want []string) bool {
	return len(parts) == 2 && strings.EqualFold(parts[0], want[0]) && strings.EqualFold(parts[1], want[1])
}

// path lists the schemas where names without a qualifier are looked for, in
// turn; custom is false for the order that the rest of the analyzer takes by
// itself: builtin, session, current schema.
func (r *run) path() (list [][]string, custom bool) {
	if r.frozen != nil {
		return r.frozen, true
	}
	if r.Catalog != nil && r.Conf.flag(pathEnabled, false) {
		if set := r.Catalog.Path(); set != nil {
			return r.schemas(set), true
		}
		if set, ok := sqlpath.Parse(r.Conf.text(defaultPath, "")); ok {
			if set, err := r.expandPath(set); err == nil {
				return r.schemas(set), true
			}
		}
	}
	return r.schemas(r.plainPath()), r.Conf.text("spark.sql.functionResolution.sessionOrder", "second") != "second"
}

// plainPath is the path where nobody has set one.
func (r *run) plainPath() []sqlpath.Entry {
	builtin, session, current := sqlpath.Entry{Parts: builtinSchema}, sqlpath.Entry{Parts: sessionSchema}, sqlpath.Entry{Word: sqlpath.Current}
	switch r.Conf.text("spark.sql.functionResolution.sessionOrder", "second") {
	case "first":
		return []sqlpath.Entry{session, builtin, current}
	case "last":
		return []sqlpath.Entry{builtin, current, session}
	}
	return []sqlpath.Entry{builtin, session, current}
}

// schemas puts the current schema in its place.
func (r *run) schemas(path []sqlpath.Entry) [][]string {
	out := make([][]string, len(path))
	for i, e := range path {
		out[i] = e.Parts
		if e.Word == sqlpath.Current {
			cat, db := catalog.DefaultCatalog, catalog.DefaultDatabase
			if r.Catalog != nil {
				cat, db = r.Catalog.Current()
			}
			out[i] = []string{cat, db}
		}
	}
	return out
}

func (r *run) searchPath() string {
	list, _ := r.path()
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = errs.ID(p...)
	}
	return "[" + strings.Join(ids, ", ") + "]"
}

// pathText is current_path(): of the session that asks, also within views and functions.
func (r *run) pathText() string {
	list, _ := r.asker().path()
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = sqlpath.Name(p)
	}
	return strings.Join(names, ",")
}

// expandPath resolves the words of a list but for the current schema.
func (r *run) expandPath(list []sqlpath.Entry) ([]sqlpath.Entry, error) {
	var out []sqlpath.Entry
	for _, e := range list {
		switch e.Word {
		case sqlpath.System:
			out = append(out, sqlpath.Entry{Parts: builtinSchema})
		case sqlpath.Default:
			if set, ok := sqlpath.Parse(r.Conf.text(defaultPath, "")); ok {
				set, err := r.expandPath(set)
				if err != nil {
					return nil, err
				}
				out = append(out, set...)
				continue
			}
			out = append(out, r.plainPath()...)
		case sqlpath.Path:
			if set := r.Catalog.Path(); set != nil {
				out = append(out, set...)
				continue
			}
			out = append(out, r.plainPath()...)
		case sqlpath.None:
			if len(e.Parts) == 1 {
				return nil, aerr("INVALID_SQL_PATH_SCHEMA_REFERENCE", "qualifiedName", e.Text)
			}
			out = append(out, e)
		default:
			out = append(out, e)
		}
	}
	seen := map[string]bool{}
	for _, e := range out {
		name := "current_schema"
		if e.Word != sqlpath.Current {
			name = sqlpath.Name(e.Parts)
		}
		if k := strings.ToLower(name); seen[k] {
			return nil, aerr("DUPLICATE_SQL_PATH_ENTRY", "pathEntry", name)
		} else {
			seen[k] = true
		}
	}
	return out, nil
}

func setPath(r *run, c *plan.Command) (plan.Node, error) {
	if !r.Conf.flag(pathEnabled, false) {
		return nil, aerr("UNSUPPORTED_FEATURE.SET_PATH_WHEN_DISABLED", "config", pathEnabled)
	}
	list, ok := sqlpath.Parse(c.Text)
	if !ok {
		return nil, errs.Internalf("the path %s", c.Text)
	}
	list, err := r.expandPath(list)
	if err != nil {
		return nil, err
	}
	r.Catalog.SetPath(list)
	return nothing()
}

// freezePath is the path for the text of a view or function that is made now; nil: the plain one.
func (r *run) freezePath() [][]string {
	if r.Catalog == nil || !r.Conf.flag(pathEnabled, false) || r.Catalog.Path() == nil {
		return nil
	}
	return r.schemas(r.Catalog.Path())
}

// inPath gives out the schemas where a bare name may be, for what = the kind of thing; foreign catalogs have none.
func (r *run) inPath(name string, try func(schema []string) (bool, error)) (bool, error) {
	list, _ := r.path()
	for _, p := range list {
		if len(p) != 2 || !strings.EqualFold(p[0], catalog.DefaultCatalog) && !strings.EqualFold(p[0], "system") {
			return false, foreignName(append(slices.Clone(p), name))
		}
		if found, err := try(p); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// foreignName refuses a name in a catalog that isn't there.
func foreignName(parts []string) error {
	return aerr("REQUIRES_SINGLE_PART_NAMESPACE", "sessionCatalog", catalog.DefaultCatalog, "identifier", errs.ID(parts...))
}

// hasSession reports whether a bare name may be that of a temporary thing.
func (r *run) hasSession() bool {
	list, custom := r.path()
	return !custom || slices.ContainsFunc(list, func(p []string) bool { return isSchema(p, sessionSchema) })
}

// pathFunction finds what a bare name calls along a path that isn't the plain
// one. builtin: it is the function table's.
func (r *run) pathFunction(name string) (f *catalog.Function, udf *plan.UDF, builtin bool, err error) {
	_, err = r.inPath(name, func(p []string) (bool, error) {
		switch {
		case isSchema(p, builtinSchema):
			builtin = isBuiltin(name)
		case isSchema(p, sessionSchema):
			if f = r.Catalog.TempSQLFunction(name); f == nil {
				udf = r.Catalog.Function([]string{name})
			}
		default:
			f = r.Catalog.SQLFunction([]string{p[0], p[1], name})
		}
		return f != nil || udf != nil || builtin, nil
	})
	return f, udf, builtin, err
}

func isBuiltin(name string) bool {
	name = strings.ToLower(name)
	if d := fn.Lookup(name); d != nil {
		return d.Group != "internal"
	}
	_, special := specials()[name]
	return special || name == "struct" || name == "named_struct" || name == "range" || name == "sql_keywords"
}

// alongPath resolves the call of a bare name along a path that isn't the plain
// one; nil: as a builtin function.
func (r *run) alongPath(c *plan.Call, s *scope) (plan.Expr, error) {
	if len(c.Path) > 0 || c.Infix || c.Internal || r.Catalog == nil || operator(strings.ToLower(c.Name)) != nil {
		return nil, nil
	}
	if _, custom := r.path(); !custom {
		return nil, nil
	}
	f, udf, builtin, err := r.pathFunction(c.Name)
	if err != nil || builtin {
		return nil, err
	}
	if f == nil && udf == nil {
		return nil, r.unknownRoutine(c)
	}
	n := *c
	if n.Args, err = r.exprs(c.Args, s); err != nil {
		return nil, err
	}
	if f != nil {
		return r.sqlFunction(f, &n)
	}
	u := *udf
	u.Args, u.At = n.Args, n.At
	return &u, nil
}
