package datasource

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// column decodes one flat column chunk, in order.
type column interface {
	// open starts a chunk whose stored bytes are b.
	open(b []byte, codec compress.Compression, rows int)
	// read returns the next n values.
	read(n int) (*vec.Vector, error)
	// skip passes over n values; pages that are skipped whole are never inflated.
	skip(n int) error
}

// encodings of data pages that column reads itself.
const (
	encPlain     = 0
	encPlainDict = 2
	encRLE       = 3
	encRLEDict   = 8
)

// newColumn returns a reader of the leaf as values of t, or nil where column
// can't do it and the general reader must.
func newColumn(leaf *schema.Column, t *types.Type, yield func() error) column {
	if leaf.MaxRepetitionLevel() > 0 || leaf.MaxDefinitionLevel() > 1 {
		return nil
	}
	nullable := leaf.MaxDefinitionLevel() == 1
	lt := leaf.LogicalType()
	unit, isTS := schema.TimeUnitUnknown, false
	if ts, ok := lt.(schema.TimestampLogicalType); ok {
		unit, isTS = ts.TimeUnit(), true
	}
	dec, isDec := lt.(schema.DecimalLogicalType)
	sameScale := isDec && t.Kind == types.Decimal && int(dec.Scale()) == t.Scale && int(dec.Precision()) <= t.Precision
	lay := vec.LayoutOf(t)
	phys := leaf.PhysicalType()
	switch {
	case phys == parquet.Types.Boolean && lay == vec.Byte:
		return &typed[bool]{base: base{t: t, nullable: nullable, yield: yield}, boolean: true}
	case phys == parquet.Types.Float && t.Kind == types.Float32:
		return mk[float32](t, nullable, yield, 4, plainCopy[float32])
	case phys == parquet.Types.Float && t.Kind == types.Float64:
		return mk[float64](t, nullable, yield, 4, widen[float32, float64])
	case phys == parquet.Types.Double && t.Kind == types.Float64:
		return mk[float64](t, nullable, yield, 8, plainCopy[float64])
	case phys == parquet.Types.ByteArray && lay == vec.Bytes && !isDec:
		return &typed[vec.Ref]{base: base{t: t, nullable: nullable, yield: yield}, bytes: true}
	case phys == parquet.Types.Int96 && (t.Kind == types.Timestamp || t.Kind == types.TimestampNTZ):
		return mk[int64](t, nullable, yield, 12, int96)
	case phys == parquet.Types.FixedLenByteArray && sameScale:
		w := leaf.TypeLength()
		if w < 1 || w > 16 {
			return nil
		}
		if lay == vec.I64 {
			return mk[int64](t, nullable, yield, w, func(dst []int64, src []byte) { bigEndian64(dst, src, w) })
		}
		return mk[types.Int128](t, nullable, yield, w, func(dst []types.Int128, src []byte) { bigEndian128(dst, src, w) })
	case phys == parquet.Types.Int32 && (!isDec || sameScale):
		unsigned := false
		if it, ok := lt.(schema.IntLogicalType); ok {
			unsigned = !it.IsSigned()
		}
		switch {
		case t.Kind == types.Int8:
			return mk[int8](t, nullable, yield, 4, widen[int32, int8])
		case t.Kind == types.Int16:
			return mk[int16](t, nullable, yield, 4, widen[int32, int16])
		case t.Kind == types.Int32 && !unsigned, t.Kind == types.Date, t.Kind == types.YearMonthInterval:
			return mk[int32](t, nullable, yield, 4, plainCopy[int32])
		case t.Kind == types.Int32:
			return mk[int32](t, nullable, yield, 4, plainCopy[int32])
		case t.Kind == types.Int64 && unsigned:
			return mk[int64](t, nullable, yield, 4, func(dst []int64, src []byte) {
				for i := range dst {
					dst[i] = int64(binary.LittleEndian.Uint32(src[4*i:]))
				}
			})
		case t.Kind == types.Int64, sameScale && lay == vec.I64:
			return mk[int64](t, nullable, yield, 4, widen[int32, int64])
		case t.Kind == types.Float64 && !unsigned && !isDec:
			return mk[float64](t, nullable, yield, 4, widen[int32, float64])
		}
	case phys == parquet.Types.Int64 && (!isDec || sameScale):
		switch {
		case isTS && (t.Kind == types.Timestamp || t.Kind == types.TimestampNTZ):
			switch unit {
			case schema.TimeUnitMillis:
				return mk[int64](t, nullable, yield, 8, func(dst []int64, src []byte) {
					for i := range dst {
						dst[i] = int64(binary.LittleEndian.Uint64(src[8*i:])) * 1000
					}
				})
			case schema.TimeUnitNanos:
				return mk[int64](t, nullable, yield, 8, func(dst []int64, src []byte) {
					for i := range dst {
						x := int64(binary.LittleEndian.Uint64(src[8*i:]))
						dst[i] = x / 1000
						if x%1000 < 0 {
							dst[i]--
						}
					}
				})
			}
			return mk[int64](t, nullable, yield, 8, plainCopy[int64])
		case t.Kind == types.Int64 && !isTS, t.Kind == types.DayTimeInterval, sameScale && lay == vec.I64:
			if it, ok := lt.(schema.IntLogicalType); ok && !it.IsSigned() {
				return nil
			}
			return mk[int64](t, nullable, yield, 8, plainCopy[int64])
		case sameScale:
			return mk[types.Int128](t, nullable, yield, 8, func(dst []types.Int128, src []byte) {
				for i := range dst {
					dst[i] = types.I128(int64(binary.LittleEndian.Uint64(src[8*i:])))
				}
			})
		}
	}
	return nil
}

func mk[T vec.Fixed](t *types.Type, nullable bool, yield func() error, width int, conv func([]T, []byte)) column {
	return &typed[T]{base: base{t: t, nullable: nullable, yield: yield}, width: width, conv: conv}
}

func plainCopy[T vec.Fixed](dst []T, src []byte) {
	if len(dst) > 0 {
		var z T
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), len(dst)*int(unsafe.Sizeof(z))), src)
	}
}

func widen[A int32 | float32, B int8 | int16 | int32 | int64 | float64](dst []B, src []byte) {
	for i := range dst {
		u := binary.LittleEndian.Uint32(src[4*i:])
		dst[i] = B(*(*A)(unsafe.Pointer(&u)))
	}
}

// int96 is Impala's timestamp: nanoseconds of the day, then the Julian day.
func int96(dst []int64, src []byte) {
	for i := range dst {
		nanos := int64(binary.LittleEndian.Uint64(src[12*i:]))
		day := int64(int32(binary.LittleEndian.Uint32(src[12*i+8:]))) - 2440588
		dst[i] = day*86400000000 + nanos/1000
	}
}

func bigEndian64(dst []int64, src []byte, w int) {
	for i := range dst {
		b := src[i*w : i*w+w]
		x := int64(int8(b[0]))
		for _, c := range b[1:] {
			x = x<<8 | int64(c)
		}
		dst[i] = x
	}
}

func bigEndian128(dst []types.Int128, src []byte, w int) {
	for i := range dst {
		b := src[i*w : i*w+w]
		x := types.I128(int64(int8(b[0])))
		for _, c := range b[1:] {
			x = types.Int128{Lo: x.Lo<<8 | uint64(c), Hi: x.Hi<<8 | int64(x.Lo>>56)}
		}
		dst[i] = x
	}
}

// base is the part of a column reader that doesn't depend on the values' type.
type base struct {
	t        *types.Type
	nullable bool
	yield    func() error

	codec compress.Compression
	b     []byte // stored bytes not yet read
	hdr   pageHeader
	body  []byte // the stored page
	left  int    // values of the current page not yet read
	ready bool   // the current page is inflated
	page  []byte // the page's inflated values
	def   rle
	codes []int32
}

// typed reads values of T.
type typed[T vec.Fixed] struct {
	base
	width   int
	conv    func([]T, []byte)
	boolean bool
	bytes   bool

	dict    []T
	dictBuf []byte
	isDict  bool
	idx     rle
	vals    []T // of bytes, decoded at once
	bit     int // of plain booleans
	boolRLE bool
	scratch []byte
}

func (c *typed[T]) open(b []byte, codec compress.Compression, rows int) {
	c.b, c.codec, c.left, c.dict, c.ready = b, codec, 0, nil, false
}

// peek makes the next page with values current, without inflating it.
func (c *typed[T]) peek() error {
	for c.left == 0 {
		if len(c.b) == 0 {
			return fmt.Errorf("%w: its values end early", errCorrupt)
		}
		h, n, err := readHeader(c.b)
		if err != nil {
			return err
		}
		if int64(len(c.b)-n) < h.packed {
			return errCorrupt
		}
		c.hdr, c.body = h, c.b[n:n+int(h.packed)]
		c.b = c.b[n+int(h.packed):]
		switch h.kind {
		case 2:
			if err := c.loadDict(); err != nil {
				return err
			}
		case 0, 3:
			c.left, c.ready = int(h.values), false
		}
	}
	return nil
}

func (c *typed[T]) loadDict() error {
	buf, err := inflate(c.codec, nil, c.body, int(c.hdr.raw), c.yield)
	if err != nil {
		return err
	}
	n := int(c.hdr.values)
	if c.bytes {
		c.dictBuf = buf
		c.dict, err = c.refs(buf, n)
		return err
	}
	if c.boolean || n*c.width > len(buf) {
		return errCorrupt
	}
	c.dict = vec.Uncleared[T](n)
	for from := 0; from < n; from += convStep {
		to := min(n, from+convStep)
		c.conv(c.dict[from:to], buf[from*c.width:])
		if err := c.yield(); err != nil {
			return err
		}
	}
	return nil
}

// convStep is how many values of a dictionary are converted between two yield points.
const convStep = 16384

// refs finds n plain byte arrays in buf.
func (c *typed[T]) refs(buf []byte, n int) ([]T, error) {
	if n > len(buf)/4 {
		return nil, errCorrupt
	}
	out := vec.Uncleared[T](n)
	refs := unsafe.Slice((*vec.Ref)(unsafe.Pointer(unsafe.SliceData(out))), n)
	at := 0
	for i := range refs {
		if at+4 > len(buf) {
			return nil, errCorrupt
		}
		k := int(binary.LittleEndian.Uint32(buf[at:]))
		at += 4
		if k > len(buf)-at {
			return nil, errCorrupt
		}
		refs[i] = vec.MakeRef(at, k)
		at += k
		if i&8191 == 8191 {
			if err := c.yield(); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// load inflates the current page and sets its decoders up.
func (c *typed[T]) load() error {
	h := &c.hdr
	var levels, data []byte
	dst := c.scratch
	if c.bytes {
		dst = nil // refs go on pointing into it
	}
	if h.kind == 3 {
		lv := int(h.defBytes + h.repBytes)
		if lv > len(c.body) || int64(lv) > h.raw {
			return errCorrupt
		}
		levels, data = c.body[h.repBytes:lv], c.body[lv:]
		if h.compressed {
			var err error
			if data, err = inflate(c.codec, dst, data, int(h.raw)-lv, c.yield); err != nil {
				return err
			}
			if c.codec != compress.Codecs.Uncompressed && !c.bytes {
				c.scratch = data
			}
		}
	} else {
		var err error
		if data, err = inflate(c.codec, dst, c.body, int(h.raw), c.yield); err != nil {
			return err
		}
		if c.codec != compress.Codecs.Uncompressed && !c.bytes {
			c.scratch = data[:cap(data)]
		}
		if c.nullable {
			if len(data) < 4 {
				return errCorrupt
			}
			n := int64(binary.LittleEndian.Uint32(data))
			if n > int64(len(data)-4) {
				return errCorrupt
			}
			levels, data = data[4:4+n], data[4+n:]
		}
	}
	if c.nullable {
		c.def = newRLE(levels, 1)
	}
	c.page, c.isDict, c.boolRLE, c.ready = data, false, false, true
	switch {
	case h.encoding == encPlainDict || h.encoding == encRLEDict:
		if c.dict == nil {
			return errCorrupt
		}
		c.isDict = true
		if len(data) == 0 { // a page of nulls only
			c.idx = newRLE(nil, 0)
			return nil
		}
		if data[0] > 32 {
			return errCorrupt
		}
		c.idx = newRLE(data[1:], uint(data[0]))
	case h.encoding == encPlain && c.bytes:
		// Nulls have no value: count the values by walking to the end.
		n, at := 0, 0
		for at+4 <= len(data) {
			at += 4 + int(binary.LittleEndian.Uint32(data[at:]))
			if n++; n%(4*convStep) == 0 {
				if err := c.yield(); err != nil {
					return err
				}
			}
		}
		if at != len(data) {
			return errCorrupt
		}
		var err error
		c.vals, err = c.refs(data, n)
		return err
	case h.encoding == encPlain:
		c.bit = 0
	case h.encoding == encRLE && c.boolean:
		if len(data) < 4 {
			return errCorrupt
		}
		c.boolRLE = true
		c.idx = newRLE(data[4:], 1)
	default:
		return fmt.Errorf("the page encoding %d is not supported here", h.encoding)
	}
	return nil
}

// values decodes len(dst) values that are not null.
func (c *typed[T]) values(dst []T) error {
	n := len(dst)
	if n == 0 {
		return nil
	}
	if cap(c.codes) < n {
		c.codes = make([]int32, max(n, vec.DefaultRows))
	}
	codes := c.codes[:n]
	switch {
	case c.isDict:
		if err := c.idx.read(codes); err != nil {
			return err
		}
		dict := c.dict
		for i, k := range codes {
			if uint(k) >= uint(len(dict)) {
				return errCorrupt
			}
			dst[i] = dict[k]
		}
	case c.bytes:
		if n > len(c.vals) {
			return errCorrupt
		}
		copy(dst, c.vals)
		c.vals = c.vals[n:]
	case c.boolean:
		if c.boolRLE {
			if err := c.idx.read(codes); err != nil {
				return err
			}
		} else {
			if (c.bit+n+7)/8 > len(c.page) {
				return errCorrupt
			}
			unpack(codes, c.page, c.bit, 1)
			c.bit += n
		}
		out := unsafe.Slice((*bool)(unsafe.Pointer(&dst[0])), n)
		for i, k := range codes {
			out[i] = k != 0
		}
	default:
		if n*c.width > len(c.page) {
			return errCorrupt
		}
		c.conv(dst, c.page[:n*c.width])
		c.page = c.page[n*c.width:]
	}
	return nil
}

func (c *typed[T]) read(n int) (*vec.Vector, error) {
	var out []T
	if c.nullable {
		out = make([]T, n) // nulls are zeros
	} else {
		out = vec.Uncleared[T](n)
	}
	var null []bool
	var buf []byte
	owned := false
	for at := 0; at < n; {
		if err := c.peek(); err != nil {
			return nil, err
		}
		if !c.ready {
			if err := c.load(); err != nil {
				return nil, err
			}
			if err := c.yield(); err != nil {
				return nil, err
			}
		}
		k := min(n-at, c.left)
		dst := out[at : at+k]
		if c.nullable {
			if err := c.nullableRun(dst, &null, at, n); err != nil {
				return nil, err
			}
		} else if err := c.values(dst); err != nil {
			return nil, err
		}
		if c.bytes {
			src := c.page
			if c.isDict {
				src = c.dictBuf
			}
			refs := unsafe.Slice((*vec.Ref)(unsafe.Pointer(unsafe.SliceData(out))), n)
			switch {
			case at == 0:
				buf = src
			case owned:
				buf = appendRefs(buf, refs[at:at+k], src)
			default: // a second page: one buffer must hold both
				buf = appendRefs(appendRefs(nil, refs[:at], buf), refs[at:at+k], src)
				owned = true
			}
		}
		at += k
		c.left -= k
	}
	v := vec.FromSlice(c.t, out, null)
	v.Buf = buf
	return v, nil
}

// appendRefs copies what refs point at in src behind dst, and moves the refs there.
func appendRefs(dst []byte, refs []vec.Ref, src []byte) []byte {
	for i, r := range refs {
		refs[i] = vec.MakeRef(len(dst), r.Len())
		dst = append(dst, src[r.Start():r.Start()+r.Len()]...)
	}
	return dst
}

// nullableRun reads definition levels, then values, which it spreads over the places that are not null.
func (c *typed[T]) nullableRun(dst []T, null *[]bool, at, n int) error {
	if cap(c.codes) < len(dst) {
		c.codes = make([]int32, max(len(dst), vec.DefaultRows))
	}
	levels := c.codes[:len(dst)]
	if err := c.def.read(levels); err != nil {
		return err
	}
	have := 0
	for _, l := range levels {
		have += int(l & 1)
	}
	if have == len(dst) {
		return c.values(dst)
	}
	if *null == nil {
		*null = make([]bool, n)
	}
	mask := (*null)[at : at+len(dst)]
	for i, l := range levels {
		mask[i] = l == 0
	}
	if err := c.values(dst[:have]); err != nil {
		return err
	}
	var zero T
	j := have
	for i := len(dst) - 1; i >= 0; i-- {
		if mask[i] {
			dst[i] = zero
		} else {
			j--
			dst[i] = dst[j]
		}
	}
	return nil
}

func (c *typed[T]) skip(n int) error {
	for n > 0 {
		if err := c.peek(); err != nil {
			return err
		}
		k := min(n, c.left)
		if !c.ready && k == c.left {
			c.left = 0
			n -= k
			continue
		}
		if !c.ready {
			if err := c.load(); err != nil {
				return err
			}
		}
		m := k
		if c.nullable {
			if cap(c.codes) < k {
				c.codes = make([]int32, max(k, vec.DefaultRows))
			}
			levels := c.codes[:k]
			if err := c.def.read(levels); err != nil {
				return err
			}
			m = 0
			for _, l := range levels {
				m += int(l & 1)
			}
		}
		switch {
		case c.isDict, c.boolRLE:
			if err := c.idx.skip(m); err != nil {
				return err
			}
		case c.bytes:
			if m > len(c.vals) {
				return errCorrupt
			}
			c.vals = c.vals[m:]
		case c.boolean:
			c.bit += m
		default:
			if m*c.width > len(c.page) {
				return errCorrupt
			}
			c.page = c.page[m*c.width:]
		}
		c.left -= k
		n -= k
	}
	return c.yield()
}
