package analyze

import (
	"slices"
	"sort"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// scope is what an expression's names may refer to.
type scope struct {
	out   []*plan.Attr
	meta  []*plan.Attr
	dfs   []dfRef
	outer *scope
	// below is the relation under the operator, where ORDER BY and HAVING look
	// for what the operator's input doesn't put out.
	below plan.Node
	// missing collects columns found in meta or below: the operator must pull them up.
	missing []*plan.Attr
	// lca are the aliases to the left in the same SELECT list.
	lca   []*plan.Alias
	lcaOn bool
	// lcaGens are the names to the left that no item can refer to yet: of generators' columns.
	lcaGens []string
	// operator is the operator around, where it isn't one that generators may stand in.
	operator string
	// lcaUsed collects the aliases that were referred to.
	lcaUsed []*plan.Alias
	// outerUsed collects the columns taken from the outer query.
	outerUsed *[]*plan.Attr
	lambda    *lambdaScope
	// inAgg is the depth of aggregate calls around the expression.
	inAgg    int
	inWindow bool
	// alts are the select list's aliases, which GROUP BY may name where no column has the name.
	alts []*plan.Alias
	// under is the scope below an aggregation: of arguments of aggregate functions in HAVING and ORDER BY, and of
	// grouping columns that the select list leaves out.
	under *scope
	// keys are the grouping expressions below, by exprKey: HAVING takes a
	// grouping column before an alias of the select list (ORDER BY does not).
	keys map[string]plan.Expr
	// outerAgg, of HAVING, computes an aggregate of the query's own columns that a subquery's condition asks for.
	outerAgg func(plan.Expr) (*plan.Attr, error)
	// params are what names mean in the body of a function, where no column has them.
	params *parameters
}

type lambdaScope struct {
	vars  []*plan.LambdaVar
	outer *lambdaScope
}

func relScope(x *rel, outer *scope) *scope {
	return &scope{out: x.out, meta: x.meta, dfs: x.dfs, outer: outer, below: x.node}
}

// match finds the columns that parts name; rest is how many of parts are
// nested fields. The longest qualifier wins.
func (r *run) match(parts []string, out []*plan.Attr) (found []*plan.Attr, rest []string) {
	for q := min(3, len(parts)-1); q >= 1; q-- {
		for _, a := range out {
			if len(a.Qualifier) >= q && r.eq(a.Name, parts[q]) && r.eqAll(a.Qualifier[len(a.Qualifier)-q:], parts[:q]) {
				found = addAttr(found, a)
			}
		}
		if found != nil {
			return found, parts[q+1:]
		}
	}
	for _, a := range out {
		if r.eq(a.Name, parts[0]) {
			found = addAttr(found, a)
		}
	}
	return found, parts[1:]
}

func addAttr(l []*plan.Attr, a *plan.Attr) []*plan.Attr {
	for _, x := range l {
		if x.ID == a.ID {
			return l
		}
	}
	return append(l, a)
}

func (r *run) eqAll(a, b []string) bool {
	for i := range a {
		if !r.eq(a[i], b[i]) {
			return false
		}
	}
	return true
}

// find resolves parts among columns: nil when there is none of that name.
func (r *run) find(e *plan.UnresolvedAttr, parts []string, out []*plan.Attr) (plan.Expr, *plan.Attr, error) {
	found, rest := r.match(parts, out)
	if len(found) == 0 {
		return nil, nil, nil
	}
	if len(found) > 1 {
		names := make([]string, len(found))
		for i, a := range found {
			names[i] = errs.ID(append(slices.Clone(a.Qualifier), parts[len(parts)-len(rest)-1])...)
		}
		sort.Strings(names)
		return nil, nil, errs.New(errs.Analysis, "AMBIGUOUS_REFERENCE", "name", errs.ID(parts...), "referenceNames", "["+strings.Join(names, ", ")+"]").At(e.Origin)
	}
	c := *found[0]
	c.Name = parts[len(parts)-len(rest)-1] // the name as the user wrote it
	c.Origin = e.Origin
	x, err := r.fields(&c, rest, e.Origin)
	return x, found[0], err
}

// fields follows nested field names.
func (r *run) fields(x plan.Expr, rest []string, o *errs.Origin) (plan.Expr, error) {
	for _, f := range rest {
		next, err := r.extract(x, plan.Expr(&plan.Literal{At: plan.At{Origin: o}, T: types.StringType, Value: f}), o)
		if err != nil {
			return nil, err
		}
		x = next
	}
	return x, nil
}

// name resolves a column reference.
func (r *run) name(e *plan.UnresolvedAttr, s *scope) (plan.Expr, error) {
	if e.PlanID != nil {
		return r.byPlanID(e, s)
	}
	for l := s.lambda; l != nil; l = l.outer {
		for _, v := range l.vars {
			if r.eq(v.Name, e.Parts[0]) {
				return r.fields(v, e.Parts[1:], e.Origin)
			}
		}
	}
	x, err := r.nameIn(e, s)
	if x != nil || err != nil {
		return x, err
	}
	for _, a := range s.alts {
		if r.eq(a.Names[0], e.Parts[0]) {
			alts := s.alts
			s.alts = nil
			x, err := r.expr(a.Child, s)
			s.alts = alts
			if err != nil {
				return nil, r.lateralInGroupBy(err, alts)
			}
			return r.fields(unalias(x), e.Parts[1:], e.Origin)
		}
	}
	if len(e.Parts) == 1 {
		if x := r.literalFunction(e); x != nil {
			return x, nil
		}
	}
	if s.lcaOn {
		var hits []*plan.Alias
		for _, a := range s.lca {
			if len(a.Names) == 1 && r.eq(a.Names[0], e.Parts[0]) {
				hits = append(hits, a)
			}
		}
		n := len(hits)
		for _, g := range s.lcaGens {
			if r.eq(g, e.Parts[0]) {
				n++
			}
		}
		if n > 1 {
			return nil, errs.New(errs.Analysis, "AMBIGUOUS_LATERAL_COLUMN_ALIAS", "name", errs.ID(e.Parts...), "n", itoa(n)).At(e.Origin)
		}
		if len(hits) == 1 {
			s.lcaUsed = append(s.lcaUsed, hits[0])
			a := *plan.ToAttr(hits[0])
			a.Origin, a.Name, a.Lateral = e.Origin, e.Parts[0], true
			return r.fields(&a, e.Parts[1:], e.Origin)
		}
	}
	for o := s.outer; o != nil; o = o.outer {
		for l := o.lambda; l != nil; l = l.outer {
			for _, v := range l.vars {
				if r.eq(v.Name, e.Parts[0]) {
					return nil, errs.New(errs.Analysis, "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.HIGHER_ORDER_FUNCTION").At(e.Origin)
				}
			}
		}
		x, err := r.nameIn(e, o)
		if err != nil {
			return nil, err
		}
		if x != nil {
			if isClosed(x) {
				return x, nil
			}
			if o.params != nil {
				if o.params.lateral && o == s.outer {
					return x, nil // made of what FROM may take from beside it
				}
				if why := notOuter(x); why != "" {
					return nil, errs.NotSupported(why + " as an argument of a function whose body has a subquery").At(e.Origin)
				}
			}
			if o != s.outer { // Spark sees no further than one level
				break
			}
			return s.outerRef(x), nil
		}
	}
	if x, err := r.variable(e); x != nil || err != nil {
		return x, err
	}
	return nil, r.unresolved(e, s)
}

// lateralInGroupBy: what GROUP BY asks for is made of another alias of the select list.
func (r *run) lateralInGroupBy(err error, alts []*plan.Alias) error {
	x, ok := errs.As(err)
	if !ok || !isUnresolvedColumn(err) || r.ParseName == nil || !r.Conf.flag("spark.sql.lateralColumnAlias.enableImplicitResolution", true) {
		return err
	}
	parts, bad := r.ParseName(x.Params["objectName"])
	if bad != nil || len(parts) == 0 {
		return err
	}
	for _, a := range alts {
		if r.eq(a.Names[0], parts[0]) {
			return aerr("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_GROUP_BY").At(x.Context)
		}
	}
	return err
}

// outerRef turns the columns of x into references to the outer query.
func (s *scope) outerRef(x plan.Expr) plan.Expr {
	y, err := plan.Transform(x, func(e plan.Expr) (plan.Expr, error) {
		if a, ok := e.(*plan.Attr); ok {
			if s.outerUsed != nil {
				*s.outerUsed = addAttr(*s.outerUsed, a)
			}
			return &plan.OuterRef{At: a.At, Attr: a}, nil
		}
		return e, nil
	})
	if err != nil {
		return x // the function above doesn't fail
	}
	return y
}

func (r *run) nameIn(e *plan.UnresolvedAttr, s *scope) (plan.Expr, error) {
	if s.under != nil && s.inAgg > 0 {
		if x, err := r.nameIn(e, s.under); x != nil || err != nil {
			return x, err
		}
	}
	if s.under != nil && s.keys != nil {
		if x, err := r.nameIn(e, s.under); x != nil && err == nil {
			if _, ok := s.keys[exprKey(x)]; ok {
				return x, nil
			}
		}
	}
	x, err := r.nameOut(e, s)
	if s.under == nil || s.inAgg > 0 {
		return x, err
	}
	if x == nil && err == nil {
		return r.nameIn(e, s.under)
	}
	if isAmbiguous(err) && s.keys == nil { // ORDER BY takes the grouping column
		if y, under := r.nameIn(e, s.under); y != nil && under == nil {
			return y, nil
		}
	}
	return x, err
}

func (r *run) nameOut(e *plan.UnresolvedAttr, s *scope) (plan.Expr, error) {
	x, _, err := r.find(e, e.Parts, s.out)
	if x != nil || err != nil {
		return x, err
	}
	if s.params != nil {
		return r.parameter(e, s.params)
	}
	if len(s.meta) > 0 {
		x, a, err := r.find(e, e.Parts, s.meta)
		if err != nil {
			return nil, err
		}
		if x != nil {
			s.missing = addAttr(s.missing, a)
			return x, nil
		}
	}
	return nil, nil
}

// byPlanID resolves df.a: a column of a data frame below.
func (r *run) byPlanID(e *plan.UnresolvedAttr, s *scope) (plan.Expr, error) {
	for sc, level := s, 0; sc != nil; sc, level = sc.outer, level+1 {
		var hit *plan.Attr
		var res plan.Expr
		seen, depth := false, 0
		for i := len(sc.dfs) - 1; i >= 0; i-- {
			d := &sc.dfs[i]
			if d.id != *e.PlanID {
				continue
			}
			seen = true
			x, a, err := r.find(e, e.Parts, d.out)
			if err != nil {
				return nil, err
			}
			if x == nil {
				if x, a, err = r.find(e, e.Parts, d.meta); err != nil {
					return nil, err
				}
			}
			if x == nil || hit != nil && hit.ID == a.ID {
				continue
			}
			in := hasID(sc.out, a.ID)
			if !in && !reachable(sc.below, a.ID) && !hasID(sc.meta, a.ID) {
				continue
			}
			if hit != nil && d.depth > depth {
				continue
			}
			if hit != nil && d.depth == depth {
				return nil, errs.New(errs.Analysis, "AMBIGUOUS_COLUMN_REFERENCE", "name", errs.ID(e.Parts...)).At(e.Origin)
			}
			hit, res, depth = a, x, d.depth
			if !in {
				sc.missing = addAttr(sc.missing, a)
			} else if cur := byID(sc.out, a.ID); cur.Null != a.Null || cur.T != a.T {
				id := a.ID
				res, err = plan.Transform(res, func(k plan.Expr) (plan.Expr, error) {
					if x, ok := k.(*plan.Attr); ok && x.ID == id {
						c := *x
						c.Null, c.T = cur.Null, cur.T
						return &c, nil
					}
					return k, nil
				})
				if err != nil {
					return nil, err
				}
			}
		}
		if hit != nil {
			if level == 1 {
				return s.outerRef(res), nil
			}
			if level > 1 {
				break
			}
			return res, nil
		}
		if seen {
			for i := range sc.dfs {
				if sc.dfs[i].id != *e.PlanID {
					continue
				}
				if x, _, err := r.find(e, e.Parts, sc.dfs[i].out); x == nil && err == nil {
					return nil, r.unresolvedIn(e, sc.dfs[i].out)
				}
			}
			break
		}
	}
	return nil, errs.New(errs.Analysis, "CANNOT_RESOLVE_DATAFRAME_COLUMN", "name", errs.ID(e.Parts...)).At(e.Origin)
}

func hasID(l []*plan.Attr, id plan.ExprID) bool { return byID(l, id) != nil }

func byID(l []*plan.Attr, id plan.ExprID) *plan.Attr {
	for _, a := range l {
		if a.ID == id {
			return a
		}
	}
	return nil
}

func (r *run) unresolved(e *plan.UnresolvedAttr, s *scope) error {
	return r.unresolvedIn(e, s.out)
}

func (r *run) unresolvedIn(e *plan.UnresolvedAttr, out []*plan.Attr) error {
	names := suggest(e.Parts, out)
	if len(names) == 0 {
		return errs.New(errs.Analysis, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "objectName", errs.ID(e.Parts...)).At(e.Origin)
	}
	return errs.New(errs.Analysis, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", errs.ID(e.Parts...), "proposal", strings.Join(names, ", ")).At(e.Origin)
}

// suggest lists the five columns nearest to a name, quoted. Qualifiers are
// left away where the name has none and all columns share theirs.
func suggest(parts []string, out []*plan.Attr) []string {
	same := true
	for _, a := range out {
		if !slices.Equal(a.Qualifier, out[0].Qualifier) {
			same = false
		}
	}
	type cand struct {
		text string
		d    int
	}
	base := errs.ID(parts...)
	var l []cand
	for _, a := range out {
		name := append(slices.Clone(a.Qualifier), a.Name)
		if same && len(parts) == 1 {
			name = name[len(name)-1:]
		} else if same && len(name) > len(parts) {
			name = name[len(name)-len(parts):]
		}
		text := errs.ID(name...)
		if !slices.ContainsFunc(l, func(c cand) bool { return c.text == text }) {
			l = append(l, cand{text, editDistance(base, text)})
		}
	}
	sort.SliceStable(l, func(i, j int) bool {
		if l[i].d != l[j].d {
			return l[i].d < l[j].d
		}
		return l[i].text < l[j].text
	})
	var names []string
	for _, c := range l[:min(5, len(l))] {
		names = append(names, c.text)
	}
	return names
}

// editDistance counts the insertions and deletions that make b of a (a
// replacement is both: this is how Spark's suggestions come out ordered).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 0; i < len(a); i++ {
		diag := row[0]
		row[0] = i + 1
		for j := 0; j < len(b); j++ {
			up := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diag
			} else {
				row[j+1] = min(row[j], up) + 1
			}
			diag = up
		}
	}
	return row[len(b)]
}
