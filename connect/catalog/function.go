package catalog

import (
	"sort"
	"strings"
	"sync"
	"time"

	"neptune/internal/types"
)

// Function is a function of SQL text (CREATE FUNCTION ... RETURN).
type Function struct {
	Name     string
	Database string // "" of a temporary one
	Params   []types.Field
	Defaults map[string]string // texts, by parameter
	// Table: it gives a relation, with these Columns, or those of the body if there are none.
	Table   bool
	Columns []types.Field
	Returns *types.Type // of a scalar function
	Body    string
	Query   bool // Body is a query, not an expression
	Comment string
	// Deterministic as declared, "": not said. Data is contains or reads.
	Deterministic, Data string
	// Random: as declared, or else as the body is.
	Random  bool
	Created time.Time
	// Class is the Java class of a function that isn't SQL text; it can be listed and dropped, not called.
	Class string
	// Path is where the body finds what it names, if SET PATH said so when the function was made.
	Path [][]string
	// ANSI is the mode in which it was made.
	ANSI *bool
}

// functionTable has functions by name, in lower case. The zero value is empty.
type functionTable struct {
	mu sync.RWMutex
	m  map[string]*Function
}

func (t *functionTable) get(key string) *Function {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.m[strings.ToLower(key)]
}

func (t *functionTable) put(key string, f *Function) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m = map[string]*Function{}
	}
	t.m[strings.ToLower(key)] = f
}

func (t *functionTable) drop(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.m[strings.ToLower(key)]
	delete(t.m, strings.ToLower(key))
	return ok
}

func (t *functionTable) all() (out []*Function) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, f := range t.m {
		out = append(out, f)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// SQLFunction finds a function of SQL text by name: a temporary one, or one of a database.
func (s *Session) SQLFunction(parts []string) *Function {
	name := parts[len(parts)-1]
	path := parts[:len(parts)-1]
	if _, ok := VariableName(parts); ok {
		if f := s.temp.get(name); f != nil {
			return f
		}
		if len(path) > 0 {
			return nil
		}
	}
	db, name, ok := s.Resolve(parts)
	if !ok {
		return nil
	}
	return s.functions.get(db + "." + name)
}

// TempSQLFunction finds a temporary function of SQL text.
func (s *Session) TempSQLFunction(name string) *Function { return s.temp.get(name) }

// PutSQLFunction keeps f, in place of what had its name.
func (s *Session) PutSQLFunction(f *Function) {
	if f.Database == "" {
		s.temp.put(f.Name, f)
	} else {
		s.functions.put(f.Database+"."+f.Name, f)
	}
}

// DropSQLFunction reports whether there was one; db is "" for temporary ones.
func (s *Session) DropSQLFunction(db, name string) bool {
	if db == "" {
		return s.temp.drop(name)
	}
	return s.functions.drop(db + "." + name)
}

// SQLFunctions lists the temporary functions and those of a database.
func (s *Session) SQLFunctions(db string) []*Function {
	out := s.temp.all()
	for _, f := range s.functions.all() {
		if strings.EqualFold(f.Database, db) {
			out = append(out, f)
		}
	}
	return out
}
