package datasource

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"neptune/arrowexec/vec"
)

// bounds are the least and the greatest value of a chunk, in Parquet's order of its
// type: numbers by value, without NaN; byte arrays by their bytes; decimals in bytes by value.
type bounds struct {
	any        bool
	iMin, iMax int64   // of integers, and booleans as 0 and 1
	fMin, fMax float64 // of floats
	bMin, bMax []byte
}

func addBounds[T int32 | int64 | float32 | float64](b *bounds, x []T) {
	if len(x) == 0 {
		return
	}
	switch any(x[0]).(type) {
	case int32, int64:
		lo, hi := x[0], x[0]
		for _, v := range x[1:] {
			lo, hi = min(lo, v), max(hi, v)
		}
		b.ints(int64(lo), int64(hi))
	default:
		for _, v := range x {
			if v != v {
				continue
			}
			f := float64(v)
			if !b.any {
				b.any, b.fMin, b.fMax = true, f, f
			} else if f < b.fMin {
				b.fMin = f
			} else if f > b.fMax {
				b.fMax = f
			}
		}
	}
}

func (b *bounds) ints(lo, hi int64) {
	if !b.any {
		b.any, b.iMin, b.iMax = true, lo, hi
	}
	b.iMin, b.iMax = min(b.iMin, lo), max(b.iMax, hi)
}

func (b *bounds) bools(x []uint8) {
	lo, hi := uint8(1), uint8(0)
	for _, v := range x {
		lo, hi = lo&v, hi|v
	}
	b.ints(int64(lo), int64(hi))
}

// bytes takes one value; signed ones are numbers in two's complement, all of one length.
func (b *bounds) bytes(v []byte, signed bool) {
	less := func(x, y []byte) bool {
		if signed && (x[0]^y[0])&0x80 != 0 {
			return x[0]&0x80 != 0
		}
		return bytes.Compare(x, y) < 0
	}
	if !b.any {
		b.any = true
		b.bMin, b.bMax = append([]byte{}, v...), append([]byte{}, v...)
	} else if less(v, b.bMin) {
		b.bMin = append(b.bMin[:0], v...)
	} else if less(b.bMax, v) {
		b.bMax = append(b.bMax[:0], v...)
	}
}

// strings takes many values: most are told apart by their first eight bytes.
func (b *bounds) strings(buf []byte, refs []vec.Ref) {
	lo, hi := uint64(0), uint64(0)
	for _, r := range refs {
		s := buf[r.Start() : r.Start()+r.Len()]
		var head uint64
		if r.Start()+8 <= len(buf) {
			head = binary.BigEndian.Uint64(buf[r.Start():])
			if len(s) < 8 {
				head &= ^uint64(0) << (64 - 8*len(s))
			}
		} else {
			head = prefix(s)
		}
		if b.any && head > lo && head < hi {
			continue
		}
		b.bytes(s, false)
		lo, hi = prefix(b.bMin), prefix(b.bMax)
	}
}

// prefix is the first eight bytes as a number, filled with zeros.
func prefix(s []byte) uint64 {
	var b [8]byte
	copy(b[:], s)
	return binary.BigEndian.Uint64(b[:])
}

// statBytes is the longest value that statistics have.
const statBytes = 4096

func (b *bounds) encode(w *leafWriter, nulls int64) metadata.EncodedStatistics {
	out := metadata.EncodedStatistics{HasNullCount: true, NullCount: nulls, Signed: w.col.SortOrder() == schema.SortSIGNED}
	if !b.any {
		return out
	}
	lo, hi := b.bMin, b.bMax
	switch w.phys {
	case parquet.Types.Boolean:
		lo, hi = []byte{byte(b.iMin)}, []byte{byte(b.iMax)}
	case parquet.Types.Int32:
		lo, hi = binary.LittleEndian.AppendUint32(nil, uint32(b.iMin)), binary.LittleEndian.AppendUint32(nil, uint32(b.iMax))
	case parquet.Types.Int64:
		lo, hi = binary.LittleEndian.AppendUint64(nil, uint64(b.iMin)), binary.LittleEndian.AppendUint64(nil, uint64(b.iMax))
	case parquet.Types.Float, parquet.Types.Double:
		least, most := b.fMin, b.fMax
		if least == 0 { // the order of -0.0 and 0.0 isn't settled: the bounds hold both
			least = math.Copysign(0, -1)
		}
		if most == 0 {
			most = 0
		}
		if w.phys == parquet.Types.Float {
			lo = binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(least)))
			hi = binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(most)))
		} else {
			lo = binary.LittleEndian.AppendUint64(nil, math.Float64bits(least))
			hi = binary.LittleEndian.AppendUint64(nil, math.Float64bits(most))
		}
	}
	out.SetMin(lo)
	out.SetMax(hi)
	out.ApplyStatSizeLimits(statBytes)
	return out
}
