package datasource

import (
	"bufio"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"neptune/arrowexec/csvline"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/task"
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
	rows   *fn.RowText
	xml    *fn.XMLText // with format xml
	begun  bool        // of XML: the root is open
	encode encoder
	coded  []byte // scratch of encode
	buf    []byte
	err    error
	closed bool
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
	_, err := newTextWriter(format, types.NewStruct(), o, &task.Conf{})
	return err
}

func newTextWriter(format string, t *types.Type, o map[string]string, conf *task.Conf) (*textSink, error) {
	s := &textSink{format: format, t: t, end: "\n"}
	if format == "xml" {
		s.end = ""
	}
	if format == "csv" {
		if err := csvline.Check(o, nil); err != nil {
			return nil, err
		}
		if _, err := csvExtension(o); err != nil {
			return nil, err
		}
	}
	if e, ok := o["linesep"]; ok && format != "xml" {
		switch n := utf8.RuneCountInString(e); {
		case format == "csv" && n > 2:
			return nil, errs.New(errs.IllegalArgument, "INVALID_LINE_SEPARATOR.TOO_LONG", "length", strconv.Itoa(n))
		case format == "csv" && n == 0:
			return nil, errs.New(errs.IllegalArgument, "INVALID_LINE_SEPARATOR.EMPTY")
		case n == 0:
			return nil, errs.Refused(errs.IllegalArgument, "'lineSep' cannot be an empty string.")
		}
		s.end = e
	}
	if _, ok := textCodecs[codecName(format, o)]; !ok {
		return nil, unknownCodec(format, codecName(format, o))
	}
	if v, ok := encodingName(o); ok && format != "text" { // which is UTF-8 in any case
		if s.encode, ok = encoders[strings.ToLower(v)]; !ok {
			return nil, badCharset(format, v)
		}
	}
	if l := o["locale"]; l != "" && !strings.EqualFold(l, "en-US") && !strings.EqualFold(l, "en") {
		return nil, errs.NotSupported("option locale " + l)
	}
	zone := conf.TimeZone
	if z := o["timezone"]; z != "" {
		var err error
		if zone, err = types.LoadZone(z); err != nil {
			return nil, errs.New(errs.DateTime, "INVALID_TIMEZONE", "timeZone", z).Because(err)
		}
	}
	if zone == nil {
		zone = time.UTC
	}
	var p fn.TimePatterns
	for name, to := range map[string]**types.Pattern{"dateformat": &p.Date, "timestampformat": &p.Stamp, "timestampntzformat": &p.NTZ} {
		if v, ok := o[name]; ok {
			c, err := compilePattern(v)
			if err != nil {
				return nil, err
			}
			*to = c
		}
	}
	var err error
	if s.rows, err = fn.NewRowText(o, conf.Keys, zone, p); err == nil && format == "xml" {
		v, _ := encodingName(o)
		s.xml, err = s.rows.XML(xmlMost(v))
	}
	return s, err
}

// xmlMost is the last character that an XML file of an encoding holds as it is; 0: it holds all.
func xmlMost(encoding string) rune {
	switch strings.ToLower(encoding) {
	case "", "utf-8", "utf8", "utf-16":
		return 0
	case "us-ascii":
		return 0x7f
	}
	return 0xff
}

// codecName is what the whole of a text file is packed with.
func codecName(format string, o map[string]string) string {
	v, ok := o["compression"]
	if !ok && format != "xml" {
		v = o["codec"]
	}
	return strings.ToLower(v)
}

// encodingName is the option encoding, by either of its names.
func encodingName(o map[string]string) (string, bool) {
	v, ok := o["encoding"]
	if !ok {
		v, ok = o["charset"]
	}
	return v, ok
}

// csvExtension is how the names of CSV files end: as the option extension says.
func csvExtension(o map[string]string) (string, error) {
	v, ok := o["extension"]
	if !ok {
		return ".csv", nil
	}
	if utf8.RuneCountInString(v) != 3 && strings.ContainsFunc(v, func(r rune) bool { return !unicode.IsLetter(r) }) {
		return "", errs.New(errs.IllegalArgument, "INVALID_ATTRIBUTE_NAME_SYNTAX", "name", v)
	}
	return "." + v, nil
}

func newTextSink(fh *os.File, format string, t *types.Type, o map[string]string, conf *task.Conf) (sink, error) {
	s, err := newTextWriter(format, t, o, conf)
	if err != nil {
		return nil, err
	}
	s.fh = fh
	var out io.Writer = fh
	switch codecName(format, o) {
	case "gzip":
		s.pack = gzip.NewWriter(fh)
		out = s.pack
	case "deflate":
		s.pack = zlib.NewWriter(fh)
		out = s.pack
	}
	s.w = bufio.NewWriterSize(out, 256<<10)
	if format == "csv" && isTrue(o["header"]) {
		s.buf = append(s.rows.Header(s.buf, t), s.end...)
	}
	if mark := s.encode.mark; mark != "" {
		if _, err := s.w.WriteString(mark); err != nil {
			return nil, err
		}
	}
	return s, s.flush()
}

func (s *textSink) flush() error {
	if s.err == nil && len(s.buf) > 0 {
		out := s.buf
		if s.encode.append != nil {
			s.coded = s.encode.append(s.coded[:0], s.buf)
			out = s.coded
		}
		_, s.err = s.w.Write(out)
	}
	s.buf = s.buf[:0]
	return s.err
}

func (s *textSink) write(_ *task.Ctx, b *vec.Batch) error {
	for i := range b.N {
		switch s.format {
		case "text":
			if !b.Cols[0].IsNull(i) {
				s.buf = append(s.buf, b.Cols[0].Bytes(i)...)
			}
		case "csv":
			s.buf = s.rows.CSV(s.buf, b.Cols, i)
		case "json":
			s.buf = s.rows.JSON(s.buf, s.t, b.Cols, i)
		case "xml":
			if err := s.element(b.Cols, i); err != nil {
				return err
			}
		}
		s.buf = append(s.buf, s.end...)
		if err := s.flush(); err != nil {
			return err
		}
	}
	return nil
}

// element writes a row of XML, and the start of the root before the first one.
func (s *textSink) element(cols []*vec.Vector, i int) (err error) {
	if !s.begun {
		s.begun = true
		s.buf, err = s.xml.Begin(s.buf)
	}
	if err == nil {
		s.buf, err = s.xml.Row(s.buf, s.t, cols, i)
	}
	if err != nil {
		s.err = errors.New(err.Error()) // as any failure to write
	}
	return s.err
}

func (s *textSink) abort() { _ = s.close(nil) }

func (s *textSink) close(*task.Ctx) error {
	if s.closed {
		return nil
	}
	s.closed = true
	if s.begun && s.err == nil {
		s.buf = s.xml.End(s.buf)
		s.err = s.flush()
	}
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
