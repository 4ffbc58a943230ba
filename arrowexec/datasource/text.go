package datasource

import (
	"bytes"
	"context"
	"errors"

	"neptune/arrowexec/csvline"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// lines reads records of a text file: those that begin in a range of it.
type lines struct {
	s    *scan
	t    *textOptions
	left []byte // not read yet

	convert []convert // of CSV, by data column; nil: not wanted
	wanted  []bool    // by data column
	corrupt int       // data column for malformed records, -1: none
	count   bool      // CSV: a wrong number of fields makes a record malformed
	pending []node    // JSON: rows of an array at the top

	fields []csvline.Field
	build  []*vec.Builder // by data column; nil: not wanted
	good   []int32        // rows that aren't malformed
	cols   []*vec.Vector
}

func (s *scan) startText(c *task.Ctx, u unit) (rowSource, error) {
	data := s.files.data.Fields
	l := &lines{s: s, t: s.files.text, wanted: make([]bool, len(data)), convert: make([]convert, len(data)), corrupt: -1}
	all := true
	for _, k := range s.plan.Cols {
		if k < len(data) {
			l.wanted[k] = true
		}
	}
	for k, f := range data {
		if s.files.format != "text" && f.Name == l.t.corrupt {
			if f.Type.Kind != types.String {
				return nil, errs.New(errs.Analysis, "INVALID_CORRUPT_RECORD_TYPE", "columnName", errs.ID(f.Name), "actualType", errs.Quote(f.Type.SQL()))
			}
			l.corrupt = k
			continue
		}
		all = all && l.wanted[k]
		if !l.wanted[k] {
			continue
		}
		var err error
		switch s.files.format {
		case "csv":
			l.convert[k], err = l.t.csvConvert(f.Name, f.Type)
		case "json":
			err = jsonReads(f.Type)
		}
		if err != nil {
			return nil, err
		}
	}
	if l.corrupt >= 0 && l.wanted[l.corrupt] && s.files.inline == nil {
		only := true
		for k, w := range l.wanted {
			only = only && (!w || k == l.corrupt)
		}
		if only {
			return nil, errs.New(errs.Analysis, "UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN")
		}
	}
	// As in Spark, how many fields a record has counts only where all of them are read.
	l.count = all || !l.t.prunes
	if s.mem != nil {
		if err := s.mem.Resize(u.bytes); err != nil {
			return nil, err
		}
	}
	c.Stats.BytesIn.Add(u.bytes)
	if err := c.Do(func(context.Context) (err error) {
		l.left, err = s.files.load(u)
		return err
	}); err != nil {
		return nil, err
	}
	if s.mem != nil && int64(len(l.left)) > u.bytes {
		if err := s.mem.Resize(int64(len(l.left))); err != nil {
			return nil, err
		}
	}
	if s.files.format == "csv" && u.from == 0 && l.t.header {
		if _, ok := l.record(); ok && l.t.checks {
			if err := l.checkHeader(isTrue(conf(c, "spark.sql.caseSensitive"))); err != nil {
				return nil, err
			}
		}
	}
	return l, nil
}

// load reads the text of a unit.
func (f *Files) load(u unit) ([]byte, error) {
	if f.inline != nil {
		return f.inline, nil
	}
	path := f.files[u.file].path
	if f.splittable(u) {
		return f.text.section(path, u.from, u.to)
	}
	return f.text.content(path)
}

// record is the next record that isn't blank: a line, or what multiLine makes one. Fields of CSV are in l.fields.
func (l *lines) record() ([]byte, bool) {
	for len(l.left) > 0 {
		var line []byte
		switch {
		case l.t.whole && l.t.format == "csv":
			var n int
			if l.left[0] <= ' ' || l.t.csv.Comment != 0 && l.left[0] == l.t.csv.Comment {
				at, end := l.t.lineEnd(l.left)
				if l.t.csv.Blank(l.left[:at]) {
					l.left = l.left[at+end:]
					continue
				}
			}
			l.fields, n = l.t.csv.Split(l.left, l.fields[:0])
			line, l.left = l.left[:n], l.left[n:]
			return bytes.TrimRight(line, "\r\n"), true
		case l.t.whole:
			line, l.left = l.left, nil
			return line, true
		}
		at, n := l.t.lineEnd(l.left)
		line, l.left = l.left[:at], l.left[at+n:]
		if l.t.format == "csv" {
			if l.t.csv.Blank(line) {
				continue
			}
			l.fields, _ = l.t.csv.Split(line, l.fields[:0])
		}
		return line, true
	}
	return nil, false
}

// rows parses the next records: at most limit, more where one has several rows.
func (l *lines) rows(c *task.Ctx, limit int) (int, error) {
	for {
		l.start(limit)
		n := 0
		for ; n < limit; n++ {
			if n&31 == 31 {
				if err := c.Yield(); err != nil {
					return 0, err
				}
			}
			ok, err := l.row(n)
			if err != nil {
				return 0, err
			}
			if !ok {
				break
			}
		}
		if n == 0 {
			return 0, nil
		}
		l.cols = l.cols[:0]
		for _, b := range l.build {
			var v *vec.Vector
			if b != nil {
				v = b.Finish()
			}
			l.cols = append(l.cols, v)
		}
		if l.t.mode != "DROPMALFORMED" || len(l.good) == n {
			return n, nil
		}
		if n = len(l.good); n == 0 {
			continue
		}
		for i, v := range l.cols {
			if v != nil {
				l.cols[i] = (&vec.Batch{N: n, Cols: []*vec.Vector{v}, Sel: l.good}).Compact().Cols[0]
			}
		}
		return n, nil
	}
}

func (l *lines) start(limit int) {
	l.build, l.good = l.build[:0], l.good[:0]
	for k, f := range l.s.files.data.Fields {
		var b *vec.Builder
		if l.wanted[k] {
			b = vec.NewBuilder(f.Type, limit)
		}
		l.build = append(l.build, b)
	}
}

// row appends row n; false: there are no more.
func (l *lines) row(n int) (bool, error) {
	var line []byte
	bad := false
	if len(l.pending) == 0 {
		var ok bool
		if line, ok = l.record(); !ok {
			return false, nil
		}
	}
	switch l.t.format {
	case "text":
		if l.build[0] != nil {
			l.build[0].AppendBytes(line)
		}
		return true, nil
	case "csv":
		if err := l.t.tooLong(l.fields, line); err != nil {
			return false, &malformedError{err}
		}
		bad = l.csvRow()
	case "json":
		var ok bool
		var err error
		if ok, bad, line, err = l.jsonRow(line); err != nil {
			return false, err
		}
		if !ok { // a blank line
			return l.row(n)
		}
	}
	if bad && l.t.mode == "FAILFAST" {
		return false, malformed(line)
	}
	if !bad {
		l.good = append(l.good, int32(n))
	}
	if l.corrupt >= 0 && l.build[l.corrupt] != nil {
		if bad {
			l.build[l.corrupt].AppendBytes(line)
		} else {
			l.build[l.corrupt].AppendNull()
		}
	}
	return true, nil
}

// csvRow appends l.fields, null where a field is missing or no value of its column's type.
func (l *lines) csvRow() (bad bool) {
	at := 0 // field
	for k, b := range l.build {
		if k == l.corrupt {
			continue
		}
		i := at
		at++
		if b == nil {
			continue
		}
		if i >= len(l.fields) {
			b.AppendNull()
			continue
		}
		text, null := l.t.csv.Value(l.fields[i])
		if null || !l.convert[k](b, text) {
			b.AppendNull()
			bad = bad || !null
		}
	}
	return bad || l.count && at != len(l.fields)
}

// jsonRow appends an object, or the next of an array of them. ok is false
// where the line is blank. record is what a malformed record is shown as.
func (l *lines) jsonRow(line []byte) (ok, bad bool, record []byte, err error) {
	var n node
	if len(l.pending) > 0 {
		n, l.pending = l.pending[0], l.pending[1:]
		line = n.raw
	} else {
		var syntax error
		if n, ok, syntax = parseJSON(line, &l.t.json); !ok {
			return false, false, nil, nil
		}
		if syntax != nil || !utf8Line(line) {
			n = node{}
		}
		if n.kind == '[' {
			for i := range n.kids {
				if k := n.kids[i].kind; k != '{' && k != 'n' {
					n.kids, n.kind = nil, 'x' // an array of something else is one malformed record
					break
				}
			}
			if n.kind == '[' {
				if len(n.kids) == 0 {
					return false, false, nil, nil
				}
				n, l.pending = n.kids[0], n.kids[1:]
			}
		}
	}
	var values types.StructValue
	if n.kind == '{' {
		var f fit
		if values, f = l.t.jsonFields(&n, l.s.files.data.Fields, l.wanted); f != fits {
			bad = true
		}
	} else {
		bad = true
	}
	for k, b := range l.build {
		if b == nil || k == l.corrupt {
			continue
		}
		if values == nil {
			b.AppendNull()
		} else if err := b.AppendValue(values[k]); err != nil {
			return false, false, nil, err
		}
	}
	return true, bad, line, nil
}

func utf8Line(b []byte) bool { return !bytes.Contains(b, []byte{0}) }

// malformed is the cause that FAILFAST gives.
func malformed(line []byte) error {
	return &malformedError{errs.New(errs.Execution, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", string(line), "failFastMode", "FAILFAST")}
}

// malformedError keeps the error apart from those that are the answer
// themselves: Spark reports FAILED_READ_FILE, and this one as its cause.
type malformedError struct{ cause *errs.Error }

func (e *malformedError) Error() string { return e.cause.Error() }

func (l *lines) column(_ *task.Ctx, i, n int) (*vec.Vector, error) {
	k := l.s.plan.Cols[i]
	if k >= len(l.s.files.data.Fields) {
		return vec.Repeat(l.s.types[i], l.s.files.values[l.s.at][k-len(l.s.files.data.Fields)], n)
	}
	return l.cols[k], nil
}

func (l *lines) pick(c *task.Ctx, i, n int, at []int32) (*vec.Vector, error) {
	v, err := l.column(c, i, n)
	if err != nil {
		return nil, err
	}
	return v.Gather(at), nil
}

func (l *lines) skip(*task.Ctx, int, int) error { return nil }
func (l *lines) close()                         {}

func isTrue(s string) bool { return len(s) == 4 && bytes.EqualFold([]byte(s), []byte("true")) }

// inferText finds the columns of CSV and JSON files from all their rows.
func (f *Files) inferText(ctx context.Context) (*types.Type, error) {
	t := f.text
	out := types.NewStruct()
	for i, file := range f.files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if file.size == 0 {
			continue
		}
		buf, err := f.load(unit{file: i, bytes: file.size, to: file.size})
		if err != nil {
			if _, ok := errs.As(err); ok {
				return nil, err
			}
			return nil, errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", "file://"+file.path).Because(err)
		}
		l := &lines{t: t, left: buf}
		if f.format == "json" {
			if out, err = l.inferJSON(out); err != nil {
				return nil, err
			}
			continue
		}
		for first := true; ; first = false {
			line, ok := l.record()
			if !ok {
				break
			}
			if err := t.tooLong(l.fields, line); err != nil {
				return nil, err
			}
			if len(out.Fields) == 0 {
				for _, name := range csvNames(l.fields, &t.csv, t.header) {
					out.Fields = append(out.Fields, types.Field{Name: name, Nullable: true})
				}
			}
			if !t.infer {
				break
			}
			if first && t.header {
				continue
			}
			for i := range out.Fields {
				if i < len(l.fields) {
					if text, null := t.csv.Value(l.fields[i]); !null {
						out.Fields[i].Type = csvWider(out.Fields[i].Type, t.csvType(string(text)))
					}
				}
			}
		}
		if !t.infer && len(out.Fields) > 0 {
			break
		}
	}
	if f.format == "csv" {
		for i := range out.Fields {
			if out.Fields[i].Type == nil {
				out.Fields[i].Type = types.StringType
			}
		}
		return out, nil
	}
	if t.json.dropNulls {
		out = dropEmpty(out)
	}
	if out = settle(out); out == nil {
		out = types.NewStruct()
	}
	return out, nil
}

// inferJSON adds the columns of a file's records to out.
func (l *lines) inferJSON(out *types.Type) (*types.Type, error) {
	for {
		line, ok := l.record()
		if !ok {
			return out, nil
		}
		n, ok, err := parseJSON(line, &l.t.json)
		if !ok {
			continue
		}
		objects := []node{n}
		if n.kind == '[' {
			objects = n.kids
		}
		bad := err != nil
		for i := range objects {
			bad = bad || objects[i].kind != '{' && objects[i].kind != 'n'
		}
		if bad {
			switch l.t.mode {
			case "FAILFAST":
				return nil, errs.New(errs.Execution, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", corruptColumn, "failFastMode", "FAILFAST")
			case "PERMISSIVE":
				out = mergeJSON(out, types.NewStruct(types.Field{Name: l.t.corrupt, Type: types.StringType, Nullable: true}))
			}
			continue
		}
		for i := range objects {
			x, err := l.t.jsonType(&objects[i])
			if err != nil {
				return nil, err
			}
			out = mergeJSON(out, x)
		}
	}
}

// asMalformed finds the cause of FAILFAST in an error.
func asMalformed(err error) *errs.Error {
	var m *malformedError
	if errors.As(err, &m) {
		return m.cause
	}
	return nil
}
