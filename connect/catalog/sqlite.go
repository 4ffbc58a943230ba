package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite", without cgo

	"neptune/internal/errs"
	"neptune/internal/types"
)

// SQLite is a Store in a file, which survives restarts. Several servers may
// have the same file open: each change is one transaction.
type SQLite struct {
	db *sql.DB

	mu    sync.Mutex
	cache map[[2]string]versioned // decoded tables, by the version of their row
}

type versioned struct {
	version int64
	table   *Table
}

// layout is the version of the file's tables; a file with another one isn't opened.
const layout = 1

// OpenSQLite opens a file, or makes it with the default database in it, whose folder is made too.
func OpenSQLite(path string) (*SQLite, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// Writers take the lock when they begin, and wait for each other; readers never wait.
	dsn := (&url.URL{Scheme: "file", Path: full}).String() + "?_txlock=immediate&_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	s := &SQLite{db: db, cache: map[[2]string]versioned{}}
	if err := s.init(); err != nil {
		return nil, errors.Join(fmt.Errorf("catalog file %s: %w", path, err), db.Close())
	}
	return s, nil
}

func (s *SQLite) init() error {
	return s.change(func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		switch version {
		case layout:
			return nil
		case 0:
		default:
			return fmt.Errorf("it is of version %d, and this server knows version %d", version, layout)
		}
		for _, q := range []string{
			"CREATE TABLE databases (name TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID",
			"CREATE TABLE tables (db TEXT NOT NULL REFERENCES databases(name) ON DELETE CASCADE, name TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (db, name)) WITHOUT ROWID",
			"CREATE TABLE counter (next INTEGER NOT NULL)",
			"INSERT INTO counter VALUES (1)",
			fmt.Sprintf("PRAGMA user_version = %d", layout),
		} {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		return putDatabase(tx, Database{Name: DefaultDatabase, Comment: "default database"})
	})
}

// Close closes the file.
func (s *SQLite) Close() error { return s.db.Close() }

// change runs f in a transaction.
func (s *SQLite) change(f func(*sql.Tx) error) error {
	tx, err := s.db.Begin()
	if err != nil {
		return broken(err)
	}
	if err := f(tx); err != nil {
		if e := tx.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) {
			return errors.Join(err, e)
		}
		return broken(err)
	}
	return broken(tx.Commit())
}

// broken is an error of the file; those of ours stay as they are.
func broken(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errs.As(err); ok {
		return err
	}
	return errs.Internalf("the catalog's file: %v", err)
}

// column is a column of a table in the file.
type column struct {
	Name     string
	Type     string `json:",omitempty"` // JSON of the type; "": none
	Nullable bool
	Metadata string `json:",omitempty"`
}

// document is a table in the file.
type document struct {
	Table   Table
	Schema  []column
	Columns []column `json:",omitempty"`
}

func encodeColumns(fields []types.Field) []column {
	out := make([]column, len(fields))
	for i, f := range fields {
		out[i] = column{Name: f.Name, Nullable: f.Nullable, Metadata: f.Metadata}
		if f.Type != nil {
			out[i].Type = f.Type.JSON()
		}
	}
	return out
}

func decodeColumns(cols []column) ([]types.Field, error) {
	out := make([]types.Field, len(cols))
	for i, c := range cols {
		out[i] = types.Field{Name: c.Name, Nullable: c.Nullable, Metadata: c.Metadata}
		if c.Type == "" {
			continue
		}
		t, err := types.ParseJSON(c.Type)
		if err != nil {
			return nil, err
		}
		out[i].Type = t
	}
	return out, nil
}

func encodeTable(t *Table) (string, error) {
	d := document{Table: *t, Columns: encodeColumns(t.Columns)}
	if t.Schema != nil {
		d.Schema = encodeColumns(t.Schema.Fields)
	}
	d.Table.Schema, d.Table.Columns = nil, nil
	b, err := json.Marshal(d)
	return string(b), err
}

func decodeTable(text string) (*Table, error) {
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, err
	}
	fields, err := decodeColumns(d.Schema)
	if err != nil {
		return nil, err
	}
	d.Table.Schema = types.NewStruct(fields...)
	if len(d.Columns) > 0 {
		if d.Table.Columns, err = decodeColumns(d.Columns); err != nil {
			return nil, err
		}
	}
	return &d.Table, nil
}

// Databases implements Store.
func (s *SQLite) Databases() (out []Database, err error) {
	rows, err := s.db.Query("SELECT doc FROM databases ORDER BY name")
	if err != nil {
		return nil, broken(err)
	}
	defer func() { err = errors.Join(err, broken(rows.Close())) }()
	for rows.Next() {
		var doc string
		var d Database
		if err := rows.Scan(&doc); err != nil {
			return nil, broken(err)
		}
		if err := json.Unmarshal([]byte(doc), &d); err != nil {
			return nil, broken(err)
		}
		out = append(out, d)
	}
	return out, broken(rows.Err())
}

// Database implements Store.
func (s *SQLite) Database(name string) (*Database, error) {
	var doc string
	err := s.db.QueryRow("SELECT doc FROM databases WHERE name = ?", name).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	var d Database
	if err == nil {
		err = json.Unmarshal([]byte(doc), &d)
	}
	if err != nil {
		return nil, broken(err)
	}
	return &d, nil
}

func putDatabase(tx *sql.Tx, d Database) error {
	b, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO databases (name, doc) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET doc = excluded.doc", d.Name, string(b))
	return err
}

// PutDatabase implements Store.
func (s *SQLite) PutDatabase(d Database) error {
	return s.change(func(tx *sql.Tx) error { return putDatabase(tx, d) })
}

// DropDatabase implements Store: the tables go too.
func (s *SQLite) DropDatabase(name string) error {
	return s.change(func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM databases WHERE name = ?", name)
		return err
	})
}

// Tables implements Store.
func (s *SQLite) Tables(db string) (out []*Table, err error) {
	rows, err := s.db.Query("SELECT name, version, doc FROM tables WHERE db = ? ORDER BY name", db)
	if err != nil {
		return nil, broken(err)
	}
	defer func() { err = errors.Join(err, broken(rows.Close())) }()
	for rows.Next() {
		var name, doc string
		var version int64
		if err := rows.Scan(&name, &version, &doc); err != nil {
			return nil, broken(err)
		}
		t, err := s.decoded(db, name, version, doc)
		if err != nil {
			return nil, broken(err)
		}
		out = append(out, t)
	}
	return out, broken(rows.Err())
}

// decoded keeps what a row decodes to.
func (s *SQLite) decoded(db, name string, version int64, doc string) (*Table, error) {
	k := [2]string{db, name}
	s.mu.Lock()
	c, ok := s.cache[k]
	s.mu.Unlock()
	if ok && c.version == version {
		return c.table, nil
	}
	t, err := decodeTable(doc)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cache) > 10000 {
		clear(s.cache)
	}
	s.cache[k] = versioned{version, t}
	return t, nil
}

// Table implements Store.
func (s *SQLite) Table(db, name string) (*Table, error) {
	k := [2]string{db, name}
	s.mu.Lock()
	c := s.cache[k]
	s.mu.Unlock()
	// The document isn't read again where it is the one that was decoded.
	var version int64
	var doc sql.NullString
	err := s.db.QueryRow("SELECT version, CASE WHEN version = ? THEN NULL ELSE doc END FROM tables WHERE db = ? AND name = ?", c.version, db, name).Scan(&version, &doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, broken(err)
	}
	if !doc.Valid {
		return c.table, nil
	}
	t, err := s.decoded(db, name, version, doc.String)
	return t, broken(err)
}

// put writes a table's row with a version that no row had before.
func put(tx *sql.Tx, t *Table) error {
	doc, err := encodeTable(t)
	if err != nil {
		return err
	}
	var version int64
	if err := tx.QueryRow("UPDATE counter SET next = next + 1 RETURNING next").Scan(&version); err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO tables (db, name, version, doc) VALUES (?, ?, ?, ?) ON CONFLICT (db, name) DO UPDATE SET version = excluded.version, doc = excluded.doc", t.Database, t.Name, version, doc)
	return err
}

func get(tx *sql.Tx, db, name string) (*Table, error) {
	var doc string
	err := tx.QueryRowContext(context.Background(), "SELECT doc FROM tables WHERE db = ? AND name = ?", db, name).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeTable(doc)
}

// CreateTable implements Store.
func (s *SQLite) CreateTable(t *Table) (made bool, err error) {
	err = s.change(func(tx *sql.Tx) error {
		old, err := get(tx, t.Database, t.Name)
		if err != nil || old != nil {
			return err
		}
		made = true
		return put(tx, t)
	})
	return made && err == nil, err
}

// PutTable implements Store.
func (s *SQLite) PutTable(t *Table) error {
	return s.change(func(tx *sql.Tx) error { return put(tx, t) })
}

// UpdateTable implements Store.
func (s *SQLite) UpdateTable(db, name string, change func(*Table) (*Table, error)) error {
	return s.change(func(tx *sql.Tx) error {
		old, err := get(tx, db, name)
		if err != nil {
			return err
		}
		t, err := change(old)
		if err != nil || t == nil {
			return err
		}
		return put(tx, t)
	})
}

// RenameTable implements Store.
func (s *SQLite) RenameTable(db, name, to string) (ok bool, err error) {
	err = s.change(func(tx *sql.Tx) error {
		t, err := get(tx, db, name)
		if err != nil || t == nil {
			return err
		}
		if taken, err := get(tx, db, to); err != nil || taken != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM tables WHERE db = ? AND name = ?", db, name); err != nil {
			return err
		}
		t.Name, ok = to, true
		return put(tx, t)
	})
	return ok && err == nil, err
}

// DropTable implements Store.
func (s *SQLite) DropTable(db, name string) error {
	return s.change(func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM tables WHERE db = ? AND name = ?", db, name)
		return err
	})
}
