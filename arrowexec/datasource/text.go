package datasource

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// splittable reports whether several tasks may read u's file.
func (f *Files) splittable(u unit) bool { return f.format != "parquet" }

// lines reads the lines of a range of a text file: those that begin inside it.
type lines struct {
	s     *scan
	buf   []byte // the range and the rest of its last line
	at    int
	limit int // lines that begin at or after it are the next task's
	conf  *fn.Conf

	window [][]byte
	cols   []*vec.Vector
	mode   string
	casts  []expr.Evaluator
}

// readRange reads from..to and on to the end of the line that is open at to.
func readRange(path string, from, to int64) (buf []byte, skip int, err error) {
	fh, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer fh.Close()
	start := max(0, from-1) // the byte before says whether a line begins at from
	buf = make([]byte, to-start)
	n, err := fh.ReadAt(buf, start)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	buf = buf[:n]
	if from > 0 {
		i := bytes.IndexByte(buf, '\n')
		if i < 0 {
			return nil, 0, nil
		}
		skip = i + 1
	}
	if skip >= int(to-start) || len(buf) > 0 && buf[len(buf)-1] == '\n' {
		return buf, skip, nil
	}
	r := bufio.NewReaderSize(io.NewSectionReader(fh, start+int64(n), math.MaxInt64-start-int64(n)), 64<<10)
	tail, err := r.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	return append(buf, tail...), skip, nil
}

func (s *scan) startText(c *task.Ctx, u unit) (rowSource, error) {
	info := s.files.files[u.file]
	if n := strings.ToLower(info.path); strings.HasSuffix(n, ".gz") || strings.HasSuffix(n, ".bz2") || strings.HasSuffix(n, ".zst") || strings.HasSuffix(n, ".snappy") || strings.HasSuffix(n, ".lz4") {
		return nil, errs.NotSupported("compressed files of format " + s.files.format)
	}
	l := &lines{s: s, mode: strings.ToUpper(s.files.opts["mode"]), conf: &fn.Conf{}}
	if c.Conf != nil {
		l.conf = &fn.Conf{TimeZone: c.Conf.TimeZone, ANSI: c.Conf.ANSI, Keys: c.Conf.Keys}
	}
	if s.mem != nil {
		if err := s.mem.Resize(u.bytes); err != nil {
			return nil, err
		}
	}
	c.Stats.BytesIn.Add(u.bytes)
	if err := c.Do(func(context.Context) (err error) {
		l.buf, l.at, err = readRange(info.path, u.from, u.to)
		return err
	}); err != nil {
		return nil, err
	}
	l.limit = len(l.buf)
	if l.at >= int(u.to-max(0, u.from-1)) {
		l.at = l.limit // a line that began before goes over the whole range
	}
	if s.files.format == "csv" && u.from == 0 && isTrue(s.files.opts["header"]) {
		l.next()
	}
	if s.files.format == "json" {
		if err := jsonReads(s.files.data); err != nil {
			return nil, err
		}
	}
	env := expr.NewEnv(l.conf, s.partition, c.Yield)
	l.casts = make([]expr.Evaluator, len(s.types))
	for i, t := range s.types {
		if s.files.format == "csv" && t.Kind != types.String && s.plan.Cols[i] < len(s.files.data.Fields) {
			mode := plan.Try
			if l.mode == "FAILFAST" {
				mode = plan.ANSI
			}
			e, err := expr.Compile(&plan.Cast{Child: &plan.Bound{Index: 0, T: types.StringType, Null: true}, To: t, Mode: mode}, env)
			if err != nil {
				return nil, err
			}
			l.casts[i] = e
		}
	}
	return l, nil
}

func isTrue(s string) bool { return strings.EqualFold(s, "true") }

func (l *lines) next() ([]byte, bool) {
	if l.at >= l.limit {
		return nil, false
	}
	b := l.buf[l.at:]
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[:i]
	}
	l.at += len(b) + 1
	return bytes.TrimSuffix(b, []byte{'\r'}), true
}

func (l *lines) rows(c *task.Ctx, limit int) (int, error) {
	for {
		l.window = l.window[:0]
		for len(l.window) < limit {
			b, ok := l.next()
			if !ok {
				break
			}
			if l.s.files.format != "text" && len(bytes.TrimSpace(b)) == 0 {
				continue
			}
			if m := l.s.files.opts["comment"]; m != "" && l.s.files.format == "csv" && bytes.HasPrefix(b, []byte(m)) {
				continue
			}
			l.window = append(l.window, b)
			if len(l.window)&1023 == 0 {
				if err := c.Yield(); err != nil {
					return 0, err
				}
			}
		}
		if len(l.window) == 0 {
			return 0, nil
		}
		n, err := l.parse(c)
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// parse fills cols from the window and returns the rows, fewer when malformed ones are dropped.
func (l *lines) parse(c *task.Ctx) (int, error) {
	f := l.s.files
	builders := make([]*vec.Builder, len(f.data.Fields))
	wanted := make([]bool, len(builders))
	for _, k := range l.s.plan.Cols {
		if k < len(builders) {
			wanted[k] = true
		}
	}
	for i := range builders {
		t := f.data.Fields[i].Type
		if f.format == "csv" {
			t = types.StringType
		}
		builders[i] = vec.NewBuilder(t, len(l.window))
	}
	n := 0
	var fields []csvField
	dialect := newDialect(f.opts)
	for k, line := range l.window {
		if k&255 == 255 {
			if err := c.Yield(); err != nil {
				return 0, err
			}
		}
		switch f.format {
		case "text":
			if len(builders) > 0 {
				builders[0].AppendBytes(line)
			}
		case "csv":
			fields = dialect.split(line, fields[:0])
			if len(fields) != len(builders) {
				switch l.mode {
				case "FAILFAST":
					return 0, malformed(line)
				case "DROPMALFORMED":
					continue
				}
			}
			for i, b := range builders {
				if i >= len(fields) || dialect.isNull(fields[i]) {
					b.AppendNull()
				} else {
					b.AppendBytes(fields[i].text)
				}
			}
		case "json":
			obj, err := parseObject(line)
			if err != nil {
				switch l.mode {
				case "FAILFAST":
					return 0, malformed(line)
				case "DROPMALFORMED":
					continue
				}
			}
			for i, b := range builders {
				var x any
				if f.data.Fields[i].Name == corruptColumn {
					if err != nil {
						x = string(line)
					}
				} else if wanted[i] {
					x = jsonValue(obj[f.data.Fields[i].Name], f.data.Fields[i].Type, l.conf)
				}
				if err := b.AppendValue(x); err != nil {
					return 0, err
				}
			}
		}
		n++
	}
	l.cols = l.cols[:0]
	for _, b := range builders {
		l.cols = append(l.cols, b.Finish())
	}
	return n, nil
}

func malformed(line []byte) error {
	return errs.New(errs.Execution, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", string(line), "failFastMode", "FAILFAST")
}

func (l *lines) column(_ *task.Ctx, i, n int) (*vec.Vector, error) {
	k := l.s.plan.Cols[i]
	if k >= len(l.s.files.data.Fields) {
		return vec.Repeat(l.s.types[i], l.s.files.values[l.s.at][k-len(l.s.files.data.Fields)], n)
	}
	v := l.cols[k]
	if l.casts[i] != nil {
		return l.casts[i].Eval(&vec.Batch{N: n, Cols: []*vec.Vector{v}})
	}
	return v, nil
}

func (l *lines) skip(*task.Ctx, int, int) error { return nil }
func (l *lines) close()                         {}

// dialect is how CSV is written.
type dialect struct {
	sep, quote, escape byte
	null               string
	trimLeft, trimRt   bool
}

type csvField struct {
	text   []byte
	quoted bool
}

func newDialect(o map[string]string) dialect {
	d := dialect{sep: ',', quote: '"', escape: '\\', null: o["nullvalue"], trimLeft: isTrue(o["ignoreleadingwhitespace"]), trimRt: isTrue(o["ignoretrailingwhitespace"])}
	one := func(to *byte, names ...string) {
		for _, n := range names {
			switch v := o[n]; {
			case v == `\t`:
				*to = '\t'
			case v != "":
				*to = v[0]
			}
		}
	}
	one(&d.sep, "delimiter", "sep")
	one(&d.quote, "quote")
	one(&d.escape, "escape")
	return d
}

func (d *dialect) isNull(f csvField) bool { return !f.quoted && string(f.text) == d.null }

// split cuts a line into fields. Texts share the line unless they were escaped.
func (d *dialect) split(line []byte, out []csvField) []csvField {
	for {
		if len(line) > 0 && line[0] == d.quote {
			var text []byte
			i := 1
			for i < len(line) {
				switch {
				case i+1 < len(line) && line[i] == d.escape && (line[i+1] == d.quote || line[i+1] == d.escape):
					text = append(text, line[i+1])
					i += 2
					continue
				case line[i] == d.quote && i+1 < len(line) && line[i+1] == d.quote:
					text = append(text, d.quote)
					i += 2
					continue
				}
				if line[i] == d.quote {
					break
				}
				text = append(text, line[i])
				i++
			}
			out = append(out, csvField{text, true})
			j := bytes.IndexByte(line[min(i, len(line)):], d.sep)
			if j < 0 {
				return out
			}
			line = line[i+j+1:]
			continue
		}
		i := bytes.IndexByte(line, d.sep)
		field := line
		if i >= 0 {
			field = line[:i]
		}
		if d.trimLeft {
			field = bytes.TrimLeft(field, " \t")
		}
		if d.trimRt {
			field = bytes.TrimRight(field, " \t")
		}
		out = append(out, csvField{field, false})
		if i < 0 {
			return out
		}
		line = line[i+1:]
	}
}

func parseObject(line []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	return m, nil
}

// jsonValue is x as a literal of t, or nil where it isn't one (PERMISSIVE).
func jsonValue(x any, t *types.Type, conf *fn.Conf) any {
	switch v := x.(type) {
	case nil:
		return nil
	case bool:
		switch t.Kind {
		case types.Bool:
			return v
		case types.String:
			return strconv.FormatBool(v)
		}
	case json.Number:
		switch t.Kind {
		case types.String:
			return v.String()
		case types.Float64:
			if f, err := v.Float64(); err == nil {
				return f
			}
		case types.Float32:
			if f, err := strconv.ParseFloat(v.String(), 32); err == nil {
				return float32(f)
			}
		}
		i, err := v.Int64()
		if err != nil {
			return nil
		}
		switch {
		case t.Kind == types.Int64:
			return i
		case t.Kind == types.Timestamp:
			return i * 1000000
		case t.Kind == types.Int32 && int64(int32(i)) == i:
			return int32(i)
		case t.Kind == types.Int16 && int64(int16(i)) == i:
			return int16(i)
		case t.Kind == types.Int8 && int64(int8(i)) == i:
			return int8(i)
		}
	case string:
		switch t.Kind {
		case types.String:
			return v
		case types.Date:
			if d, err := time.Parse("2006-01-02", v); err == nil {
				return int32(math.Floor(float64(d.Unix()) / 86400))
			}
		case types.Timestamp, types.TimestampNTZ:
			zone := conf.TimeZone
			if zone == nil || t.Kind == types.TimestampNTZ {
				zone = time.UTC
			}
			for _, f := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02"} {
				if d, err := time.ParseInLocation(f, v, zone); err == nil {
					return d.UnixMicro()
				}
			}
		}
	case []any:
		if t.Kind == types.Array {
			out := make([]any, len(v))
			for i := range v {
				out[i] = jsonValue(v[i], t.Elem, conf)
			}
			return out
		}
	case map[string]any:
		switch t.Kind {
		case types.Struct:
			out := make(types.StructValue, len(t.Fields))
			for i := range out {
				out[i] = jsonValue(v[t.Fields[i].Name], t.Fields[i].Type, conf)
			}
			return out
		case types.Map:
			var m types.MapValue
			for k, e := range v {
				m.Keys = append(m.Keys, k)
				m.Values = append(m.Values, jsonValue(e, t.Elem, conf))
			}
			return m
		}
	}
	if t.Kind == types.String {
		if b, err := json.Marshal(x); err == nil {
			return string(b)
		}
	}
	return nil
}

// inferText finds the columns of CSV and JSON files from all their rows.
func (f *Files) inferText() (*types.Type, error) {
	out := types.NewStruct()
	d := newDialect(f.opts)
	for _, file := range f.files {
		buf, _, err := readRange(file.path, 0, file.size)
		if err != nil {
			return nil, errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", "file://"+file.path).Because(err)
		}
		l := &lines{s: &scan{files: f}, buf: buf, limit: len(buf)}
		for first := true; ; first = false {
			line, ok := l.next()
			if !ok {
				break
			}
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			if f.format == "json" {
				obj, err := parseObject(line)
				if err != nil {
					obj = map[string]any{corruptColumn: ""}
				}
				out = mergeJSON(out, jsonType(obj, isTrue(f.opts["primitivesasstring"])))
				continue
			}
			fields := d.split(line, nil)
			header := isTrue(f.opts["header"])
			if len(out.Fields) == 0 {
				for i, x := range fields {
					name := "_c" + strconv.Itoa(i)
					if header {
						name = string(x.text)
					}
					out.Fields = append(out.Fields, types.Field{Name: name, Nullable: true})
				}
			}
			if !isTrue(f.opts["inferschema"]) {
				break
			}
			if first && header {
				continue
			}
			for i := range out.Fields {
				if i < len(fields) && !d.isNull(fields[i]) {
					t := valueType(string(fields[i].text))
					if b := strings.ToLower(string(fields[i].text)); b == "true" || b == "false" {
						t = types.BoolType
					}
					out.Fields[i].Type = wider(out.Fields[i].Type, t)
				}
			}
		}
	}
	return settle(out), nil
}
