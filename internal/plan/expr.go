// Package plan is the logical plan: relations, commands and expressions, as
// the SQL parser and the proto translation make them (unresolved), as the
// analyzer leaves them (resolved), and, for expressions, as the physical plan
// carries them (bound to column positions).
//
// Nodes are immutable once built: a rule that changes one makes a copy.
// Resolved columns are identified by ExprID, as in Catalyst.
package plan

import (
	"sync/atomic"

	"neptune/internal/errs"
	"neptune/internal/types"
)

// ExprID identifies a resolved column for the life of the process.
type ExprID int64

var lastID atomic.Int64

// NewID returns an id that nothing else has.
func NewID() ExprID { return ExprID(lastID.Add(1)) }

// Expr is an expression. The concrete types are pointers to the structs of
// this file.
type Expr interface {
	// Children are the direct sub-expressions, in a fixed order, nil when none.
	Children() []Expr
	// WithChildren returns a copy over other children: as many, in that order.
	WithChildren([]Expr) Expr
	// Type is the result's type; nil while unresolved.
	Type() *types.Type
	// Nullable is whether the result can be null; true while unresolved.
	Nullable() bool
	// Pos is where the expression stands in the user's text or program, or nil.
	Pos() *errs.Origin
}

// At is embedded by expressions to say where they come from.
type At struct{ Origin *errs.Origin }

// Pos returns the origin.
func (a At) Pos() *errs.Origin { return a.Origin }

// EvalMode says what an arithmetic operation or cast does when it fails.
type EvalMode uint8

// The modes (Spark: EvalMode).
const (
	ANSI   EvalMode = iota // raise
	Legacy                 // wrap, or null
	Try                    // null
)

// --- leaves

// Literal is a constant; Value is in the Go form that package types documents.
type Literal struct {
	At
	T     *types.Type
	Value any
	// Text is how the user wrote a numeric literal, for names; may be "".
	Text string
}

// UnresolvedAttr is a column by name: a, t.a, s.f ... PlanID is set by
// DataFrames' df.a (proto plan_id).
type UnresolvedAttr struct {
	At
	Parts    []string
	PlanID   *int64
	Metadata bool // is_metadata_column
}

// UnresolvedStar is *, t.* or s.*, with the changes of SELECT * EXCEPT (...) .
type UnresolvedStar struct {
	At
	Target []string
	Except [][]string
	PlanID *int64
}

// UnresolvedRegex selects columns whose names match (df.colRegex).
type UnresolvedRegex struct {
	At
	Pattern string
	Table   []string
	PlanID  *int64
}

// UnresolvedOrdinal is a position in GROUP BY 1 or ORDER BY 1, from 1.
type UnresolvedOrdinal struct {
	At
	N int
}

// Parameter is :name or ? in SQL text; the analyzer puts the argument in its place.
type Parameter struct {
	At
	Name   string // "" for ?
	Offset int    // of ?: offset in the statement
}

// Attr is a resolved column of some plan node below (or beside, in a join).
type Attr struct {
	At
	ID        ExprID
	Name      string
	T         *types.Type
	Null      bool
	Qualifier []string
	Metadata  string // JSON
	Hidden    bool   // a metadata column such as _metadata: not part of *
	Lateral   bool   // an alias of the same select list, named beside it: shown as such
}

// OuterRef is a column of the query around a correlated subquery.
type OuterRef struct {
	At
	Attr *Attr
}

// Bound is a column by position in the operator's input: physical plans only.
type Bound struct {
	Index int
	T     *types.Type
	Null  bool
	Name  string // for EXPLAIN
}

// LambdaVar is a parameter of a lambda; unresolved while T is nil.
type LambdaVar struct {
	At
	Name string
	ID   ExprID
	T    *types.Type
	Null bool
}

// --- inner nodes

// Alias names an expression. Names has more than one only for generators.
type Alias struct {
	At
	Child     Expr
	Names     []string
	ID        ExprID // 0 until the analyzer gives one
	Metadata  string // JSON, replaces the child's; "" keeps it
	Qualifier []string
	Auto      bool // made by the analyzer: the name is the pretty SQL of Child
}

// Call is a function or operator by name. All operators are calls, by these
// canonical names:
//
//   - - * / % div  negative positive  & | ^ ~ shiftleft shiftright shiftrightunsigned
//     = <=> < <= > >=  and or not  like ilike rlike  like_all like_any not_like_all not_like_any (and ilike_)
//     isnull isnotnull istrue isfalse  isnan  in (first argument, then the list)
//     || is concat; a[b] is Extract; CASE is Case; BETWEEN is "between"(x, lo, hi)
//
// != and <> are not(=). Name is lower case once resolved.
type Call struct {
	At
	Name     string   // canonical; for an unresolved function the last part
	Path     []string // catalog and database of the name, if it was qualified
	Args     []Expr
	ArgNames []string // named arguments f(a => 1): "" for positional; nil if none
	NameExpr Expr     // of IDENTIFIER(expr)(...): evaluates to the name
	Distinct bool
	Filter   Expr        // of aggregates: FILTER (WHERE ...)
	Order    []SortOrder // WITHIN GROUP (ORDER BY ...)
	Nulls    NullTreatment
	// Internal: from Spark's DataFrame API, is_internal functions.
	Internal bool
	// Infix: written as an operator, a << b rather than shiftleft(a, b); for names.
	Infix bool

	// The analyzer sets these.
	T    *types.Type
	Null bool
	Kind FuncKind // what the function table says of it
	Mode EvalMode
	// Seed is what a function that draws random numbers starts from where the query gives none: copies
	// of a plan, as the uses of a table expression are, and tasks that run again draw the same (Spark's ResolveRandomSeed).
	Seed int64
}

// NullTreatment is IGNORE NULLS or RESPECT NULLS.
type NullTreatment uint8

// The treatments.
const (
	DefaultNulls NullTreatment = iota
	IgnoreNulls
	RespectNulls
)

// FuncKind is what a resolved Call is.
type FuncKind uint8

// The kinds of functions.
const (
	FnUnresolved FuncKind = iota
	FnScalar
	FnAggregate
	FnWindow    // rank, row_number ...: only inside Window
	FnGenerator // explode, inline ...: rows out of one value
	FnTable     // range(...) in FROM
)

// Cast converts. Numeric, datetime and string rules are those of Spark's Cast by mode.
type Cast struct {
	At
	Child Expr
	To    *types.Type
	Mode  EvalMode
	// Implicit: put in by coercion, so that names and EXPLAIN can leave it out.
	Implicit bool
	// Column is the column of a table that the value is stored in; errors of an overflow name it.
	Column string
}

// Case is CASE WHEN c1 THEN v1 ... ELSE e END; if(c, a, b) is one too. Values
// are evaluated only for the rows that reach them.
type Case struct {
	At
	When []Expr // conditions
	Then []Expr // as many
	Else Expr   // nil: null
	If   bool   // written as if(...), for names
}

// Extract is a.b, a[i] or m[k]: field of a struct by name, element of an
// array, value of a map, field of each struct of an array. The analyzer turns it into one
// of the calls below it documents: GetField for structs, and
// "get_array_item", "get_map_value", "get_array_struct_fields" calls.
type Extract struct {
	At
	Child Expr
	Key   Expr
}

// GetField is field Index of a struct.
type GetField struct {
	At
	Child Expr
	Index int
	Name  string
}

// UpdateFields is Column.withField and dropFields (proto update_fields).
type UpdateFields struct {
	At
	Child Expr
	Name  []string // path
	Value Expr     // nil: drop
	// Except: of * EXCEPT, which may leave no field.
	Except bool
}

// Lambda is (x, y) -> body.
type Lambda struct {
	At
	Body Expr
	Args []*LambdaVar
}

// SortOrder is one key of an ORDER BY.
type SortOrder struct {
	Child     Expr
	Desc      bool
	NullsLast bool // the parser fills in Spark's default: nulls first when ascending, last when descending
}

// Window is f OVER (...).
type Window struct {
	At
	Func      Expr   // Call
	Name      string // OVER w, "" when given in place
	Partition []Expr
	Order     []SortOrder
	Frame     *Frame // nil: default
}

// Frame is ROWS or RANGE BETWEEN Lower AND Upper.
type Frame struct {
	Rows         bool
	Lower, Upper FrameEnd
}

// FrameEnd is one end of a window frame.
type FrameEnd struct {
	Kind   BoundKind
	Offset Expr // of Preceding and Following
}

// BoundKind is the kind of a frame's end.
type BoundKind uint8

// The kinds of frame ends.
const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

// Subquery is a query inside an expression.
type Subquery struct {
	At
	Kind   SubqueryKind
	Plan   Node
	Values []Expr // left side of IN
	Not    bool   // of a resolved, rewritten plan; the parser uses not(...)
	PlanID *int64 // of a DataFrame's subquery: the relation referenced by id
	// Outer lists what the plan takes from outside, once resolved.
	Outer []*Attr
	T     *types.Type
}

// SubqueryKind is scalar, EXISTS or IN.
type SubqueryKind uint8

// The kinds of subqueries.
const (
	ScalarSubquery SubqueryKind = iota
	ExistsSubquery
	InSubquery
	TableArg // TABLE(...) argument of a table function
)

// NamedExprList is a row of names, (a, b) as one value: struct constructor of several values in parentheses.
// The parser makes Call{"struct"} of it; kept for IN with several values.
type NamedExprList struct {
	At
	List []Expr
}

// UDF is a user defined function inline in the plan: the payload of
// CommonInlineUserDefinedFunction, which the workers understand.
type UDF struct {
	At
	Name          string
	Args          []Expr
	Deterministic bool
	Aggregate     bool
	Payload       any // *pb message kept opaque by all but translate and arrowexec/udf
	T             *types.Type
	Null          bool
}
