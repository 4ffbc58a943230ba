package plan

import "neptune/internal/types"

// Command is a statement that does something. Its result, if any, is rows of a
// fixed schema; the server carries it out eagerly.
type Command struct {
	Common
	// Kind names it: "set", "reset", "use", "create_view", "drop_view",
	// "drop_table", "show_tables", "show_views", "show_databases", "show_columns",
	// "show_functions", "show_catalogs", "show_create_table", "show_tblproperties",
	// "show_partitions", "describe_table", "describe_query", "describe_function",
	// "describe_database", "explain", "cache", "uncache", "clear_cache", "refresh",
	// "create_database", "drop_database", "create_table", "insert", "set_catalog",
	// "set_timezone", "analyze_table", "truncate", "comment", "declare_variable",
	// "set_variable", "drop_variable", "create_function", "drop_function", ...
	Kind string
	// Name is the object's multi-part name.
	Name []string
	// Query is the inner query or statement: of EXPLAIN, CREATE VIEW, CTAS, INSERT, CACHE, DESCRIBE QUERY.
	Query Node
	// Text is the source text of Query (CREATE VIEW keeps it).
	Text string
	// Mode: of EXPLAIN "", "extended", "codegen", "cost", "formatted".
	Mode string
	// Flags and Args hold the rest; each kind documents its keys where the parser makes it:
	// "if_exists", "if_not_exists", "or_replace", "temporary", "global", "lazy", "extended", "purge", "cascade" ...
	Flags map[string]bool
	Args  map[string]string
	// Columns of CREATE VIEW (names, comments) and CREATE TABLE; Exprs_ whatever expressions it has.
	Columns []types.Field
	Exprs_  []Expr
	// More are the statements that a statement is made of ("multi_insert").
	More []*Command
	// Script is what "script" runs.
	Script *Script
}

// Write is df.write...save(), saveAsTable, insertInto and writeTo.
type Write struct {
	Common
	Child       Node
	Format      string
	Mode        string // "append", "overwrite", "errorifexists", "ignore"
	Path        string
	Table       []string
	Insert      bool // insertInto, by position
	Sort        []string
	PartitionBy []string
	Buckets     int
	BucketBy    []string
	Options     map[string]string
	// V2 of writeTo: "create", "replace", "create_or_replace", "append", "overwrite", "overwrite_partitions".
	V2        string
	Condition Expr
}

// Children implements Node: none, the analyzer treats Query by Kind.
func (n *Command) Children() []Node { return nil }

// WithChildren implements Node.
func (n *Command) WithChildren([]Node) Node { return n }

// Exprs implements Node.
func (n *Command) Exprs() []Expr { return n.Exprs_ }

// WithExprs implements Node.
func (n *Command) WithExprs(k []Expr) Node {
	c := *n
	c.Exprs_ = k
	return &c
}

// Output implements Node.
func (n *Command) Output() []*Attr { return nil }
