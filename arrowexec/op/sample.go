package op

import (
	"math/bits"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// xorShift is the generator that Spark samples with: Marsaglia's 64-bit
// xorshift with shifts (21, 35, 4), seeded through Murmur3 of the seed's bytes.
type xorShift struct{ seed int64 }

func newXorShift(seed int64) *xorShift {
	// scala.util.hashing.MurmurHash3.bytesHash over the seed, big endian.
	var buf [8]byte
	for i := range 8 {
		buf[i] = byte(uint64(seed) >> (56 - 8*i))
	}
	low := murmurArray(buf[:], 0x3c074a61)
	high := murmurArray(buf[:], low)
	return &xorShift{int64(uint64(high)<<32 | uint64(low))}
}

// murmurArray is Murmur3_x86_32 (Austin Appleby's) of a multiple of 4 bytes.
func murmurArray(b []byte, h uint32) uint32 {
	n := len(b)
	for ; len(b) >= 4; b = b[4:] {
		k := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
		k = bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
		h = bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64
	}
	h ^= uint32(n)
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

func (x *xorShift) next(n uint) int32 {
	s := x.seed ^ x.seed<<21
	s ^= int64(uint64(s) >> 35)
	s ^= s << 4
	x.seed = s
	return int32(s & (1<<n - 1))
}

// double is java.util.Random's nextDouble over next.
func (x *xorShift) double() float64 {
	hi := int64(x.next(26)) << 27
	return float64(hi+int64(x.next(27))) * (1.0 / (1 << 53))
}

// sample keeps rows whose random number is within bounds, or repeats rows by a Poisson variable.
type sample struct {
	unary
	node *physical.Sample
	rand *xorShift
	more *replacing // with replacement
}

// NewSample samples in as physical.Sample says; partition p uses seed + p, or, with replacement, the number p of java.util.Random.
func NewSample(in Operator, n *physical.Sample) Operator { return &sample{unary: unary{in}, node: n} }

func (s *sample) Open(c *task.Ctx) error {
	seed := s.node.Seed + int64(c.Info.Partition)
	if s.node.WithReplacement {
		mean := s.node.Upper - s.node.Lower
		if mean >= maxPoisson {
			return errs.NotSupported("sampling with replacement by a fraction of 40 or more")
		}
		s.more = newReplacing(mean, javaLong(s.node.Seed, c.Info.Partition))
	}
	s.rand = newXorShift(seed)
	return s.input.Open(c)
}

func (s *sample) Close() error          { return s.input.Close() }
func (s *sample) Schema() []*types.Type { return s.input.Schema() }

func (s *sample) Next(c *task.Ctx) (*vec.Batch, error) {
	for {
		b, err := s.input.Next(c)
		if err != nil {
			return nil, err
		}
		var sel []int32
		for i := 0; i < b.N; i++ {
			r := int32(i)
			if b.Sel != nil {
				r = b.Sel[i]
			}
			switch {
			case s.more != nil:
				for range s.more.times() {
					sel = append(sel, r)
				}
			case s.node.Upper <= s.node.Lower: // nothing
			case s.node.Lower <= 0 && s.node.Upper >= 1:
				sel = append(sel, r)
			default:
				if x := s.rand.double(); x >= s.node.Lower && x < s.node.Upper {
					sel = append(sel, r)
				}
			}
		}
		if err := c.Yield(); err != nil {
			return nil, err
		}
		if len(sel) > 0 {
			return &vec.Batch{N: len(sel), Cols: b.Cols, Sel: sel}, nil
		}
	}
}
