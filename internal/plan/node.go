package plan

import (
	"neptune/internal/errs"
	"neptune/internal/types"
)

// Node is a relation or a command. The concrete types are pointers to the
// structs of this package.
type Node interface {
	// Children are the inputs, in order; nil for leaves.
	Children() []Node
	WithChildren([]Node) Node
	// Exprs are all expressions of this node itself, in a fixed order; the
	// plans of subqueries hang on them.
	Exprs() []Expr
	WithExprs([]Expr) Node
	// Output is the columns; nil while unresolved. Ids are stable: calling it twice gives the same ones.
	Output() []*Attr
	// Info is what nodes have in common.
	Info() *Common
}

// Common is embedded by all nodes.
type Common struct {
	Origin *errs.Origin
	PlanID *int64 // of the DataFrame protocol: what df.a refers to
	// Live: in a micro-batch's plan, rows of a streaming source pass here; operators
	// with state keep theirs only then.
	Live bool
}

// Info implements Node.
func (c *Common) Info() *Common { return c }

// JoinType is the kind of a join.
type JoinType uint8

// The kinds of joins.
const (
	Inner JoinType = iota
	LeftOuter
	RightOuter
	FullOuter
	LeftSemi
	LeftAnti
	Cross
	// NullAwareAnti is NOT IN: the optimizer makes it.
	NullAwareAnti
	// Existence keeps all left rows and adds one boolean column, whether there
	// was a match (EXISTS inside OR): the optimizer makes it. Left side Single:
	// LeftSingle is a left outer join that raises SCALAR_SUBQUERY_TOO_MANY_ROWS when a row matches twice.
	Existence
	LeftSingle
)

// SetOp is the kind of a set operation.
type SetOp uint8

// The set operations.
const (
	UnionOp SetOp = iota
	IntersectOp
	ExceptOp
)

// ---- leaves

// UnresolvedTable is a table, view or file path by name: t, db.t, parquet.`/a/b`.
type UnresolvedTable struct {
	Common
	Parts     []string
	Options   map[string]string
	Streaming bool
	// NameExpr is IDENTIFIER(expr) whose expression isn't a literal: it evaluates to the name; then Parts is nil.
	NameExpr Expr
	// Temporal: FOR VERSION / TIMESTAMP AS OF.
	Version   string
	Timestamp Expr
}

// UnresolvedTVF is a table function in FROM, or LATERAL VIEW's, or spark.tvf's.
type UnresolvedTVF struct {
	Common
	Call *Call
	// ColumnNames of AS t(a, b) are put by a SubqueryAlias above.
}

// DataSource is spark.read.format(...).load(...), not yet opened.
type DataSource struct {
	Common
	Format     string // "" takes spark.sql.sources.default
	Options    map[string]string
	Paths      []string
	Schema     *types.Type // nil: infer
	SchemaDDL  string      // as the client wrote it, DDL or JSON; analyzer parses
	Streaming  bool
	Table      string   // .table(name): then Format is ""
	Predicates []string // of JDBC
}

// Relation is an opened source: files or a provider's table. Its Handle is
// what datasource.Open returned.
type Relation struct {
	Common
	Out       []*Attr
	Name      string // for EXPLAIN: "parquet", table name
	Handle    Source
	Streaming bool
	Options   map[string]string
	// Metadata is the hidden column of files, which the relation puts out only when it is asked to.
	Metadata *Attr
}

// Source is what package datasource gives for an opened relation. Planning
// asks it for statistics; the physical Scan carries it on.
type Source interface {
	Format() string
	Schema() *types.Type   // all columns, partition columns last
	PartitionColumns() int // how many of the last columns come from paths
	// Stats may read footers, and caches what it read. Columns are positions in Schema.
	Stats() Stats
}

// Stats are what a source knows of its rows without reading them.
type Stats struct {
	Rows  int64      // -1: unknown
	Bytes int64      // -1: unknown
	Cols  []ColStats // nil, or one a column
}

// ColStats are one column's statistics; values in the Go form of literals, nil when unknown.
type ColStats struct {
	Min, Max any
	Nulls    int64 // -1: unknown
	Distinct int64 // estimate; -1: unknown
	AvgBytes int
}

// LocalRelation is rows that came with the plan. Data is an Arrow IPC stream
// (or, when Batches is not nil, vectors made by the server itself: Batches are []*vec.Batch).
type LocalRelation struct {
	Common
	Out     []*Attr
	Schema  *types.Type // as declared, nil: the Arrow schema's
	Data    []byte
	Batches any
	Digest  string // of the rows, where it is known: relations with the same one have the same rows
}

// InlineTable is VALUES (...), (...).
type InlineTable struct {
	Common
	Rows  [][]Expr
	Names []string // nil: col1, col2 ...
}

// OneRow is the relation of SELECT without FROM: one row without columns.
type OneRow struct{ Common }

// Range is spark.range; partitions 0 is the default.
type Range struct {
	Common
	Start, End, Step int64
	Partitions       int
	Out              []*Attr
}

// CTERef is a use of a common table expression, by id, once resolved.
type CTERef struct {
	Common
	ID        int64
	Out       []*Attr
	Recursive bool // inside its own definition
}

// CachedRef is a use of a cached DataFrame or a cached remote relation (checkpoint): a key of the session.
type CachedRef struct {
	Common
	Key  string
	Out  []*Attr
	Data any // *vec batches by partition, known to sidecar
}

// ---- one input

// Project is SELECT list. An expression that isn't an Attr is an Alias once resolved.
type Project struct {
	Common
	List  []Expr
	Child Node
	// Pipe is the operator "SELECT" or "EXTEND" when it was |> SELECT, |> EXTEND: no aggregate functions then.
	Pipe string
}

// Filter keeps the rows where Cond is true. Having marks one that came from HAVING.
type Filter struct {
	Common
	Cond   Expr
	Child  Node
	Having bool
	// Qualify marks QUALIFY: Cond may use window functions and the names of the SELECT list below it.
	Qualify bool
}

// Aggregate groups. List is the SELECT list, of grouping expressions and
// aggregate calls mixed. Sets, when not nil, are GROUPING SETS as indexes into Group.
type Aggregate struct {
	Common
	Group []Expr
	Sets  [][]int
	// GroupKind keeps how it was written until the analyzer made Sets.
	GroupKind GroupKind
	// GroupSets are the written sets: of GROUP BY a, CUBE(b, c) each element a part.
	GroupParts []GroupPart
	List       []Expr
	Child      Node
	// ByName: DataFrame groupBy(): the output is Group followed by List.
	KeysFirst bool
	// Pipe is |> AGGREGATE.
	Pipe bool
}

// GroupKind is how GROUP BY was written.
type GroupKind uint8

// The ways of GROUP BY.
const (
	GroupPlain    GroupKind = iota
	GroupAll                // GROUP BY ALL
	GroupAnalytic           // ROLLUP, CUBE, GROUPING SETS somewhere: see GroupParts
)

// GroupPart is one element of GROUP BY: an expression, or an analytic clause.
type GroupPart struct {
	Kind   string      // "", "rollup", "cube", "sets"
	Sets   [][]Expr    // "": one set of one expression; rollup, cube: each set one element
	Nested []GroupPart // of sets: GROUPING SETS (ROLLUP(a), CUBE(b))
}

// Sort orders. Global false is sortWithinPartitions.
type Sort struct {
	Common
	Order  []SortOrder
	Global bool
	Child  Node
	All    bool // ORDER BY ALL: Order[0] has the direction
}

// Limit keeps the first N rows after Offset. N nil: all. Tail: the last N.
type Limit struct {
	Common
	N, Offset Expr
	Tail      bool
	All       bool // LIMIT ALL
	Child     Node
}

// PipeInput is what an operator behind |> takes: it sees the columns, and nothing below them.
type PipeInput struct {
	Common
	Child Node
}

// Distinct removes duplicate rows; Columns nil is all columns. Within is dropDuplicatesWithinWatermark.
type Distinct struct {
	Common
	Columns []string
	AllCols bool
	Within  bool
	Child   Node
	Keys    []*Attr // once resolved, when Columns is not nil
}

// SubqueryAlias is AS t or AS t(a, b); it sets the columns' qualifier.
type SubqueryAlias struct {
	Common
	Name    string
	Path    []string // catalog and database of a table's own name
	Columns []string
	Child   Node
}

// Generate is LATERAL VIEW, or a generator taken out of a SELECT list.
type Generate struct {
	Common
	Gen   Expr // Call
	Outer bool
	Table string
	Names []string
	Out   []*Attr // generated columns, once resolved
	Child Node
	// Required are the columns of the child that are kept; nil: all.
	Required []*Attr
}

// RowFormat is how a script's rows are lines of text (ROW FORMAT DELIMITED).
type RowFormat struct {
	Field string
	Null  string
}

// ScriptTransform is SELECT TRANSFORM, MAP and REDUCE: a script gets the rows of
// the child as lines and answers with lines, which are the rows of the result.
type ScriptTransform struct {
	Common
	Script string
	// Columns are those of the answer; none is key and value.
	Columns []types.Field
	In      RowFormat
	// Answer is how the script's rows are read.
	Answer RowFormat
	Out    []*Attr // once resolved: strings, to be cast
	Child  Node
}

// WindowNode computes window expressions; the analyzer takes them out of SELECT lists.
// All have the same partition and order. List are Aliases over Window.
type WindowNode struct {
	Common
	List      []Expr
	Partition []Expr
	Order     []SortOrder
	Child     Node
}

// Expand emits, for each input row, one row per projection (grouping sets).
type Expand struct {
	Common
	// ByRow: the rows made of an input row stay together, as those of UNPIVOT do; else their order is free.
	ByRow       bool
	Projections [][]Expr
	Out         []*Attr
	Child       Node
}

// Sample is TABLESAMPLE and df.sample. By rows: Rows is not nil.
type Sample struct {
	Common
	Lower, Upper        float64
	WithReplacement     bool
	Seed                *int64
	Deterministic       bool // sort within partitions first, as sampleBy splits do
	Rows                Expr
	BucketNum, BucketOf int
	Child               Node
}

// Hint is /*+ NAME(args) */ or df.hint.
type Hint struct {
	Common
	Name  string
	Args  []Expr
	Child Node
}

// Repartition is repartition, coalesce (Shuffle false) and repartitionByRange (By are orders).
type Repartition struct {
	Common
	N       int // 0: default
	Shuffle bool
	By      []SortOrder // Child only, when hash
	Range   bool
	// Rebalance asks for partitions of like sizes: N and By are where it starts from.
	Rebalance bool
	Child     Node
}

// ToDF renames all columns; WithColumns adds or replaces; Renamed renames some; Drop drops.
type ToDF struct {
	Common
	Names []string
	Child Node
}

// WithColumns adds columns or replaces those of the same name.
type WithColumns struct {
	Common
	Cols  []*Alias
	Child Node
	// MustExist: |> SET, which only replaces.
	MustExist bool
}

// WithColumnsRenamed renames columns that exist.
type WithColumnsRenamed struct {
	Common
	From, To []string
	Child    Node
}

// Drop removes columns: by expression or by name. Names that don't exist are ignored.
type Drop struct {
	Common
	Cols  []Expr
	Names []string
	Child Node
}

// ToSchema is df.to(schema): reorder, cast and check columns by name.
type ToSchema struct {
	Common
	Schema *types.Type
	Child  Node
}

// Pivot is PIVOT and groupBy().pivot(): Values nil asks for the distinct values.
type Pivot struct {
	Common
	Group    []Expr // nil with Implicit: all other columns (SQL)
	Implicit bool
	Column   Expr
	Values   []Expr // Literals or Aliases
	Aggs     []Expr
	Child    Node
}

// Unpivot is UNPIVOT and melt. Values are sets of columns (one each when a plain unpivot).
type Unpivot struct {
	Common
	IDs          []Expr // nil with ByValues: all columns that are not in Values
	HasIDs       bool
	Values       [][]Expr
	Aliases      []string
	VarName      string
	ValueNames   []string
	IncludeNulls bool
	Child        Node
}

// NA is df.na.fill / drop / replace and StatFunctions; Op names it by the protocol's
// relation: "fill_na", "drop_na", "replace", "describe", "summary", "crosstab", "cov", "corr",
// "approx_quantile", "freq_items", "sample_by", "show_string", "html_string", "transpose".
// The analyzer expands those that are plans; the others it refuses.
type NA struct {
	Common
	Op     string
	Cols   []string
	Exprs_ []Expr
	Args   map[string]any
	Child  Node
	Out    []*Attr // of show_string and html_string, which stay in resolved plans
}

// WithWatermark is df.withWatermark.
type WithWatermark struct {
	Common
	Column string
	Delay  string
	Child  Node
	Out    []*Attr
}

// Observe is df.observe: metrics computed on the side.
type Observe struct {
	Common
	Name    string
	Metrics []Expr
	Child   Node
}

// With is WITH ... query. Lateral CTEs are resolved by the analyzer to CTERefs,
// or inlined.
type With struct {
	Common
	Recursive bool
	CTEs      []CTE
	Child     Node
}

// CTE is one common table expression.
type CTE struct {
	Name      string
	Columns   []string
	Plan      Node
	MaxLevel  Expr // MAX RECURSION LEVEL
	ID        int64
	Recursive bool
}

// WithRelations is the protocol's WithRelations: a root and the relations that
// its subqueries reference by plan id.
type WithRelations struct {
	Common
	Root Node
	Refs []Node
}

// Parsed is spark.read.json(df) and csv(df).
type Parsed struct {
	Common
	Format  string
	Schema  *types.Type
	Options map[string]string
	Child   Node
}

// MapPartitions, GroupMap and CoGroupMap are user functions over relations.
type UDFRelation struct {
	Common
	Op     string // "map_partitions", "group_map", "cogroup_map", "apply_in_pandas_with_state"
	Group  []Expr
	Group2 []Expr
	Func   *UDF
	Args   map[string]any
	Inputs []Node
}

// Described is what DESCRIBE QUERY and the like return: handled by the server as commands.

// ---- two inputs and more

// Join joins. Using and Natural are resolved by the analyzer into Cond and a Project.
type Join struct {
	Common
	Kind    JoinType
	Cond    Expr
	Using   []string
	Natural bool
	Lateral bool
	Left    Node
	Right   Node
	// Hint on a side: "broadcast", "shuffle_hash", "merge", "shuffle_replicate_nl", "" .
	LeftHint, RightHint string
	// Exists is the column that Existence adds.
	Exists *Attr
}

// AsOfJoin is merge_asof.
type AsOfJoin struct {
	Common
	Left, Right         Node
	LeftAsOf, RightAsOf Expr
	Cond                Expr
	Using               []string
	Kind                JoinType
	Tolerance           Expr
	AllowExact          bool
	Direction           string
}

// SetOperation is UNION, INTERSECT, EXCEPT of two inputs (Union of many once flattened).
type SetOperation struct {
	Common
	Op           SetOp
	All          bool
	ByName       bool
	AllowMissing bool
	Inputs       []Node
	Out          []*Attr // once resolved: Union's own ids
}

// RecursiveLoop is a resolved recursive CTE: Anchor UNION (ALL) Recursion, in
// which CTERef(ID) stands for the rows of the last round.
type RecursiveLoop struct {
	Common
	ID       int64
	Anchor   Node
	Step     Node
	Distinct bool
	MaxLevel int
	Endless  bool // as many rows as a LIMIT above takes
	Out      []*Attr
}
