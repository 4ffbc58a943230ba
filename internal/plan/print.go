package plan

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"neptune/internal/types"
)

// Print writes a tree of relations, one node a line, inputs indented below; plans inside of expressions
// stand in brackets. It is for tests and logs: it leaves out ids of plans and positions.
func Print(n Node) string {
	var b strings.Builder
	printNode(&b, n, 0)
	return b.String()
}

func printNode(b *strings.Builder, n Node, depth int) {
	b.WriteString(strings.Repeat("  ", depth))
	printHead(b, n)
	b.WriteByte('\n')
	switch n := n.(type) {
	case *With:
		for _, c := range n.CTEs {
			b.WriteString(strings.Repeat("  ", depth+1) + "cte " + c.Name)
			if c.Columns != nil {
				b.WriteString("(" + strings.Join(c.Columns, ", ") + ")")
			}
			if c.MaxLevel != nil {
				b.WriteString(" max " + ExprString(c.MaxLevel))
			}
			b.WriteByte('\n')
			printNode(b, c.Plan, depth+2)
		}
	case *Command:
		if n.Query != nil {
			printNode(b, n.Query, depth+1)
		}
	}
	for _, k := range n.Children() {
		if k != nil {
			printNode(b, k, depth+1)
		}
	}
}

// printHead writes the node's name and those fields that aren't empty, by reflection, so that new fields show by themselves.
func printHead(b *strings.Builder, n Node) {
	v := reflect.ValueOf(n).Elem()
	b.WriteString(v.Type().Name())
	for i := 0; i < v.NumField(); i++ {
		f := v.Type().Field(i)
		if f.Anonymous || !f.IsExported() {
			continue
		}
		switch f.Name {
		case "CTEs", "Text":
			continue
		}
		x := v.Field(i)
		if x.IsZero() || x.Kind() == reflect.Slice && x.Len() == 0 || x.Kind() == reflect.Map && x.Len() == 0 {
			continue
		}
		if text := fieldText(x.Interface()); text != "" {
			b.WriteString(" " + f.Name + "=" + text)
		}
	}
}

func fieldText(x any) string {
	switch x := x.(type) {
	case Node, []Node:
		return "" // printed below
	case []*Attr:
		return ""
	case Expr:
		return ExprString(x)
	case []Expr:
		return "[" + exprList2(x) + "]"
	case []*Alias:
		l := make([]Expr, len(x))
		for i, a := range x {
			l[i] = a
		}
		return "[" + exprList2(l) + "]"
	case [][]Expr:
		s := make([]string, len(x))
		for i, l := range x {
			s[i] = "(" + exprList2(l) + ")"
		}
		return "[" + strings.Join(s, ", ") + "]"
	case []SortOrder:
		return "[" + orderText(x) + "]"
	case []GroupPart:
		s := make([]string, len(x))
		for i, p := range x {
			s[i] = p.text()
		}
		return "[" + strings.Join(s, ", ") + "]"
	case []types.Field:
		s := make([]string, len(x))
		for i, f := range x {
			s[i] = f.Name
			if f.Type != nil {
				s[i] += " " + f.Type.String()
			}
			if !f.Nullable {
				s[i] += " not null"
			}
			if f.Metadata != "" {
				s[i] += " " + f.Metadata
			}
		}
		return "[" + strings.Join(s, ", ") + "]"
	case map[string]bool:
		var s []string
		for k, on := range x {
			if on {
				s = append(s, k)
			}
		}
		if s == nil {
			return ""
		}
		slices.Sort(s)
		return "{" + strings.Join(s, ", ") + "}"
	case map[string]string:
		s := make([]string, 0, len(x))
		for k, t := range x {
			s = append(s, k+": "+strconv.Quote(t))
		}
		slices.Sort(s)
		return "{" + strings.Join(s, ", ") + "}"
	case JoinType:
		return [...]string{"Inner", "LeftOuter", "RightOuter", "FullOuter", "LeftSemi", "LeftAnti", "Cross", "NullAwareAnti", "Existence", "LeftSingle"}[x]
	case SetOp:
		return [...]string{"Union", "Intersect", "Except"}[x]
	case GroupKind:
		return [...]string{"Plain", "All", "Analytic"}[x]
	case string:
		return strconv.Quote(x)
	case *int64:
		return strconv.FormatInt(*x, 10)
	case *types.Type:
		return x.String()
	}
	return fmt.Sprint(x)
}

func (p GroupPart) text() string {
	if p.Nested != nil {
		s := make([]string, len(p.Nested))
		for i, n := range p.Nested {
			s[i] = n.text()
		}
		return p.Kind + "{" + strings.Join(s, ", ") + "}"
	}
	sets := fieldText(p.Sets)
	if p.Kind == "" && len(p.Sets) == 1 {
		return "(" + exprList2(p.Sets[0]) + ")"
	}
	return p.Kind + sets
}

func exprList2(l []Expr) string {
	s := make([]string, len(l))
	for i, e := range l {
		s[i] = ExprString(e)
	}
	return strings.Join(s, ", ")
}

func orderText(l []SortOrder) string {
	s := make([]string, len(l))
	for i, o := range l {
		s[i] = ExprString(o.Child)
		if o.Desc {
			s[i] += " desc"
		}
		if o.NullsLast != o.Desc {
			s[i] += map[bool]string{true: " nulls last", false: " nulls first"}[o.NullsLast]
		}
	}
	return strings.Join(s, ", ")
}

// ExprString writes an expression in a notation of functions, for tests and logs: +(a, 1:int). It isn't SQL.
func ExprString(e Expr) string {
	switch e := e.(type) {
	case nil:
		return "<nil>"
	case *Literal:
		return literalText(e)
	case *UnresolvedAttr:
		return nameText(e.Parts)
	case *UnresolvedStar:
		s := "*"
		if e.Target != nil {
			s = nameText(e.Target) + ".*"
		}
		if e.Except != nil {
			x := make([]string, len(e.Except))
			for i, n := range e.Except {
				x[i] = nameText(n)
			}
			s += " except(" + strings.Join(x, ", ") + ")"
		}
		return s
	case *UnresolvedRegex:
		return "regex(" + e.Pattern + ")"
	case *UnresolvedOrdinal:
		return "#" + strconv.Itoa(e.N)
	case *Parameter:
		if e.Name != "" {
			return ":" + e.Name
		}
		return "?" + strconv.Itoa(e.Offset)
	case *Attr:
		return fmt.Sprintf("%s#%d", e.Name, e.ID)
	case *OuterRef:
		return "outer(" + ExprString(e.Attr) + ")"
	case *Bound:
		return "$" + strconv.Itoa(e.Index)
	case *LambdaVar:
		return e.Name
	case *Alias:
		return ExprString(e.Child) + " as " + strings.Join(e.Names, "/")
	case *Call:
		return callText(e)
	case *Cast:
		return [...]string{"cast", "legacy_cast", "try_cast"}[e.Mode] + "(" + ExprString(e.Child) + " as " + e.To.String() + ")"
	case *Case:
		var b strings.Builder
		b.WriteString("case(")
		for i := range e.When {
			b.WriteString(ExprString(e.When[i]) + " -> " + ExprString(e.Then[i]) + "; ")
		}
		if e.Else != nil {
			b.WriteString(ExprString(e.Else))
		}
		return b.String() + ")"
	case *Extract:
		return ExprString(e.Child) + "[" + ExprString(e.Key) + "]"
	case *GetField:
		return ExprString(e.Child) + "." + e.Name
	case *Lambda:
		s := make([]string, len(e.Args))
		for i, a := range e.Args {
			s[i] = a.Name
		}
		return "(" + strings.Join(s, ", ") + ") -> " + ExprString(e.Body)
	case *Window:
		s := ExprString(e.Func) + " over ("
		if e.Name != "" {
			s += e.Name
		}
		if e.Partition != nil {
			s += "by " + exprList2(e.Partition)
		}
		if e.Order != nil {
			s += " order " + orderText(e.Order)
		}
		if f := e.Frame; f != nil {
			s += map[bool]string{true: " rows ", false: " range "}[f.Rows] + f.Lower.text() + " to " + f.Upper.text()
		}
		return s + ")"
	case *Subquery:
		kind := [...]string{"scalar", "exists", "in", "table"}[e.Kind]
		if e.Values != nil {
			kind += "(" + exprList2(e.Values) + ")"
		}
		if e.Plan == nil {
			return kind + "[]"
		}
		return kind + "[" + strings.Join(strings.Fields(strings.ReplaceAll(strings.TrimSpace(Print(e.Plan)), "\n", " / ")), " ") + "]"
	case *NamedExprList:
		return "(" + exprList2(e.List) + ")"
	case *UDF:
		return "udf " + e.Name + "(" + exprList2(e.Args) + ")"
	case *UpdateFields:
		return "update(" + ExprString(e.Child) + ", " + nameText(e.Name) + ")"
	}
	return fmt.Sprintf("%T", e)
}

func (f FrameEnd) text() string {
	switch f.Kind {
	case Preceding:
		return ExprString(f.Offset) + " preceding"
	case Following:
		return ExprString(f.Offset) + " following"
	}
	return map[BoundKind]string{UnboundedPreceding: "unbounded preceding", CurrentRow: "current", UnboundedFollowing: "unbounded following"}[f.Kind]
}

func nameText(parts []string) string {
	s := make([]string, len(parts))
	for i, p := range parts {
		s[i] = types.QuoteIfNeeded(p)
	}
	return strings.Join(s, ".")
}

func callText(e *Call) string {
	var b strings.Builder
	if e.Path != nil {
		b.WriteString(nameText(e.Path) + ".")
	}
	b.WriteString(e.Name + "(")
	if e.Distinct {
		b.WriteString("distinct ")
	}
	for i, a := range e.Args {
		if i > 0 {
			b.WriteString(", ")
		}
		if i < len(e.ArgNames) && e.ArgNames[i] != "" {
			b.WriteString(e.ArgNames[i] + " => ")
		}
		b.WriteString(ExprString(a))
	}
	b.WriteByte(')')
	if e.Order != nil {
		b.WriteString(" within (" + orderText(e.Order) + ")")
	}
	if e.Filter != nil {
		b.WriteString(" filter (" + ExprString(e.Filter) + ")")
	}
	switch e.Nulls {
	case IgnoreNulls:
		b.WriteString(" ignore nulls")
	case RespectNulls:
		b.WriteString(" respect nulls")
	}
	return b.String()
}

func literalText(e *Literal) string {
	switch v := e.Value.(type) {
	case nil:
		if e.T == nil || e.T.Kind == types.Null {
			return "null"
		}
		return "null:" + e.T.String()
	case string:
		return strconv.Quote(v)
	case bool:
		return strconv.FormatBool(v)
	case []byte:
		return "X'" + hex.EncodeToString(v) + "'"
	case types.Int128:
		return string(types.AppendDecimal(nil, v, e.T.Scale)) + ":" + e.T.String()
	default:
		return fmt.Sprintf("%v:%s", v, e.T)
	}
}
