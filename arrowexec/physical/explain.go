package physical

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// Explain prints a plan in the shape that Spark's EXPLAIN has. mode
// "formatted" numbers the operators and lists their details below the tree;
// any other prints each on one line.
func Explain(n Node, mode string) string { return explain(n, mode, false) }

// ExplainAdaptive is Explain of a plan whose stages may be planned anew while it runs.
func ExplainAdaptive(n Node, mode string) string { return explain(n, mode, HasExchange(n)) }

// HasExchange reports whether a plan has several stages.
func HasExchange(n Node) bool {
	if _, ok := n.(*Exchange); ok {
		return true
	}
	return slices.ContainsFunc(n.Children(), HasExchange)
}

func explain(n Node, mode string, adaptive bool) string {
	var b strings.Builder
	b.WriteString("== Physical Plan ==\n")
	first, rest := "", ""
	if adaptive {
		first, rest = "+- ", "   "
	}
	if mode == "formatted" {
		f := &formatter{num: map[Node]int{}}
		f.number(n)
		if adaptive {
			fmt.Fprintf(&b, "AdaptiveSparkPlan (%d)\n", len(f.order)+1)
		}
		writeTree(&b, n, first, rest, f.head, map[*Exchange]bool{})
		b.WriteString("\n")
		seen := map[Node]bool{}
		for _, k := range f.order {
			if seen[k] {
				continue
			}
			seen[k] = true
			f.details(&b, k)
		}
		if adaptive {
			fmt.Fprintf(&b, "\n(%d) AdaptiveSparkPlan\nOutput [%d]: %s\nArguments: isFinalPlan=false\n", len(f.order)+1, len(n.Schema()), colList(n.Schema()))
		}
		return b.String()
	}
	if adaptive {
		b.WriteString("AdaptiveSparkPlan isFinalPlan=false\n")
	}
	writeTree(&b, n, first, rest, line, map[*Exchange]bool{})
	return b.String()
}

// writeTree draws the tree; an exchange met again is only referred to.
func writeTree(b *strings.Builder, n Node, first, rest string, text func(Node) string, seen map[*Exchange]bool) {
	b.WriteString(first)
	if x, ok := n.(*Exchange); ok {
		if seen[x] {
			fmt.Fprintf(b, "ReusedExchange [id=#%d]\n", x.ID)
			return
		}
		seen[x] = true
	}
	b.WriteString(text(n))
	b.WriteByte('\n')
	if s, ok := n.(*Scan); ok {
		if c, ok := s.Source.(cachedRows); ok {
			level, inner := c.Inner()
			if level == "" {
				return
			}
			fmt.Fprintf(b, "%s   +- InMemoryRelation %s, %s\n", rest, colList(s.Out), level)
			if inner != nil {
				writeTree(b, inner, rest+"         +- ", rest+"            ", line, seen)
			}
		}
	}
	kids := shown(n)
	for i, k := range kids {
		if i < len(kids)-1 {
			writeTree(b, k, rest+":- ", rest+":  ", text, seen)
		} else {
			writeTree(b, k, rest+"+- ", rest+"   ", text, seen)
		}
	}
}

// cachedRows is a source of rows that were computed before.
type cachedRows interface {
	Title() string
	// Inner is how the rows are kept, and the plan that made them, nil if that isn't known. "" says that there is no more to tell.
	Inner() (level string, made Node)
}

type formatter struct {
	num   map[Node]int
	order []Node
}

// number counts from the leaves up, as Spark does.
func (f *formatter) number(n Node) {
	if _, ok := f.num[n]; ok {
		return
	}
	for _, k := range shown(n) {
		f.number(k)
	}
	if _, ok := f.num[n]; !ok {
		f.num[n] = len(f.order) + 1
		f.order = append(f.order, n)
	}
}

func (f *formatter) head(n Node) string {
	name := n.Name()
	if s, ok := n.(*Scan); ok {
		name = "Scan " + scanName(s)
	}
	if j, ok := n.(*HashJoin); ok {
		name += " " + JoinName(j.Kind) + " " + buildSide(j.BuildRight)
	}
	if j, ok := n.(*NestedLoopJoin); ok {
		name = "BroadcastNestedLoopJoin " + JoinName(j.Kind) + " " + buildSide(j.BuildRight)
	}
	return name + " (" + strconv.Itoa(f.num[n]) + ")"
}

func (f *formatter) details(b *strings.Builder, n Node) {
	name := n.Name()
	if s, ok := n.(*Scan); ok {
		name = "Scan " + scanName(s)
	}
	fmt.Fprintf(b, "\n(%d) %s\n", f.num[n], name)
	if len(shown(n)) == 0 {
		fmt.Fprintf(b, "Output [%d]: %s\n", len(n.Schema()), colList(n.Schema()))
	}
	for i, k := range shown(n) {
		label := "Input"
		if len(shown(n)) == 2 {
			label = []string{"Left", "Right"}[i]
		}
		fmt.Fprintf(b, "%s [%d]: %s\n", label, len(k.Schema()), colList(k.Schema()))
	}
	b.WriteString("Arguments: " + line(n) + "\n")
}

func colList(cols []Column) string {
	s := make([]string, len(cols))
	for i, c := range cols {
		s[i] = fmt.Sprintf("%s#%d", c.Name, c.ID)
	}
	return "[" + strings.Join(s, ", ") + "]"
}

func scanName(s *Scan) string {
	name := ""
	if s.Source != nil {
		name = s.Source.Format()
	}
	if s.Table != "" && s.Table != name {
		name = strings.TrimSpace(name + " " + s.Table)
	}
	return name
}

func buildSide(right bool) string {
	if right {
		return "BuildRight"
	}
	return "BuildLeft"
}

var joinNames = map[plan.JoinType]string{
	plan.Inner: "Inner", plan.Cross: "Cross", plan.LeftOuter: "LeftOuter", plan.RightOuter: "RightOuter", plan.FullOuter: "FullOuter",
	plan.LeftSemi: "LeftSemi", plan.LeftAnti: "LeftAnti", plan.NullAwareAnti: "LeftAnti, nullAware", plan.Existence: "ExistenceJoin", plan.LeftSingle: "LeftSingle",
}

// JoinName is a join type as EXPLAIN prints it.
func JoinName(k plan.JoinType) string { return joinNames[k] }

func exprList(list []plan.Expr) string {
	s := make([]string, len(list))
	for i, e := range list {
		s[i] = ExprString(e)
	}
	return "[" + strings.Join(s, ", ") + "]"
}

func orderString(o []Order) string {
	s := make([]string, len(o))
	for i, k := range o {
		s[i] = ExprString(k.Expr) + direction(k.Desc, k.NullsLast)
	}
	return "[" + strings.Join(s, ", ") + "]"
}

func direction(desc, nullsLast bool) string {
	d, n := " ASC", " NULLS FIRST"
	if desc {
		d = " DESC"
	}
	if nullsLast {
		n = " NULLS LAST"
	}
	return d + n
}

var aggPrefix = map[AggMode]string{Partial: "partial_", PartialMerge: "merge_"}

func aggList(aggs []Agg, mode AggMode) string {
	s := make([]string, len(aggs))
	for i, a := range aggs {
		s[i] = aggPrefix[mode] + ExprString(a.Call)
		if a.Filter != nil {
			s[i] += " FILTER (WHERE " + ExprString(a.Filter) + ")"
		}
	}
	return "[" + strings.Join(s, ", ") + "]"
}

func projectList(list []plan.Expr, out []Column) string {
	s := make([]string, len(list))
	for i, e := range list {
		s[i] = ExprString(e)
		if b, ok := e.(*plan.Bound); i < len(out) && (!ok || b.Name != fmt.Sprintf("%s#%d", out[i].Name, out[i].ID)) {
			s[i] += fmt.Sprintf(" AS %s#%d", out[i].Name, out[i].ID)
		}
	}
	return "[" + strings.Join(s, ", ") + "]"
}

func condString(e plan.Expr) string {
	if e == nil {
		return ""
	}
	return ", " + ExprString(e)
}

// line is one operator with its arguments.
func line(n Node) string {
	switch x := n.(type) {
	case *Scan:
		s := "FileScan " + scanName(x) + " " + colList(x.Out)
		if c, ok := x.Source.(cachedRows); ok {
			s = c.Title() + " " + colList(x.Out)
		}
		if len(x.Filters) > 0 {
			s += " PushedFilters: " + exprList(x.Filters)
		}
		if x.Limit >= 0 {
			s += fmt.Sprintf(" Limit: %d", x.Limit)
		}
		for _, f := range x.RuntimeFilters {
			s += fmt.Sprintf(" RuntimeFilter: %s in [id=#%d]", x.Out[f.Col].Name, f.From.ID)
		}
		return s
	case *Local:
		return "LocalTableScan " + colList(x.Out)
	case *Range:
		return fmt.Sprintf("Range (%d, %d, step=%d, splits=%d)", x.Start, x.End, x.Step, x.Partitions)
	case *Filter:
		return "Filter " + ExprString(x.Cond)
	case *Project:
		return "Project " + projectList(x.Exprs, x.Out)
	case *HashAggregate:
		return fmt.Sprintf("HashAggregate(keys=%s, functions=%s)", exprList(x.Group), aggList(x.Aggs, x.Mode))
	case *StateAggregate:
		return fmt.Sprintf("StateStoreSave(keys=%s, functions=%s, mode=%s)", exprList(x.Group), aggList(x.Aggs, Final), x.Mode)
	case *HashJoin:
		name := "ShuffledHashJoin"
		build := x.Left
		if x.BuildRight {
			build = x.Right
		}
		if _, ok := ReadWhole(build); ok {
			name = "BroadcastHashJoin"
		}
		first := ""
		if x.BuildFirst {
			first = ", buildFirst"
		}
		return fmt.Sprintf("%s %s, %s, %s, %s%s%s", name, exprList(x.LeftKeys), exprList(x.RightKeys), JoinName(x.Kind), buildSide(x.BuildRight), condString(x.Cond), first)
	case *NestedLoopJoin:
		return fmt.Sprintf("BroadcastNestedLoopJoin %s, %s%s", buildSide(x.BuildRight), JoinName(x.Kind), condString(x.Cond))
	case *Sort:
		return fmt.Sprintf("Sort %s, false, 0", orderString(x.Order))
	case *TopK:
		return fmt.Sprintf("TakeOrderedAndProject(limit=%d, offset=%d, orderBy=%s, output=%s)", x.Limit, x.Offset, orderString(x.Order), colList(x.Schema()))
	case *Limit:
		name := "LocalLimit"
		if x.Tail {
			name = "CollectTail"
		}
		if x.Offset > 0 {
			return fmt.Sprintf("%s %d, offset %d", name, x.N, x.Offset)
		}
		return fmt.Sprintf("%s %d", name, x.N)
	case *Window:
		s := make([]string, len(x.Fns))
		in := len(x.Input.Schema())
		for i, f := range x.Fns {
			s[i] = fmt.Sprintf("%s windowspecdefinition(%s) AS %s#%d", ExprString(f.Func), FrameString(f.Frame), x.Out[in+i].Name, x.Out[in+i].ID)
		}
		return fmt.Sprintf("Window [%s], %s, %s", strings.Join(s, ", "), exprList(x.Partition), orderString(x.Order))
	case *Expand:
		p := make([]string, len(x.Projections))
		for i, l := range x.Projections {
			p[i] = exprList(l)
		}
		return fmt.Sprintf("Expand [%s], %s", strings.Join(p, ", "), colList(x.Out))
	case *Generate:
		return fmt.Sprintf("Generate %s, %v, %s", ExprString(x.Call), x.Outer, colList(x.Out))
	case *Sample:
		return fmt.Sprintf("Sample %v, %v, %v, %d", x.Lower, x.Upper, x.WithReplacement, x.Seed)
	case *ScriptTransform:
		return fmt.Sprintf("ScriptTransformation %s, %s", x.Script, colList(x.Out))
	case *Exchange:
		return exchangeLine(x)
	case *Read:
		return "AQEShuffleRead " + x.how()
	case *Coalesce:
		return fmt.Sprintf("Coalesce %d", x.N)
	case *RecursiveLoop:
		return fmt.Sprintf("UnionLoop %d", x.ID)
	case *LoopRef:
		return fmt.Sprintf("UnionLoopRef %d, %s", x.ID, colList(x.Out))
	case *Write:
		return "WriteFiles " + x.Format + " " + x.Path
	case *StateDedup:
		return fmt.Sprintf("StreamingDeduplicate %v", x.Keys)
	case *Watermark:
		return fmt.Sprintf("EventTimeWatermark %d, %d us", x.Col, x.Delay)
	case *Observe:
		return fmt.Sprintf("CollectMetrics %s, %s", x.ID, aggList(x.Aggs, Complete))
	}
	return n.Name()
}

func exchangeLine(x *Exchange) string {
	id := fmt.Sprintf(", [plan_id=%d]", x.ID)
	switch x.Kind {
	case Broadcast:
		return fmt.Sprintf("BroadcastExchange [id=#%d]", x.ID)
	case Hash:
		return fmt.Sprintf("Exchange hashpartitioning(%s, %d)%s", strings.Trim(exprList(x.Keys), "[]"), x.N, ", "+reasons[x.For]) + id
	case RangeBy:
		return fmt.Sprintf("Exchange rangepartitioning(%s, %d)%s", strings.Trim(orderString(x.Order), "[]"), x.N, ", "+reasons[x.For]) + id
	case RoundRobin:
		return fmt.Sprintf("Exchange RoundRobinPartitioning(%d)%s", x.N, ", "+reasons[x.For]) + id
	}
	if x.Merge {
		return "Exchange SinglePartition, merge " + orderString(x.Order) + id
	}
	return "Exchange SinglePartition" + ", " + reasons[x.For] + id
}

// how says in Spark's words what a Read does with its exchange's partitions.
func (n *Read) how() string {
	if n.Whole {
		return "whole"
	}
	coalesced, skewed := false, false
	for _, p := range n.Pieces {
		coalesced = coalesced || p.To-p.From > 1
		skewed = skewed || p.EndWriter > 0
	}
	switch {
	case coalesced && skewed:
		return "coalesced and skewed"
	case skewed:
		return "skewed"
	case coalesced:
		return "coalesced"
	}
	return ""
}

// FrameString prints a window frame.
func FrameString(f *plan.Frame) string {
	if f == nil {
		return ""
	}
	kind := "RangeFrame"
	if f.Rows {
		kind = "RowFrame"
	}
	end := func(e plan.FrameEnd) string {
		switch e.Kind {
		case plan.UnboundedPreceding:
			return "unboundedpreceding$()"
		case plan.UnboundedFollowing:
			return "unboundedfollowing$()"
		case plan.Preceding:
			return "-" + ExprString(e.Offset)
		case plan.Following:
			return ExprString(e.Offset)
		}
		return "currentrow$()"
	}
	return fmt.Sprintf("specifiedwindowframe(%s, %s, %s)", kind, end(f.Lower), end(f.Upper))
}

var infix = map[string]string{
	"+": "+", "-": "-", "*": "*", "/": "/", "%": "%", "div": "div", "=": "=", "<=>": "<=>", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
	"and": "AND", "or": "OR", "&": "&", "|": "|", "^": "^", "like": "LIKE", "rlike": "RLIKE", "ilike": "ILIKE",
}

// ExprString prints an expression with its columns' ids, as EXPLAIN shows it.
func ExprString(e plan.Expr) string {
	switch x := e.(type) {
	case nil:
		return ""
	case *plan.Literal:
		return literalString(x)
	case *plan.Attr:
		return fmt.Sprintf("%s#%d", x.Name, x.ID)
	case *plan.Bound:
		if x.Name == "" {
			return fmt.Sprintf("input[%d]", x.Index)
		}
		return x.Name
	case *plan.OuterRef:
		return "outer(" + ExprString(x.Attr) + ")"
	case *plan.LambdaVar:
		return "lambda " + x.Name
	case *plan.Alias:
		return ExprString(x.Child) + " AS " + strings.Join(x.Names, ",") + "#" + strconv.FormatInt(int64(x.ID), 10)
	case *plan.Cast:
		return "cast(" + ExprString(x.Child) + " as " + x.To.String() + ")"
	case *plan.GetField:
		return ExprString(x.Child) + "." + x.Name
	case *plan.Case:
		var b strings.Builder
		b.WriteString("CASE")
		for i := range x.When {
			b.WriteString(" WHEN " + ExprString(x.When[i]) + " THEN " + ExprString(x.Then[i]))
		}
		if x.Else != nil {
			b.WriteString(" ELSE " + ExprString(x.Else))
		}
		return b.String() + " END"
	case *plan.Lambda:
		names := make([]string, len(x.Args))
		for i, a := range x.Args {
			names[i] = a.Name
		}
		return "lambdafunction(" + strings.Join(names, ", ") + " -> " + ExprString(x.Body) + ")"
	case *plan.Window:
		s := ExprString(x.Func) + " OVER (" + "PARTITION BY " + strings.Trim(exprList(x.Partition), "[]")
		if len(x.Order) > 0 {
			s += " ORDER BY " + SortString(x.Order)
		}
		return s + ")"
	case *plan.Subquery:
		return [...]string{"scalar-subquery", "exists", "list", "table"}[x.Kind] + "#[]"
	case *plan.UDF:
		return x.Name + "(" + strings.Trim(exprList(x.Args), "[]") + ")"
	case *plan.Call:
		return callString(x)
	}
	kids := e.Children()
	return strings.TrimPrefix(fmt.Sprintf("%T", e), "*plan.") + "(" + strings.Trim(exprList(kids), "[]") + ")"
}

func callString(c *plan.Call) string {
	if op, ok := infix[c.Name]; ok && len(c.Args) == 2 {
		return "(" + ExprString(c.Args[0]) + " " + op + " " + ExprString(c.Args[1]) + ")"
	}
	switch c.Name {
	case "not":
		return "NOT " + ExprString(c.Args[0])
	case "in":
		args := exprList(c.Args[1:])
		return ExprString(c.Args[0]) + " IN (" + args[1:len(args)-1] + ")"
	}
	args := make([]string, len(c.Args))
	for i, a := range c.Args {
		args[i] = ExprString(a)
	}
	d := ""
	if c.Distinct {
		d = "distinct "
	}
	s := c.Name + "(" + d + strings.Join(args, ", ") + ")"
	if c.Filter != nil {
		s += " FILTER (WHERE " + ExprString(c.Filter) + ")"
	}
	return s
}

// SortString prints sort keys of a logical plan.
func SortString(o []plan.SortOrder) string {
	s := make([]string, len(o))
	for i, k := range o {
		s[i] = ExprString(k.Child) + direction(k.Desc, k.NullsLast)
	}
	return strings.Join(s, ", ")
}

func literalString(l *plan.Literal) string {
	if l.Value == nil {
		return "null"
	}
	switch v := l.Value.(type) {
	case types.Int128:
		s := v.Big().String()
		if l.T.Scale == 0 {
			return s
		}
		neg := strings.HasPrefix(s, "-")
		s = strings.TrimPrefix(s, "-")
		for len(s) <= l.T.Scale {
			s = "0" + s
		}
		s = s[:len(s)-l.T.Scale] + "." + s[len(s)-l.T.Scale:]
		if neg {
			s = "-" + s
		}
		return s
	case int32:
		if l.T.Kind == types.Date {
			return dateString(v)
		}
	case types.MapValue:
		keys := make([]string, len(v.Keys))
		for i := range v.Keys {
			keys[i] = fmt.Sprintf("%v -> %v", v.Keys[i], v.Values[i])
		}
		sort.Strings(keys)
		return "map(" + strings.Join(keys, ", ") + ")"
	}
	return fmt.Sprint(l.Value)
}

// dateString prints days since 1970 (civil-from-days, Howard Hinnant's public algorithm).
func dateString(days int32) string {
	z := int64(days) + 719468
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d := doy - (153*mp+2)/5 + 1
	m := mp + 3
	if m > 12 {
		m -= 12
	}
	y := yoe + era*400
	if m <= 2 {
		y++
	}
	return fmt.Sprintf("%04d-%02d-%02d", y, m, d)
}
