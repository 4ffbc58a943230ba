package sketch

import (
	"encoding/binary"
	"math"
)

// CountMin counts how often values come (Cormode, Muthukrishnan, J. Algorithms
// 2005): each row of the table counts every value in one of its columns. Bytes
// are those of Spark's own count-min sketches.
type CountMin struct {
	width int
	total int64
	hash  []int64 // of each row
	table []int64 // row by row
}

// CountMinSize is the number of rows and columns for a relative error and a confidence.
func CountMinSize(eps, confidence float64) (depth, width float64) {
	return math.Ceil(-math.Log(1-confidence) / math.Log(2)), math.Ceil(2 / eps)
}

// NewCountMin makes an empty sketch. The factors of its hashes are those of
// java.util.Random: a linear congruential generator of 48 bits.
func NewCountMin(depth, width int, seed int64) *CountMin {
	const mask = 1<<48 - 1
	s := &CountMin{width: width, hash: make([]int64, depth), table: make([]int64, depth*width)}
	x := (uint64(seed) ^ 0x5deece66d) & mask
	for i := range s.hash {
		for { // uniform below 2^31-1
			x = (x*0x5deece66d + 0xb) & mask
			if r := int64(x >> 17); r != math.MaxInt32 {
				s.hash[i] = r
				break
			}
		}
	}
	return s
}

// Size is the memory held, in bytes.
func (s *CountMin) Size() int64 { return 64 + 8*int64(len(s.hash)+len(s.table)) }

// AddInt64 counts an integer.
func (s *CountMin) AddInt64(x int64) {
	for i, a := range s.hash {
		h := a * x
		h = (h + h>>32) & math.MaxInt32
		s.table[i*s.width+int(h)%s.width]++
	}
	s.total++
}

// AddHashes counts a value by two hashes of it.
func (s *CountMin) AddHashes(a, b int32) {
	for i := range s.hash {
		at := (a + int32(i)*b) % int32(s.width)
		s.table[i*s.width+int(max(at, -at))]++
	}
	s.total++
}

// Bytes serializes the sketch, in big-endian order.
func (s *CountMin) Bytes() []byte {
	be := binary.BigEndian
	b := make([]byte, 0, 20+8*(len(s.hash)+len(s.table)))
	b = be.AppendUint32(b, 1)
	b = be.AppendUint64(b, uint64(s.total))
	b = be.AppendUint32(b, uint32(len(s.hash)))
	b = be.AppendUint32(b, uint32(s.width))
	for _, x := range s.hash {
		b = be.AppendUint64(b, uint64(x))
	}
	for _, x := range s.table {
		b = be.AppendUint64(b, uint64(x))
	}
	return b
}

// MergeBytes adds a serialized sketch of the same size and seed.
func (s *CountMin) MergeBytes(b []byte) error {
	be := binary.BigEndian
	if len(b) != 20+8*(len(s.hash)+len(s.table)) || be.Uint32(b) != 1 || int(be.Uint32(b[12:])) != len(s.hash) {
		return ErrFormat
	}
	s.total += int64(be.Uint64(b[4:]))
	b = b[20+8*len(s.hash):]
	for i := range s.table {
		s.table[i] += int64(be.Uint64(b[8*i:]))
	}
	return nil
}
