package plan

import "neptune/internal/errs"

// Script is BEGIN ... END: statements with their own variables, conditions and handlers.
type Script struct {
	Label      string
	Conditions map[string]string // declared ones in upper case, with their SQLSTATEs
	Handlers   []*ScriptHandler
	Body       []*ScriptStatement
}

// ScriptHandler is DECLARE ... HANDLER FOR ...
type ScriptHandler struct {
	Continue bool
	// Conditions are names in upper case, declared in the script or Spark's own; States are SQLSTATEs.
	Conditions, States []string
	// Any is FOR SQLEXCEPTION, NotFound FOR NOT FOUND.
	Any, NotFound bool
	Body          *Script
}

// ScriptKind is what a statement of a script does.
type ScriptKind uint8

// The statements.
const (
	ScriptRun     ScriptKind = iota // Node: a query or a command
	ScriptBlock                     // Block
	ScriptIf                        // Conds with Blocks, Else
	ScriptCase                      // the same, with Subject = each of Conds if there is one
	ScriptWhile                     // Conds[0], Block
	ScriptRepeat                    // Block, Conds[0]
	ScriptLoop                      // Block
	ScriptFor                       // Label is the row's name, Node the query, Block
	ScriptLeave                     // Label
	ScriptIterate                   // Label
)

// ScriptStatement is one statement of a script.
type ScriptStatement struct {
	Kind ScriptKind
	// Label is that of a loop or a block, or the one that LEAVE and ITERATE name; Row is the name of FOR's row.
	Label, Row string
	Node       Node
	Subject    Expr
	Conds      []Expr
	Texts      []string // of Conds
	Blocks     []*Script
	Block      *Script
	Else       *Script
	Origin     *errs.Origin
}
