package datasource

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"neptune/arrowexec/csvline"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// textSink writes CSV, JSON lines or plain lines.
type textSink struct {
	fh     *os.File
	pack   io.WriteCloser // compresses; nil: nothing does
	w      *bufio.Writer
	format string
	t      *types.Type
	end    string
	values textFormats
	csv    csvline.Writer
	keep   bool // JSON: null fields are written
	ascii  bool // JSON: other characters are written as escapes
	buf    []byte
	err    error
	closed bool
}

// textFormats are how dates and times are written.
type textFormats struct {
	zone             *time.Location
	cache            *types.ZoneCache
	date, stamp, ntz *types.Pattern // nil: ISO
}

// textCodecs are the codecs of text files that are written, and the endings of their files.
var textCodecs = map[string]string{"": "", "none": "", "uncompressed": "", "gzip": ".gz", "deflate": ".deflate"}

// availableCodecs are those that Spark names where there is no such codec.
var availableCodecs = map[string]string{
	"text": "bzip2, deflate, uncompressed, snappy, none, lz4, gzip", "parquet": "brotli, uncompressed, lzo, snappy, lz4_raw, none, zstd, lz4, gzip",
}

// unknownCodec is an error for a codec that isn't written: whether Spark has it makes the difference.
func unknownCodec(format, name string) error {
	list := availableCodecs["text"]
	if format == "parquet" {
		list = availableCodecs["parquet"]
	}
	if slices.Contains(strings.Split(list, ", "), name) {
		return errs.NotSupported("compression " + name + " of " + format)
	}
	return errs.New(errs.IllegalArgument, "CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION", "codecName", name, "availableCodecs", list)
}

// checkTextWrite checks the options of a text format before anything is written.
func checkTextWrite(format string, o map[string]string) error {
	_, err := newTextWriter(format, types.NewStruct(), o, time.UTC)
	return err
}

func newTextWriter(format string, t *types.Type, o map[string]string, zone *time.Location) (*textSink, error) {
	s := &textSink{format: format, t: t, end: "\n", keep: strings.EqualFold(o["ignorenullfields"], "false"), ascii: isTrue(o["writenonasciicharacterasunicodeescape"])}
	if format == "csv" {
		if err := csvline.Check(o, nil); err != nil {
			return nil, err
		}
	}
	if e, ok := o["linesep"]; ok {
		if e == "" {
			return nil, errs.New(errs.IllegalArgument, "STDS_INVALID_OPTION_VALUE.IS_EMPTY", "optionName", "lineSep")
		}
		s.end = e
	}
	if _, ok := textCodecs[strings.ToLower(o["compression"])]; !ok {
		return nil, unknownCodec(format, strings.ToLower(o["compression"]))
	}
	for _, k := range []string{"encoding", "charset"} {
		if v, ok := o[k]; ok && !strings.EqualFold(v, "utf-8") && !strings.EqualFold(v, "utf8") {
			return nil, errs.NotSupported("write option " + k + " " + v + " of " + format)
		}
	}
	if l := o["locale"]; l != "" && !strings.EqualFold(l, "en-US") && !strings.EqualFold(l, "en") {
		return nil, errs.NotSupported("option locale " + l)
	}
	if z := o["timezone"]; z != "" {
		var err error
		if zone, err = types.LoadZone(z); err != nil {
			return nil, errs.New(errs.DateTime, "INVALID_TIMEZONE", "timeZone", z).Because(err)
		}
	}
	if zone == nil {
		zone = time.UTC
	}
	s.values = textFormats{zone: zone, cache: types.NewZoneCache(zone)}
	for name, to := range map[string]**types.Pattern{"dateformat": &s.values.date, "timestampformat": &s.values.stamp, "timestampntzformat": &s.values.ntz} {
		if v, ok := o[name]; ok {
			p, err := compilePattern(v)
			if err != nil {
				return nil, err
			}
			*to = p
		}
	}
	if format != "csv" {
		return s, nil
	}
	var err error
	s.csv, err = csvline.NewWriter(o)
	return s, err
}

func newTextSink(fh *os.File, format string, t *types.Type, o map[string]string, zone *time.Location) (sink, error) {
	s, err := newTextWriter(format, t, o, zone)
	if err != nil {
		return nil, err
	}
	s.fh = fh
	var out io.Writer = fh
	switch strings.ToLower(o["compression"]) {
	case "gzip":
		s.pack = gzip.NewWriter(fh)
		out = s.pack
	case "deflate":
		s.pack = zlib.NewWriter(fh)
		out = s.pack
	}
	s.w = bufio.NewWriterSize(out, 256<<10)
	if format == "csv" && isTrue(o["header"]) {
		for i, f := range t.Fields {
			s.buf = s.csv.Append(s.buf, i, f.Name, false)
		}
		s.buf = append(s.buf, s.end...)
	}
	return s, s.flush()
}

func (s *textSink) flush() error {
	if s.err == nil && len(s.buf) > 0 {
		_, s.err = s.w.Write(s.buf)
	}
	s.buf = s.buf[:0]
	return s.err
}

func (s *textSink) write(b *vec.Batch) error {
	for i := range b.N {
		switch s.format {
		case "text":
			if !b.Cols[0].IsNull(i) {
				s.buf = append(s.buf, b.Cols[0].Bytes(i)...)
			}
		case "csv":
			for k, c := range b.Cols {
				text, null := s.values.text(c, i)
				s.buf = s.csv.Append(s.buf, k, text, null)
			}
		case "json":
			s.object(b.Cols, s.t.Fields, i)
		}
		s.buf = append(s.buf, s.end...)
		if err := s.flush(); err != nil {
			return err
		}
	}
	return nil
}

func (s *textSink) close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	if s.err == nil {
		s.err = s.w.Flush()
	}
	if s.pack != nil {
		if err := s.pack.Close(); s.err == nil {
			s.err = err
		}
	}
	if err := s.fh.Close(); s.err == nil {
		s.err = err
	}
	return s.err
}

// text is value i of a vector, as CSV files have it.
func (f *textFormats) text(v *vec.Vector, i int) (text string, null bool) {
	if v.IsNull(i) {
		return "", true
	}
	switch v.Type.Kind {
	case types.Date:
		if f.date != nil {
			return string(f.date.Format(nil, int64(vec.Of[int32](v)[i])*types.MicrosPerDay, 0, nil)), false
		}
	case types.Timestamp:
		us := vec.Of[int64](v)[i]
		if f.stamp != nil {
			local := f.cache.ToLocal(us)
			return string(f.stamp.Format(nil, local, (local-us)/types.MicrosPerSecond, f.zone)), false
		}
		return isoTime(us, types.Timestamp, f.zone), false
	case types.TimestampNTZ:
		us := vec.Of[int64](v)[i]
		if f.ntz != nil {
			return string(f.ntz.Format(nil, us, 0, nil)), false
		}
		return isoTime(us, types.TimestampNTZ, nil), false
	case types.YearMonthInterval:
		return string(types.AppendYearMonth(nil, vec.Of[int32](v)[i], v.Type)), false
	case types.DayTimeInterval:
		return string(types.AppendDayTime(nil, vec.Of[int64](v)[i], v.Type)), false
	case types.Decimal:
		x := types.Int128{}
		if v.Layout == vec.I128 {
			x = vec.Of[types.Int128](v)[i]
		} else {
			x = types.I128(vec.Of[int64](v)[i])
		}
		return string(types.AppendDecimalSci(nil, x, v.Type.Scale)), false
	case types.Binary:
		var b strings.Builder
		b.WriteByte('[')
		for k, c := range v.Bytes(i) {
			if k > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%02X", c)
		}
		return b.String() + "]", false
	}
	return textValue(v, i, f.zone)
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
		return string(types.AppendFloat(nil, vec.Of[float32](v)[i])), false
	case vec.F64:
		return string(types.AppendDouble(nil, vec.Of[float64](v)[i])), false
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
