package catalog

import (
	"slices"
	"strings"
	"sync"
)

// Memory is a Store that lives as long as the process.
type Memory struct {
	mu     sync.RWMutex
	dbs    map[string]Database
	tables map[[2]string]*Table
}

// NewMemory returns a store with the default database.
func NewMemory() *Memory {
	return &Memory{dbs: map[string]Database{DefaultDatabase: {Name: DefaultDatabase, Comment: "default database"}}, tables: map[[2]string]*Table{}}
}

// Databases implements Store.
func (m *Memory) Databases() ([]Database, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Database
	for _, d := range m.dbs {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Database) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Database implements Store.
func (m *Memory) Database(name string) (*Database, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if d, ok := m.dbs[name]; ok {
		return &d, nil
	}
	return nil, nil
}

// PutDatabase implements Store.
func (m *Memory) PutDatabase(d Database) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dbs[d.Name] = d
	return nil
}

// DropDatabase implements Store: the tables go too.
func (m *Memory) DropDatabase(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.dbs, name)
	for k := range m.tables {
		if k[0] == name {
			delete(m.tables, k)
		}
	}
	return nil
}

// Tables implements Store.
func (m *Memory) Tables(db string) ([]*Table, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []*Table
	for k, t := range m.tables {
		if k[0] == db {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *Table) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Table implements Store.
func (m *Memory) Table(db, name string) (*Table, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.tables[[2]string{db, name}], nil
}

// PutTable implements Store.
func (m *Memory) PutTable(t *Table) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tables[[2]string{t.Database, t.Name}] = t
	return nil
}

// CreateTable implements Store.
func (m *Memory) CreateTable(t *Table) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := [2]string{t.Database, t.Name}
	if m.tables[k] != nil {
		return false, nil
	}
	m.tables[k] = t
	return true, nil
}

// UpdateTable implements Store.
func (m *Memory) UpdateTable(db, name string, change func(*Table) (*Table, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := [2]string{db, name}
	t, err := change(m.tables[k])
	if err == nil && t != nil {
		m.tables[k] = t
	}
	return err
}

// RenameTable implements Store.
func (m *Memory) RenameTable(db, name, to string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	from, dest := [2]string{db, name}, [2]string{db, to}
	if m.tables[dest] != nil || m.tables[from] == nil {
		return false, nil
	}
	t := m.tables[from].Clone()
	t.Name = to
	delete(m.tables, from)
	m.tables[dest] = t
	return true, nil
}

// DropTable implements Store.
func (m *Memory) DropTable(db, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.tables, [2]string{db, name})
	return nil
}
