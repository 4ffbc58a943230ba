// Package analyze turns unresolved logical plans into resolved ones, as Spark
// 4.3's analyzer does: names become column ids, functions become entries of
// the function table with their arguments cast, stars are expanded, and what
// no plan may contain is refused with Spark's condition.
//
// One recursive pass, bottom-up: node resolves a relation's children first and
// then its own expressions against what the children put out. Each kind of
// node, or each concern, has a file.
package analyze

import (
	"context"
	"strings"
	"time"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Sources opens data sources; the composition root implements it.
type Sources interface {
	Open(ctx context.Context, format string, options map[string]string, paths []string, schema *types.Type, streaming bool, conf map[string]string) (plan.Source, error)
}

// Conf is what the analyzer needs to know of the session's configuration.
type Conf struct {
	ANSI          bool
	CaseSensitive bool
	TimeZone      *time.Location // of the session; nil is UTC
	User          string
	Now           time.Time // zero: the time of Analyze
	Keys          map[string]string
}

func (c *Conf) flag(key string, def bool) bool {
	switch strings.ToLower(strings.TrimSpace(c.Keys[key])) {
	case "true":
		return true
	case "false":
		return false
	}
	return def
}

func (c *Conf) text(key, def string) string {
	if v, ok := c.Keys[key]; ok {
		return v
	}
	return def
}

// Settings is the session's configuration as SET and RESET change it.
type Settings interface {
	Get(key string) (value string, ok bool)
	Set(key, value string) error
	Unset(key string) error
	All() map[string]string
}

// CacheManager keeps cached relations, for CACHE, UNCACHE and REFRESH. Relations are analyzed.
type CacheManager interface {
	// Cache keeps n's rows, made now unless lazy; a relation that is cached already stays as it is.
	Cache(ctx context.Context, name []string, n plan.Node, lazy bool, options map[string]string) error
	// Uncache reports whether n was cached; cascade drops what was made of n, too.
	Uncache(ctx context.Context, n plan.Node, cascade bool) (bool, error)
	Cached(ctx context.Context, n plan.Node) bool
	Clear(ctx context.Context) error
	// Refresh and RefreshPath drop rows made of n, or of files at path: they are made anew when they are next used.
	Refresh(ctx context.Context, n plan.Node) error
	RefreshPath(ctx context.Context, path string) error
}

// Analyzer resolves the plans of one session. Its fields are read only; one
// Analyzer may serve several calls at once.
type Analyzer struct {
	Catalog   *catalog.Session
	Sources   Sources
	Conf      Conf
	ParseSQL  func(string) (plan.Node, error)
	ParseType func(string) (*types.Type, error)
	// ParseDataType reads a type in DDL form, and no list of columns.
	ParseDataType func(string) (*types.Type, error)
	ParseExpr     func(string) (plan.Expr, error)
	// ParseName reads a name of several parts; ParseBound a statement with arguments for its
	// parameters; Markers finds which kinds of these it has.
	// Parsers are ParseSQL and ParseExpr as they are in ANSI mode or without it, whatever the session's mode is.
	Parsers    func(ansi bool) (sql func(string) (plan.Node, error), expr func(string) (plan.Expr, error))
	ParseName  func(string) ([]string, error)
	ParseBound func(text string, positional []plan.Expr, named map[string]plan.Expr) (plan.Node, error)
	Markers    func(string) (named, positional bool, err error)
	// RunScalar runs a resolved plan and returns its rows, in the Go form of
	// literals: eager sub-queries such as the values of a pivot.
	RunScalar func(context.Context, plan.Node) ([][]any, error)
	// Fold computes a resolved expression without columns; nil: what fails in it fails when the query runs.
	Fold      func(plan.Expr) (*plan.Literal, error)
	SessionID string // for messages
	// Cached returns the stored relation of a key (plan.CachedRef), or nil.
	Cached func(key string) plan.Node
	// LocalSchema reads the schema of an Arrow IPC stream that came without one.
	LocalSchema func(data []byte) (*types.Type, error)
	Settings    Settings
	Cache       CacheManager
	// Execute runs a resolved plan and keeps its rows, a LocalRelation: the queries of scripts.
	Execute func(context.Context, plan.Node) (plan.Node, error)
	// Reload is the analyzer with the session's settings as they are now; nil: they can't have changed.
	Reload func() *Analyzer
	locals *localScope // of the script that runs
	// Tables keeps the files of tables: CREATE TABLE, INSERT, DROP TABLE, TRUNCATE.
	Tables Tables
}

// rel is a resolved relation with what names may refer to.
type rel struct {
	node plan.Node
	out  []*plan.Attr
	// meta are columns that a name may reach though they aren't part of the
	// output: the right keys of USING joins.
	meta []*plan.Attr
	// dfs are the data frames below, for references by plan id.
	dfs []dfRef
	// closed: names don't reach below the relation, but for meta.
	closed bool
	// leaf: the relation is a table as it is, so that an alias of it keeps meta.
	leaf bool
	// agg is set on the relation of a GROUP BY: ORDER BY above it may ask for more.
	agg *grouped
}

// dfRef is what a data frame of the client put out.
type dfRef struct {
	id   int64
	out  []*plan.Attr
	meta []*plan.Attr
	// depth counts the data frames above: where a reference fits several, as in a join of a data frame with one made of it, the nearest is meant.
	depth int
}

// run is one analysis.
type run struct {
	*Analyzer
	ctx   context.Context
	now   time.Time
	ctes  *cteScope
	depth int
	// outerCTEs are the names of the table expressions around, for a WITH that is all of a table expression or
	// subquery, and subqueryCTEs those for one that is all of a subquery of the node that is resolved.
	outerCTEs, subqueryCTEs []string
	// within is the place of the expression that is resolved: casts that coercion puts below it are there, as in Spark.
	within *errs.Origin
	views  []string
	// orig has, for expressions that replaced a call, the call as written (its
	// arguments resolved): names are made of that.
	orig map[plan.Expr]plan.Expr
	// operandTypes are those of the arithmetic operator that is resolved, before they are brought to one type.
	operandTypes [2]*types.Type
	// refs are the relations that WithRelations lends to subqueries, by plan id.
	refs map[int64]plan.Node
	// temps are the temporary views that the query names.
	temps []string
	// variables are the session variables that it names.
	variables []string
	// collation is the default collation of the text, a view's; "" for none.
	collation string
	// used are the permanent views that the query reads, at any depth.
	used *[]string
	// frozen is the path of names within the text of a view or function that has one of its own.
	frozen [][]string
	// reads is set when a table or view is read, or a function that says that it does.
	reads *bool
	// inlined are the values of functions of SQL text, with the names of these.
	inlined map[plan.Expr][]string
	// outside is the run of the query that a view's or function's text is part of.
	outside *run
}

// inMode makes a the analyzer of a text that was kept in ANSI mode or without it.
func (a *Analyzer) inMode(ansi *bool) {
	if ansi == nil || *ansi == a.Conf.ANSI || a.Parsers == nil {
		return
	}
	a.Conf.ANSI = *ansi
	a.ParseSQL, a.ParseExpr = a.Parsers(*ansi)
}

// asker is the run of the query itself.
func (r *run) asker() *run {
	for r.outside != nil {
		r = r.outside
	}
	return r
}

const maxDepth = 5000

func (a *Analyzer) newRun(ctx context.Context) *run {
	r := &run{Analyzer: a, ctx: ctx, now: a.Conf.Now, used: new([]string), inlined: map[plan.Expr][]string{}, reads: new(bool)}
	if r.now.IsZero() {
		r.now = time.Now()
	}
	return r
}

// Analyze resolves n. The result meets every invariant that later phases rely
// on: each Output is known, each Call has its type, no unresolved node is left.
func (a *Analyzer) Analyze(ctx context.Context, n plan.Node) (out plan.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, errs.Panic(p)
		}
	}()
	r := a.newRun(ctx)
	res, err := r.node(n, nil)
	if err != nil {
		return nil, err
	}
	if err := checkPlan(res.node); err != nil {
		return nil, err
	}
	return res.node, nil
}

// Schema returns the columns of a resolved plan as a struct.
func (a *Analyzer) Schema(n plan.Node) *types.Type { return Schema(n) }

// Schema returns the columns of a resolved plan as a struct.
func Schema(n plan.Node) *types.Type {
	out := n.Output()
	f := make([]types.Field, len(out))
	for i, c := range out {
		f[i] = types.Field{Name: c.Name, Type: c.T, Nullable: c.Null, Metadata: c.Metadata}
	}
	return types.NewStruct(f...)
}

// ResolveType reads a type or schema that a client wrote, as DDL or as JSON.
func (a *Analyzer) ResolveType(s string) (*types.Type, error) {
	if t := strings.TrimSpace(s); strings.HasPrefix(t, "{") || strings.HasPrefix(t, `"`) {
		ty, err := types.ParseJSON(t)
		if err != nil {
			return nil, errs.New(errs.Analysis, "INVALID_SCHEMA.PARSE_ERROR", "inputSchema", errs.Quote(s), "reason", err.Error())
		}
		return ty, nil
	}
	if a.ParseType == nil {
		return nil, errs.NotSupported("a schema in DDL form without a parser")
	}
	return a.ParseType(s)
}

func (r *run) mode() plan.EvalMode {
	if r.Conf.ANSI {
		return plan.ANSI
	}
	return plan.Legacy
}

func (r *run) eq(a, b string) bool {
	if a == b {
		return true
	}
	return !r.Conf.CaseSensitive && len(a) == len(b) && strings.EqualFold(a, b)
}

func (r *run) fold(s string) string {
	if r.Conf.CaseSensitive {
		return s
	}
	return strings.ToLower(s)
}

// node resolves n; outer is the scope around a subquery, nil at the top.
func (r *run) node(n plan.Node, outer *scope) (*rel, error) {
	r.depth++
	defer func() { r.depth-- }()
	if r.depth > maxDepth {
		return nil, errs.New(errs.Analysis, "INTERNAL_ERROR", "message", "the plan is nested too deeply")
	}
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	res, err := r.dispatch(n, outer)
	if err != nil {
		if e, ok := errs.As(err); ok && e.Context == nil && n.Info() != nil && n.Info().Origin != nil && wantsNodeContext(e.Condition) {
			e.At(n.Info().Origin)
		}
		return nil, err
	}
	if id := n.Info().PlanID; id != nil {
		c := *res
		c.dfs = make([]dfRef, len(res.dfs), len(res.dfs)+1)
		for i, d := range res.dfs {
			d.depth++
			c.dfs[i] = d
		}
		c.dfs = append(c.dfs, dfRef{*id, res.out, res.meta, 0})
		if i := c.node.Info(); i.PlanID == nil {
			if w, ok := withPlanID(c.node, id); ok {
				c.node = w
			}
		}
		res = &c
	}
	return res, nil
}

// withPlanID sets the id on a fresh copy; nodes shared with a cache stay as they are.
func withPlanID(n plan.Node, id *int64) (plan.Node, bool) {
	switch n := n.(type) {
	case *plan.Project:
		c := *n
		c.PlanID = id
		return &c, true
	case *plan.Filter:
		c := *n
		c.PlanID = id
		return &c, true
	}
	return n, false
}

func (r *run) dispatch(n plan.Node, outer *scope) (*rel, error) {
	switch n := n.(type) {
	case *plan.Project:
		return r.project(n, outer)
	case *plan.Filter:
		return r.filter(n, outer)
	case *plan.Aggregate:
		return r.aggregate(n, outer)
	case *plan.Sort:
		return r.sort(n, outer)
	case *plan.Limit:
		return r.limit(n, outer)
	case *plan.PipeInput: // an operator of a pipe sees what the one before puts out, and no aggregation in that
		x, err := r.node(n.Child, outer)
		if err != nil {
			return nil, err
		}
		return &rel{node: x.node, out: x.out, meta: x.meta, dfs: x.dfs, closed: true}, nil
	case *plan.Distinct:
		return r.distinct(n, outer)
	case *plan.SubqueryAlias:
		return r.subqueryAlias(n, outer)
	case *plan.OneRow:
		return &rel{node: n, out: []*plan.Attr{}}, nil
	case *plan.Join:
		return r.join(n, outer)
	case *plan.AsOfJoin:
		return r.asOfJoin(n, outer)
	case *plan.SetOperation:
		return r.setOperation(n, outer)
	case *plan.UnresolvedTable:
		return r.table(n, outer)
	case *plan.UnresolvedTVF:
		return r.tvf(n, outer)
	case *plan.InlineTable:
		return r.inlineTable(n, outer)
	case *plan.DataSource:
		return r.dataSource(n)
	case *plan.LocalRelation:
		return r.local(n)
	case *plan.Range:
		return r.rangeNode(n)
	case *plan.Relation, *plan.CTERef:
		return &rel{node: n, out: n.Output()}, nil
	case *plan.CachedRef:
		return r.cachedRef(n, outer)
	case *plan.With:
		return r.with(n, outer)
	case *plan.WithRelations:
		return r.withRelations(n, outer)
	case *plan.Generate:
		return r.lateralView(n, outer)
	case *plan.ScriptTransform:
		return r.scriptTransform(n, outer)
	case *plan.Sample:
		return r.sample(n, outer)
	case *plan.Hint:
		return r.hint(n, outer)
	case *plan.Repartition:
		return r.repartition(n, outer)
	case *plan.ToDF:
		return r.toDF(n, outer)
	case *plan.WithColumns:
		return r.withColumns(n, outer)
	case *plan.WithColumnsRenamed:
		return r.withColumnsRenamed(n, outer)
	case *plan.Drop:
		return r.drop(n, outer)
	case *plan.ToSchema:
		return r.toSchema(n, outer)
	case *plan.Pivot:
		return r.pivot(n, outer)
	case *plan.Unpivot:
		return r.unpivot(n, outer)
	case *plan.NA:
		return r.na(n, outer)
	case *plan.WithWatermark:
		return r.watermark(n, outer)
	case *plan.Observe:
		return r.observe(n, outer)
	case *plan.Parsed:
		return r.parsed(n, outer)
	case *resolvedNode:
		return n.rel, nil
	case *plan.Command:
		return nil, errs.NotSupported("the statement " + n.Kind + " inside a query or EXPLAIN").At(n.Origin)
	case nil:
		return nil, errs.Internalf("a plan without a relation")
	}
	return nil, errs.NotSupported("relation " + nodeName(n))
}

// resolvedNode stands for an already resolved relation inside a plan that rules build anew.
type resolvedNode struct {
	plan.OneRow
	rel *rel
}

// Output implements plan.Node.
func (n *resolvedNode) Output() []*plan.Attr { return n.rel.out }

func done(x *rel) plan.Node { return &resolvedNode{rel: x} }
