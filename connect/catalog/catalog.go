// Package catalog keeps databases, tables, views, functions and variables: the
// shared part in a Catalog behind Store, the session's own in a Session.
package catalog

import (
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/sqlpath"
	"neptune/internal/types"
)

// Names of the only catalog and of the database there is at the start.
const (
	DefaultCatalog  = "spark_catalog"
	DefaultDatabase = "default"
	GlobalTemp      = "global_temp"
)

// Table is a table or a view of the shared catalog.
type Table struct {
	Database, Name string
	// View holds a view's text; "" for tables. Columns are its column names and comments, if given.
	View    string
	IsView  bool
	Columns []types.Field
	// Of tables.
	Provider   string
	Location   string
	Options    map[string]string
	Schema     *types.Type
	Partitions []string
	Managed    bool
	Comment    string
	Properties map[string]string
	// Of CLUSTERED BY (BucketBy) SORTED BY (SortBy) INTO Buckets; 0: none.
	BucketBy, SortBy []string
	Buckets          int
	// Parts are the partitions of a partitioned table, in no order: what isn't here isn't read, wherever its folder lies.
	Parts []Partition
	// Stats are what ANALYZE TABLE found; nil: nothing.
	Stats   *Stats
	Created time.Time
	// Of views: the database that was current when it was made, the names of the query's columns,
	// and how the schema follows that of the query: BINDING, COMPENSATION, TYPE EVOLUTION or EVOLUTION.
	Current      string
	QueryColumns []string
	// Path is where the text of a view finds what it names, if SET PATH said so when it was made.
	Path [][]string `json:",omitempty"`
	// ANSI is the mode in which a view was made; nil: whichever the session has.
	ANSI       *bool `json:",omitempty"`
	SchemaMode string
}

// Partition is one partition of a table.
type Partition struct {
	// Values are those of the partition columns as the folders have them, unescaped.
	Values []string
	// Location is a folder elsewhere; "" is the one below the table's that the values name.
	Location   string `json:",omitempty"`
	Created    time.Time
	Properties map[string]string `json:",omitempty"`
	Stats      *Stats            `json:",omitempty"`
}

// Stats are the statistics of a table or a partition.
type Stats struct {
	Bytes int64
	Rows  int64 // -1: not counted
	// Columns are by name.
	Columns map[string]ColumnStats `json:",omitempty"`
}

// ColumnStats are those of one column; Min and Max as CAST to STRING gives them, nil for none.
type ColumnStats struct {
	Min, Max       *string
	Nulls          int64
	Distinct       int64
	AvgLen, MaxLen int64
}

// Clone is a copy that may be changed: tables in a Store are never written to.
func (t *Table) Clone() *Table {
	c := *t
	c.Columns = slices.Clone(t.Columns)
	c.Options, c.Properties = maps.Clone(t.Options), maps.Clone(t.Properties)
	c.Parts = slices.Clone(t.Parts)
	if c.Properties == nil {
		c.Properties = map[string]string{}
	}
	if c.Options == nil {
		c.Options = map[string]string{}
	}
	return &c
}

// Kind is the type of table as Spark names it: MANAGED, EXTERNAL or VIEW.
func (t *Table) Kind() string {
	switch {
	case t.IsView:
		return "VIEW"
	case t.Managed:
		return "MANAGED"
	}
	return "EXTERNAL"
}

// Database is a namespace.
type Database struct {
	Name, Comment, Location string
	Properties              map[string]string
}

// Store is where the shared part lives. It must be safe for concurrent use.
// Names arrive lower-cased.
type Store interface {
	Databases() ([]Database, error)
	Database(name string) (*Database, error) // nil: none
	PutDatabase(d Database) error
	DropDatabase(name string) error
	Tables(db string) ([]*Table, error)
	Table(db, name string) (*Table, error) // nil: none
	// CreateTable reports false, and does nothing, where there is a table or a view of that name.
	CreateTable(t *Table) (bool, error)
	PutTable(t *Table) error
	// UpdateTable changes a table in one step; change gets the table as it is, or nil, and returns what comes in its place, nil to leave it.
	UpdateTable(db, name string, change func(*Table) (*Table, error)) error
	// RenameTable reports false, and does nothing, where the new name is taken.
	RenameTable(db, name, to string) (bool, error)
	DropTable(db, name string) error
}

// View is a temporary view: its resolved plan, and the text for DESCRIBE.
type View struct {
	Name  string
	Plan  plan.Node // unresolved when Text is not "", else analyzed
	Text  string
	Cols  []types.Field
	Types *types.Type
	// Collation is the default collation of the text's strings, "" for none.
	Collation string
}

// Catalog is shared by all sessions of a server.
type Catalog struct {
	Store
	mu     sync.RWMutex
	global map[string]*View
	// functions are those of SQL text, by database.name.
	functions functionTable
}

// New returns a catalog over a store; nil takes one in memory.
func New(s Store) *Catalog {
	if s == nil {
		s = NewMemory()
	}
	return &Catalog{Store: s, global: map[string]*View{}}
}

// Session is one session's view of the catalog. Safe for concurrent use.
type Session struct {
	*Catalog
	mu    sync.RWMutex
	db    string
	views map[string]*View
	vars  map[string]Variable
	funcs map[string]*plan.UDF
	temp  functionTable // SQL functions
	path  []sqlpath.Entry
}

// SetPath is SET PATH; the list has schemas and current ones only.
func (s *Session) SetPath(list []sqlpath.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.path = list
}

// Path is what SET PATH said, nil if it didn't.
func (s *Session) Path() []sqlpath.Entry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.path
}

// Variable is a session variable.
type Variable struct {
	Name    string
	Type    *types.Type
	Value   any
	Default plan.Expr
}

// NewSession returns a session layer over c.
func NewSession(c *Catalog) *Session {
	return &Session{Catalog: c, db: DefaultDatabase, views: map[string]*View{}, vars: map[string]Variable{}, funcs: map[string]*plan.UDF{}}
}

// In is a session layer that has nothing of its own and db as its database: what the text of a view is resolved in.
func (s *Session) In(db string) *Session {
	c := NewSession(s.Catalog)
	c.db = db
	return c
}

// Clone copies the session's own part (CloneSession).
func (s *Session) Clone() *Session {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := NewSession(s.Catalog)
	c.db, c.path = s.db, s.path
	for k, v := range s.views {
		c.views[k] = v
	}
	for k, v := range s.vars {
		c.vars[k] = v
	}
	for k, v := range s.funcs {
		c.funcs[k] = v
	}
	for _, f := range s.temp.all() {
		c.temp.put(f.Name, f)
	}
	return c
}

// Current returns the current catalog and database.
func (s *Session) Current() (cat, db string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return DefaultCatalog, s.db
}

// Use makes a database current.
func (s *Session) Use(db string) error {
	d, err := s.Database(strings.ToLower(db))
	if err != nil {
		return err
	}
	if d == nil && !strings.EqualFold(db, GlobalTemp) {
		return noSchema(db)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.db = strings.ToLower(db)
	return nil
}

func noSchema(db string) error {
	return errs.New(errs.NoSuchDatabase, "SCHEMA_NOT_FOUND", "schemaName", errs.ID(DefaultCatalog, db))
}

// TempView finds a temporary view: by one part, behind session or system.session, or global_temp.name; nil if there is none.
func (s *Session) TempView(parts []string) *View {
	if name, ok := VariableName(parts); ok {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.views[strings.ToLower(name)]
	}
	switch {
	case len(parts) == 2 && strings.EqualFold(parts[0], GlobalTemp):
		s.Catalog.mu.RLock()
		defer s.Catalog.mu.RUnlock()
		return s.global[strings.ToLower(parts[1])]
	}
	return nil
}

// CreateTempView keeps v; global ones are shared by all sessions.
func (s *Session) CreateTempView(v *View, global, replace bool) error {
	m, mu := s.views, &s.mu
	if global {
		m, mu = s.global, &s.Catalog.mu
	}
	mu.Lock()
	defer mu.Unlock()
	k := strings.ToLower(v.Name)
	if _, ok := m[k]; ok && !replace {
		return errs.New(errs.TempTableExists, "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", errs.ID(v.Name))
	}
	m[k] = v
	return nil
}

// DropTempView reports whether there was one.
func (s *Session) DropTempView(name string, global bool) bool {
	m, mu := s.views, &s.mu
	if global {
		m, mu = s.global, &s.Catalog.mu
	}
	mu.Lock()
	defer mu.Unlock()
	k := strings.ToLower(name)
	_, ok := m[k]
	delete(m, k)
	return ok
}

// TempViews lists the session's temporary views, or the global ones, by name.
func (s *Session) TempViews(global bool) []*View {
	m, mu := s.views, &s.mu
	if global {
		m, mu = s.global, &s.Catalog.mu
	}
	mu.RLock()
	defer mu.RUnlock()
	var out []*View
	for _, v := range m {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b *View) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Resolve splits a table's name into database and name, as the session sees it.
// ok is false when it names another catalog.
func (s *Session) Resolve(parts []string) (db, name string, ok bool) {
	_, cur := s.Current()
	switch len(parts) {
	case 1:
		return cur, strings.ToLower(parts[0]), true
	case 2:
		return strings.ToLower(parts[0]), strings.ToLower(parts[1]), true
	case 3:
		if strings.EqualFold(parts[0], DefaultCatalog) {
			return strings.ToLower(parts[1]), strings.ToLower(parts[2]), true
		}
	}
	return "", "", false
}

// SetVariable declares or sets a session variable.
func (s *Session) SetVariable(v Variable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vars[strings.ToLower(v.Name)] = v
}

// DropVariable reports whether there was one.
func (s *Session) DropVariable(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.vars[strings.ToLower(name)]
	delete(s.vars, strings.ToLower(name))
	return ok
}

// RegisterFunction keeps a user function (spark.udf.register).
func (s *Session) RegisterFunction(f *plan.UDF) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.funcs[strings.ToLower(f.Name)] = f
}

// Function finds a user function, nil if there is none.
func (s *Session) Function(parts []string) *plan.UDF {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.funcs[strings.ToLower(parts[len(parts)-1])]
}

// Functions lists the names of the user functions.
func (s *Session) Functions() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []string
	for n := range s.funcs {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}
