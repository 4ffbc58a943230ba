package datasource

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"neptune/internal/errs"
)

// codecs are the endings of compressed text files (as Hadoop knows them).
var codecs = []string{".gz", ".bz2", ".zst", ".deflate", ".snappy", ".lz4"}

func compressed(path string) string {
	for _, c := range codecs {
		if strings.HasSuffix(strings.ToLower(path), c) {
			return c
		}
	}
	return ""
}

// splittable reports whether several tasks may read u's file: lines of an encoding whose line ends are single bytes.
func (f *Files) splittable(u unit) bool {
	if f.format == "parquet" || f.inline != nil {
		return false
	}
	t := f.text
	return !t.whole && len(t.lineSep) <= 1 && !strings.HasPrefix(t.charset, "utf-16") && compressed(f.files[u.file].path) == ""
}

// content is a whole file, inflated and as UTF-8.
func (t *textOptions) content(path string) ([]byte, error) {
	fh, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer fh.Close()
	var r io.Reader = fh
	switch c := compressed(path); c {
	case ".gz":
		r, err = gzip.NewReader(bufio.NewReaderSize(fh, 64<<10))
	case ".deflate":
		r, err = zlib.NewReader(bufio.NewReaderSize(fh, 64<<10))
	case ".bz2":
		r = bzip2.NewReader(bufio.NewReaderSize(fh, 64<<10))
	case ".zst":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(fh, zstd.WithDecoderConcurrency(1)); err == nil {
			defer z.Close()
			r = z
		}
	case ".snappy", ".lz4":
		return nil, errs.NotSupported("files with the ending " + c)
	}
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return t.decode(b, true), nil
}

// section reads the lines that begin in from..to, as UTF-8. The last one may end behind to.
func (t *textOptions) section(path string, from, to int64) ([]byte, error) {
	fh, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer fh.Close()
	start := max(0, from-1) // the byte before says whether a line begins at from
	buf := make([]byte, to-start)
	n, err := fh.ReadAt(buf, start)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	buf = buf[:n]
	skip := 0
	if from > 0 {
		i, n := t.lineEnd(buf)
		if skip = i + n; n == 0 || skip >= len(buf) {
			return nil, nil
		}
	}
	if last := buf[max(0, len(buf)-1):]; len(buf) > 0 && !t.endsLine(last[0]) {
		r := bufio.NewReaderSize(io.NewSectionReader(fh, start+int64(n), math.MaxInt64-start-int64(n)), 64<<10)
		for {
			c, err := r.ReadByte()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, err
			}
			if buf = append(buf, c); t.endsLine(c) {
				break
			}
		}
	}
	return t.decode(buf[skip:], from == 0), nil
}

func (t *textOptions) endsLine(c byte) bool {
	if t.lineSep != "" {
		return c == t.lineSep[0]
	}
	return c == '\n' || c == '\r'
}

// lineEnd is where the first line of b ends, and how long its end is; 0: it has none.
func (t *textOptions) lineEnd(b []byte) (at, n int) {
	if t.lineSep != "" {
		if i := bytes.Index(b, []byte(t.lineSep)); i >= 0 {
			return i, len(t.lineSep)
		}
		return len(b), 0
	}
	i := bytes.IndexByte(b, '\n')
	line := b
	if i >= 0 {
		line = b[:i]
	}
	if k := bytes.IndexByte(line, '\r'); k >= 0 {
		if k == i-1 {
			return k, 2
		}
		return k, 1
	}
	if i < 0 {
		return len(b), 0
	}
	return i, 1
}

// decode turns bytes of the encoding into UTF-8; what isn't text of it becomes U+FFFD.
func (t *textOptions) decode(b []byte, first bool) []byte {
	switch t.charset {
	case "utf-8":
		if first {
			b = bytes.TrimPrefix(b, []byte("\ufeff"))
		}
		if t.format == "csv" && !utf8.Valid(b) {
			b = bytes.ToValidUTF8(b, []byte("\ufffd"))
		}
		return b
	case "iso-8859-1", "us-ascii":
		out := make([]byte, 0, len(b)+len(b)/8)
		for _, c := range b {
			switch {
			case c < 0x80:
				out = append(out, c)
			case t.charset == "us-ascii":
				out = append(out, "\ufffd"...)
			default:
				out = utf8.AppendRune(out, rune(c))
			}
		}
		return out
	}
	var order binary.ByteOrder = binary.BigEndian
	switch {
	case t.charset == "utf-16le", t.charset == "utf-16" && len(b) >= 2 && b[0] == 0xff && b[1] == 0xfe:
		order = binary.LittleEndian
	}
	out := make([]byte, 0, len(b))
	for i := 0; i+1 < len(b); i += 2 {
		r := rune(order.Uint16(b[i:]))
		if i == 0 && r == 0xfeff {
			continue
		}
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if i+3 < len(b) {
				low = rune(order.Uint16(b[i+2:]))
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				i += 2
			}
		}
		out = utf8.AppendRune(out, r)
	}
	if len(b)%2 == 1 {
		out = append(out, "\ufffd"...)
	}
	return out
}
