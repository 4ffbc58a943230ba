package datasource

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"neptune/arrowexec/csvline"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// textSink writes CSV, JSON lines or plain lines.
type textSink struct {
	fh     *os.File
	w      *bufio.Writer
	format string
	t      *types.Type
	sep    string
	null   string
	keep   bool // JSON: null fields are written
	end    string
	zone   *time.Location
	err    error
	closed bool
}

func newTextSink(fh *os.File, format string, t *types.Type, o map[string]string, zone *time.Location) (sink, error) {
	d, err := csvline.New(o)
	if err != nil {
		return nil, err
	}
	s := &textSink{fh: fh, w: bufio.NewWriterSize(fh, 256<<10), format: format, t: t, sep: d.Sep, null: o["nullvalue"], keep: strings.EqualFold(o["ignorenullfields"], "false"), end: "\n", zone: zone}
	if e := o["linesep"]; e != "" {
		s.end = e
	}
	if format == "csv" && isTrue(o["header"]) {
		for i, f := range t.Fields {
			if i > 0 {
				s.put(s.sep)
			}
			s.put(s.quote(f.Name, false))
		}
		s.put("\n")
	}
	return s, s.err
}

func (s *textSink) put(text string) {
	if s.err == nil {
		_, s.err = s.w.WriteString(text)
	}
}

// quote puts a CSV field in quotes where it has to be: a separator, a quote or a line end inside, or an empty string.
func (s *textSink) quote(x string, null bool) string {
	if null {
		return s.null
	}
	if x != "" && !strings.Contains(x, s.sep) && !strings.ContainsAny(x, "\"\n\r\\") {
		return x
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(x) + `"`
}

func (s *textSink) write(b *vec.Batch) error {
	for i := range b.N {
		switch s.format {
		case "text":
			text, _ := textValue(b.Cols[0], i, s.zone)
			s.put(text + s.end)
		case "csv":
			for k, c := range b.Cols {
				if k > 0 {
					s.put(s.sep)
				}
				s.put(s.quote(textValue(c, i, s.zone)))
			}
			s.put("\n")
		case "json":
			s.object(b.Cols, s.t.Fields, i)
			s.put("\n")
		}
		if s.err != nil {
			return s.err
		}
	}
	return nil
}

func (s *textSink) object(cols []*vec.Vector, fields []types.Field, i int) {
	s.put("{")
	first := true
	for k, c := range cols {
		if c.IsNull(i) && !s.keep {
			continue
		}
		if !first {
			s.put(",")
		}
		first = false
		s.put(jsonString(fields[k].Name) + ":")
		s.value(c, i)
	}
	s.put("}")
}

func (s *textSink) value(v *vec.Vector, i int) {
	if v.IsNull(i) {
		s.put("null")
		return
	}
	switch v.Type.Kind {
	case types.Array:
		r := vec.Refs(v)[i]
		s.put("[")
		for k := range r.Len() {
			if k > 0 {
				s.put(",")
			}
			s.value(v.Child[0], r.Start()+k)
		}
		s.put("]")
	case types.Struct:
		s.object(v.Child, v.Type.Fields, i)
	case types.String, types.Date, types.Timestamp, types.TimestampNTZ:
		text, _ := textValue(v, i, s.zone)
		if v.Type.Kind == types.Timestamp || v.Type.Kind == types.TimestampNTZ {
			text = isoTime(vec.Of[int64](v)[i], v.Type.Kind, s.zone)
		}
		s.put(jsonString(text))
	case types.Float32, types.Float64:
		text, _ := textValue(v, i, s.zone)
		if text == "NaN" || strings.HasSuffix(text, "Infinity") {
			text = jsonString(text)
		}
		s.put(text)
	default:
		text, _ := textValue(v, i, s.zone)
		s.put(text)
	}
}

func jsonString(x string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(x); err != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (s *textSink) close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	if s.err == nil {
		s.err = s.w.Flush()
	}
	if err := s.fh.Close(); s.err == nil {
		s.err = err
	}
	return s.err
}

// isoTime is a timestamp as CSV and JSON files have it by default, cut to
// milliseconds as Spark does: 2020-01-02T03:04:05.000Z.
func isoTime(micros int64, k types.Kind, zone *time.Location) string {
	if k == types.TimestampNTZ || zone == nil {
		zone = time.UTC
	}
	t := time.UnixMicro(micros).In(zone)
	layout := "2006-01-02T15:04:05.000"
	if k == types.Timestamp {
		layout += "Z07:00"
	}
	return t.Format(layout)
}

// textValue is value i as Spark casts it to a string.
func textValue(v *vec.Vector, i int, zone *time.Location) (text string, null bool) {
	if v.IsNull(i) {
		return "", true
	}
	float := func(x float64, bits int) string {
		switch {
		case math.IsNaN(x):
			return "NaN"
		case math.IsInf(x, 1):
			return "Infinity"
		case math.IsInf(x, -1):
			return "-Infinity"
		}
		if a := math.Abs(x); a != 0 && (a < 1e-3 || a >= 1e7) {
			s := strconv.FormatFloat(x, 'E', -1, bits)
			m, e, _ := strings.Cut(s, "E")
			if !strings.Contains(m, ".") {
				m += ".0"
			}
			n, _ := strconv.Atoi(e)
			return m + "E" + strconv.Itoa(n)
		}
		s := strconv.FormatFloat(x, 'f', -1, bits)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	switch v.Layout {
	case vec.Byte:
		return strconv.FormatBool(vec.Of[bool](v)[i]), false
	case vec.I8:
		return strconv.Itoa(int(vec.Of[int8](v)[i])), false
	case vec.I16:
		return strconv.Itoa(int(vec.Of[int16](v)[i])), false
	case vec.I32:
		x := vec.Of[int32](v)[i]
		if v.Type.Kind == types.Date {
			return time.Unix(int64(x)*86400, 0).UTC().Format("2006-01-02"), false
		}
		return strconv.Itoa(int(x)), false
	case vec.F32:
		return float(float64(vec.Of[float32](v)[i]), 32), false
	case vec.F64:
		return float(vec.Of[float64](v)[i], 64), false
	case vec.I64:
		x := vec.Of[int64](v)[i]
		switch v.Type.Kind {
		case types.Decimal:
			return decimalText(types.I128(x), v.Type.Scale), false
		case types.Timestamp, types.TimestampNTZ:
			return isoTime(x, v.Type.Kind, zone), false
		}
		return strconv.FormatInt(x, 10), false
	case vec.I128:
		return decimalText(vec.Of[types.Int128](v)[i], v.Type.Scale), false
	case vec.Bytes:
		return string(v.Bytes(i)), false
	}
	return "", false
}

func decimalText(x types.Int128, scale int) string {
	s := x.Big().String()
	if scale == 0 {
		return s
	}
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	if neg {
		s = "-" + s
	}
	return s
}
