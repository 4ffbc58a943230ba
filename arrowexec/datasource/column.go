package datasource

import (
	"encoding/binary"
	"unsafe"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// column decodes one flat column chunk, in order.
type column interface {
	// open starts a chunk whose stored bytes are b, from start on in the file.
	open(b []byte, codec compress.Compression, file *footer, start int64)
	// openKept starts a chunk of which all pages were kept inflated.
	openKept(pages []chunkPage, kept [][]byte)
	// read returns the next n values.
	read(n int) (*vec.Vector, error)
	// pick returns those of the next n values that are at positions at, which
	// rise. What no value is picked from isn't decoded.
	pick(n int, at []int32) (*vec.Vector, error)
	// skip passes over n values; pages that are skipped whole are never inflated.
	skip(n int) error
	// dictionary is the chunk's dictionary, with a null behind it where the column
	// may have nulls; nil where a page doesn't use it.
	dictionary() (*vec.Vector, error)
	// codesOf reads the next n values as positions in dictionary, and decode
	// turns such into values.
	codesOf(n int) ([]int32, error)
	decode(codes []int32) *vec.Vector
}

// encodings of data pages that column reads itself.
const (
	encPlain     = 0
	encPlainDict = 2
	encRLE       = 3
	encRLEDict   = 8
)

// newColumn returns a reader of the leaf as values of t, or nil where column
// can't do it and the general reader must. Vectors take their memory from pool.
func newColumn(leaf *schema.Column, t *types.Type, set readSettings, pool *vec.Pool, yield func() error) column {
	if leaf.MaxRepetitionLevel() > 0 || leaf.MaxDefinitionLevel() > 1 {
		return nil
	}
	return decoderOf(leaf, t, base{t: t, nullable: leaf.MaxDefinitionLevel() == 1, pool: pool, yield: yield}, set)
}

// decoderOf is newColumn for leaves at any depth, of which only the conversion of values is used.
func decoderOf(leaf *schema.Column, t *types.Type, bs base, set readSettings) column {
	bs.bad = new(error)
	switch t.Kind {
	case types.Date:
		if f := set.rebaseDays(bs.bad); f != nil && leaf.PhysicalType() == parquet.Types.Int32 {
			if c, ok := plainDecoder(leaf, t, bs).(*typed[int32]); ok {
				c.conv = func(dst []int32, src []byte) {
					plainCopy(dst, src)
					f(dst)
				}
				return c
			}
		}
	case types.Timestamp:
		c, ok := plainDecoder(leaf, t, bs).(*typed[int64])
		old := leaf.PhysicalType() == parquet.Types.Int96
		f := set.rebaseMicros(old, bs.bad)
		if ok && (f != nil || old && set.wall != nil) {
			conv, zone := c.conv, (*types.ZoneCache)(nil)
			if old && set.wall != nil {
				zone = types.NewZoneCache(set.wall)
			}
			c.conv = func(dst []int64, src []byte) {
				if conv == nil {
					plainCopy(dst, src)
				} else {
					conv(dst, src)
				}
				if zone != nil {
					for i, x := range dst {
						dst[i] = zone.FromLocal(x)
					}
				}
				if f != nil {
					f(dst)
				}
			}
		}
		if ok {
			return c
		}
		return nil
	}
	return plainDecoder(leaf, t, bs)
}

// plainDecoder is decoderOf without another calendar.
func plainDecoder(leaf *schema.Column, t *types.Type, bs base) column {
	lt := leaf.LogicalType()
	unit, isTS := schema.TimeUnitUnknown, false
	if ts, ok := lt.(schema.TimestampLogicalType); ok {
		unit, isTS = ts.TimeUnit(), true
	}
	dec, isDec := lt.(schema.DecimalLogicalType)
	sameScale := isDec && t.Kind == types.Decimal && int(dec.Scale()) == t.Scale && int(dec.Precision()) <= t.Precision
	lay := vec.LayoutOf(t)
	phys := leaf.PhysicalType()
	if t.Kind == types.Decimal && (!sameScale || phys == parquet.Types.Int32 && lay == vec.I128) {
		return widerDecimal(leaf, t, bs)
	}
	switch {
	case phys == parquet.Types.Boolean && lay == vec.Byte:
		return &typed[bool]{base: bs, boolean: true}
	case phys == parquet.Types.Float && t.Kind == types.Float32:
		return mk[float32](bs, 4, nil)
	case phys == parquet.Types.Float && t.Kind == types.Float64:
		return mk[float64](bs, 4, widen[float32, float64])
	case phys == parquet.Types.Double && t.Kind == types.Float64:
		return mk[float64](bs, 8, nil)
	case phys == parquet.Types.ByteArray && lay == vec.Bytes && !isDec:
		return &typed[vec.Ref]{base: bs, bytes: true}
	case phys == parquet.Types.Int96 && (t.Kind == types.Timestamp || t.Kind == types.TimestampNTZ):
		return mk[int64](bs, 12, int96)
	case phys == parquet.Types.FixedLenByteArray && sameScale:
		w := leaf.TypeLength()
		if w < 1 || w > 16 {
			return nil
		}
		if lay == vec.I64 {
			return mk[int64](bs, w, func(dst []int64, src []byte) { bigEndian64(dst, src, w) })
		}
		return mk[types.Int128](bs, w, func(dst []types.Int128, src []byte) { bigEndian128(dst, src, w) })
	case phys == parquet.Types.Int32: // decimals without their point too
		unsigned := false
		if it, ok := lt.(schema.IntLogicalType); ok {
			unsigned = !it.IsSigned()
		}
		switch {
		case t.Kind == types.Int8:
			return mk[int8](bs, 4, widen[int32, int8])
		case t.Kind == types.Int16:
			return mk[int16](bs, 4, widen[int32, int16])
		case t.Kind == types.Int32 && !unsigned, t.Kind == types.Date, t.Kind == types.YearMonthInterval:
			return mk[int32](bs, 4, nil)
		case t.Kind == types.TimestampNTZ:
			if _, ok := lt.(schema.DateLogicalType); !ok {
				return nil
			}
			return mk[int64](bs, 4, func(dst []int64, src []byte) {
				for i := range dst {
					dst[i] = int64(int32(binary.LittleEndian.Uint32(src[4*i:]))) * microsPerDay
				}
			})
		case t.Kind == types.Int32:
			if it, ok := lt.(schema.IntLogicalType); ok && it.BitWidth() > 16 {
				return nil // half of the numbers would be negative
			}
			return mk[int32](bs, 4, nil)
		case t.Kind == types.Int64 && unsigned:
			return mk[int64](bs, 4, func(dst []int64, src []byte) {
				for i := range dst {
					dst[i] = int64(binary.LittleEndian.Uint32(src[4*i:]))
				}
			})
		case t.Kind == types.Int64, sameScale && lay == vec.I64:
			return mk[int64](bs, 4, widen[int32, int64])
		case t.Kind == types.Float64:
			return mk[float64](bs, 4, widen[int32, float64])
		}
	case phys == parquet.Types.Int64: // the same
		switch {
		case t.Kind == types.Time:
			tm, ok := lt.(schema.TimeLogicalType)
			if ok && tm.TimeUnit() == schema.TimeUnitNanos {
				return mk[int64](bs, 8, nil)
			}
			if !ok || tm.TimeUnit() != schema.TimeUnitMicros {
				return nil
			}
			return mk[int64](bs, 8, func(dst []int64, src []byte) {
				for i := range dst {
					dst[i] = int64(binary.LittleEndian.Uint64(src[8*i:])) * 1000
				}
			})
		case isTS && (t.Kind == types.Timestamp || t.Kind == types.TimestampNTZ):
			switch unit {
			case schema.TimeUnitMillis:
				return mk[int64](bs, 8, func(dst []int64, src []byte) {
					for i := range dst {
						dst[i] = int64(binary.LittleEndian.Uint64(src[8*i:])) * 1000
					}
				})
			case schema.TimeUnitNanos:
				return nil // as in Spark
			}
			return mk[int64](bs, 8, nil)
		case t.Kind == types.Int64, t.Kind == types.DayTimeInterval, sameScale && lay == vec.I64:
			if it, ok := lt.(schema.IntLogicalType); ok && !it.IsSigned() {
				return nil
			}
			return mk[int64](bs, 8, nil)
		case sameScale:
			return mk[types.Int128](bs, 8, func(dst []types.Int128, src []byte) {
				for i := range dst {
					dst[i] = types.I128(int64(binary.LittleEndian.Uint64(src[8*i:])))
				}
			})
		}
	}
	return nil
}

// widerDecimal reads whole numbers and decimals as decimals with more digits on both sides of the point.
func widerDecimal(leaf *schema.Column, t *types.Type, bs base) column {
	phys, digits, scale, unsigned := leaf.PhysicalType(), 20, 0, false
	switch lt := leaf.LogicalType().(type) {
	case schema.DecimalLogicalType:
		digits, scale = int(lt.Precision()), int(lt.Scale())
	case schema.IntLogicalType:
		if unsigned = !lt.IsSigned(); unsigned && (phys != parquet.Types.Int64 || t.Precision != 20 || t.Scale != 0) {
			return nil
		}
		if phys == parquet.Types.Int32 {
			digits = 10
		}
	case schema.NoLogicalType:
		switch phys {
		case parquet.Types.Int32:
			digits = 10
		case parquet.Types.FixedLenByteArray:
			return nil
		}
	default:
		return nil
	}
	more := t.Scale - scale
	if more < 0 || t.Precision-digits < more {
		return nil
	}
	width := map[parquet.Type]int{parquet.Types.Int32: 4, parquet.Types.Int64: 8, parquet.Types.FixedLenByteArray: leaf.TypeLength()}[phys]
	if width < 1 || width > 16 {
		return nil
	}
	wide := func(dst []types.Int128, src []byte) {
		switch phys {
		case parquet.Types.Int32:
			for i := range dst {
				dst[i] = types.I128(int64(int32(binary.LittleEndian.Uint32(src[4*i:]))))
			}
		case parquet.Types.Int64:
			for i := range dst {
				x := binary.LittleEndian.Uint64(src[8*i:])
				if dst[i] = types.I128(int64(x)); unsigned {
					dst[i] = types.Int128{Lo: x}
				}
			}
		default:
			bigEndian128(dst, src, width)
		}
		for i := range dst {
			dst[i] = scaleUp(dst[i], more)
		}
	}
	if vec.LayoutOf(t) == vec.I128 {
		return mk[types.Int128](bs, width, wide)
	}
	return mk[int64](bs, width, func(dst []int64, src []byte) {
		tmp := make([]types.Int128, len(dst))
		wide(tmp, src)
		for i, x := range tmp {
			dst[i] = int64(x.Lo)
		}
	})
}

// mk makes a reader of values that are width bytes in the file; without conv they are T as they stand.
func mk[T vec.Fixed](bs base, width int, conv func([]T, []byte)) column {
	return &typed[T]{base: bs, width: width, conv: conv}
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
