// Package fn is the function table: one entry a function, with its types, its
// kernels and its examples. A group of functions is one file; tables() lists
// the groups. Nothing registers itself.
package fn

import (
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Env is what kernels may know of the query: the same for all rows and, but
// for Rand, all tasks. It is made once a task.
type Env struct {
	Conf      *Conf
	Partition int
	// Round counts the rounds of a recursion from 0; each has random numbers of its own.
	Round int
	// Yield is the task's yield point, for kernels with long loops; never nil.
	Yield func() error
	// Fits fails if the task may not have so many bytes more; kernels ask it before they make large values (see
	// Args.room). Never nil.
	Fits func(bytes int) error
	// Pool is where values that nobody keeps take their memory from; nil: from the heap.
	Pool *vec.Pool
}

// seedShift is what the task adds to the seeds of random numbers.
func (e *Env) seedShift() int64 { return int64(e.Partition) + int64(e.Round) }

// Example is a query and its answer as Spark shows it; it is the function's golden test.
type Example struct{ SQL, Want string }

// Kernel computes one batch. Arguments are dense vectors of n values, already
// coerced to the overload's parameter types; the result has n values. An
// argument may be a vector of one value repeated (vec.Repeat). With NullIn
// false (the default) the caller sets the result null wherever an argument is
// null, and the kernel must neither fail nor care for such rows (see Args.Skip).
type Kernel func(a *Args) (*vec.Vector, error)

// Args are a kernel's arguments.
type Args struct {
	Env  *Env
	N    int
	V    []*vec.Vector
	Ret  *types.Type
	Mode plan.EvalMode
	Call *plan.Call // for error messages (Pos) and constant arguments
	// Skip, when not nil, marks rows whose result will be null or unused: no error may be raised for them.
	Skip []bool
	// Const[i] is the literal that argument i is, or nil: patterns, formats are compiled once and kept in State.
	Const []*plan.Literal
	// State is the kernel's own, kept from batch to batch of one task (compiled patterns, buffers); nil at first.
	State *any
	// Lambdas are the compiled lambda arguments, by argument position (V[i] is nil there).
	Lambdas []LambdaFn
	// Took is memory that the kernel took from Env.Pool for its result (see result).
	Took []byte
}

// LambdaFn evaluates a lambda body: args are the lambda's parameters, dense
// vectors of equal length; row[i] is the row of the outer batch that element i
// belongs to (outer columns are gathered by it).
type LambdaFn func(args []*vec.Vector, row []int32) (*vec.Vector, error)

// Accept describes which argument types a parameter takes, in the way of Spark's AbstractDataType.
type Accept struct {
	Name string // as Spark's messages print it: "NUMERIC", "INT"; from the types when ""
	// Kinds lists concrete types in order of preference: implicit casts go to the first that the argument can become
	// (Spark: TypeCollection of concrete types). Nil with Test set: no cast, only a test.
	Types []*types.Type
	Test  func(*types.Type) bool
	// Exact: no implicit casts, but for NULL, which becomes the first of Types (Spark: ExpectsInputTypes).
	Exact bool
	// Untyped is what a NULL without a type becomes where Types doesn't say it; nil: it stays as it is.
	Untyped *types.Type
	// Lambda is the number of parameters of a lambda argument; 0: not one. With LambdaMax > Lambda fewer or more are allowed.
	Lambda, LambdaMax int
}

// Overload is one signature.
type Overload struct {
	Params   []Accept
	Variadic bool // the last parameter repeats, once or more (0 or more when VarMin0)
	VarMin0  bool
	// Same makes all arguments at these positions (nil: none; empty: all) one common type first (Spark: findWiderTypeWithoutStringPromotion / findWiderCommonType).
	Same []int
	// Like are positions whose arguments become the type that the first has (Spark: TypeCollection(input.dataType, NullType)).
	Like []int
	// Unpromoted: strings have no common type with others (Spark: findWiderTypeWithoutStringPromotion).
	Unpromoted bool
	// Ret computes the result type from the coerced arguments.
	Ret func(args []*types.Type) (*types.Type, error)
	// RetExpr, when set, is used instead of Ret: it may look at literals, nullability and lambdas.
	RetExpr func(c *plan.Call) (t *types.Type, nullable bool, err error)
	Eval    Kernel
}

// NullRule says when a result is null.
type NullRule uint8

// The rules.
const (
	NullIn     NullRule = iota // null if any argument is null (null intolerant); never else
	NullMaybe                  // null if an argument is, and perhaps otherwise
	NullNever                  // never null, kernel sees nulls
	NullKernel                 // the kernel sees nulls and decides; the result is nullable
)

// Def is one function.
type Def struct {
	Name     string
	Aliases  []string
	Since    string
	Group    string // Spark's: "math_funcs", "string_funcs" ...
	Usage    string // our own sentence
	Args     string
	Notes    string
	Examples []Example

	Kind      plan.FuncKind
	Overloads []Overload
	Nulls     NullRule
	// Random: a different value each time (rand, uuid): never folded, never pushed or duplicated.
	Random bool
	// Ansi: the call's Mode matters (arithmetic ...); TryOf names the function that this is the try_ form of.
	Ansi bool
	// Rewrite, when set, replaces the call by other expressions during analysis (Spark: RuntimeReplaceable);
	// args are resolved. The name of the output column is still that of the call as written.
	Rewrite func(c *plan.Call) (plan.Expr, error)
	// Pretty writes the call for column names when it isn't name(args): operators, CASE.
	Pretty func(args []string) string

	// Of aggregates:
	Agg *AggDef
	// Of window-only functions (rank ...): executed by arrowexec/op/window.
	NeedsOrder bool
	// Of generators: columns out; the kernel is Gen.
	Gen *GenDef
}

// AggDef is an aggregate function's run time. State lives in flat columns,
// one value a group: no allocation per group, no pointers.
type AggDef struct {
	// State is the types of the state columns, by argument types and result type. They travel
	// through exchanges between partial and final aggregation.
	State func(args []*types.Type, ret *types.Type) []*types.Type
	// New makes the accumulator of one task.
	New func(a AggArgs) (Accumulator, error)
	// Empty is the result over no rows when it isn't null (count: int64(0)).
	Empty any
	// EmptyOf is Empty where it depends on the call's constants.
	EmptyOf func(c *plan.Call) any
	// IgnoresDistinct: max(DISTINCT x) is max(x).
	IgnoresDistinct bool
	// Sortable ... OrderMatters: collect_list, first: results depend on the order of rows.
	OrderMatters bool
}

// AggArgs describe an aggregate call to New.
type AggArgs struct {
	Env   *Env
	Args  []*types.Type
	Ret   *types.Type
	Const []*plan.Literal // literal arguments (percentiles ...), nil elsewhere
	Call  *plan.Call
}

// Accumulator is the state of one aggregate call for all groups of a table.
// Group numbers are dense from 0; Grow is called before a new one is used.
type Accumulator interface {
	Grow(groups int)
	// Update adds rows: row i of args belongs to group[i]. Rows of a FILTER that fails are not passed.
	Update(group []int32, args []*vec.Vector, n int) error
	// Merge adds states that State made, of another task or spill.
	Merge(group []int32, state []*vec.Vector, n int) error
	// State emits the state columns of groups from..to.
	State(from, to int) ([]*vec.Vector, error)
	// Result emits the results of groups from..to.
	Result(from, to int) (*vec.Vector, error)
	// Retract, for window frames that slide, takes rows away; ErrNoRetract if it can't.
	// Size is the memory held, in bytes.
	Size() int64
	// Reset forgets all groups and keeps the memory for reuse.
	Reset()
}

// GenDef is a generator's run time.
type GenDef struct {
	// Table: it stands in FROM only, and not in a select list (Spark: a table-valued function).
	Table bool
	// Columns are the names and types of what is generated, by the resolved call.
	Columns func(c *plan.Call) ([]types.Field, error)
	// Run returns the generated rows of a batch and, for each, the input row it came from (ascending).
	// outer adds a row of nulls for inputs that give none.
	Run func(a *Args, outer bool) (cols []*vec.Vector, row []int32, err error)
}

// Lookup finds a function by name or alias (case-insensitive names are lowered by the caller); nil if there is none.
func Lookup(name string) *Def { return table()[name] }

// All returns the functions in order of name, aliases not repeated.
func All() []*Def { return all() }
