package sketch

import (
	"encoding/binary"
	"errors"
	"math"
)

// Mode says how summaries of one key become one.
type Mode byte

// The modes, in the order of their numbers in serialized sketches.
const (
	Sum Mode = iota
	Min
	Max
	AlwaysOne
)

// Summary is the kind of summary that a tuple sketch's keys carry: a double or
// a 32-bit integer, in 64 bits of memory.
type Summary struct {
	Double bool
	Mode   Mode
}

// Start is the summary of a key after its first value.
func (s Summary) Start(x uint64) uint64 {
	if s.Mode == AlwaysOne {
		return s.One()
	}
	return x
}

// One is the summary 1.
func (s Summary) One() uint64 {
	if s.Double {
		return math.Float64bits(1)
	}
	return 1
}

// Neutral is the summary that changes no other: what keys of a theta sketch carry.
func (s Summary) Neutral() uint64 {
	switch {
	case s.Mode == AlwaysOne:
		return s.One()
	case s.Mode == Sum:
		return 0
	case s.Double && s.Mode == Min:
		return math.Float64bits(math.Inf(1))
	case s.Double:
		return math.Float64bits(math.Inf(-1))
	case s.Mode == Min:
		return math.MaxInt32
	}
	return 1<<64 - 1<<31
}

// Join makes one summary of two.
func (s Summary) Join(x, y uint64) uint64 {
	if s.Mode == AlwaysOne {
		return s.One()
	}
	if s.Double {
		a, b := math.Float64frombits(x), math.Float64frombits(y)
		switch {
		case s.Mode == Sum:
			a += b
		case s.Mode == Min && b < a, s.Mode == Max && b > a:
			a = b
		}
		return math.Float64bits(a)
	}
	a, b := int32(x), int32(y)
	switch {
	case s.Mode == Sum:
		a += b
	case s.Mode == Min && b < a, s.Mode == Max && b > a:
		a = b
	}
	return uint64(int64(a))
}

const familyTuple = 9

// ErrFamily is a sketch of another family; Error is that family's name.
type ErrFamily string

func (e ErrFamily) Error() string { return string(e) }

var errShort = errors.New("too few bytes")

var families = map[byte]string{1: "ALPHA", 2: "QUICKSELECT", 3: "COMPACT", 4: "UNION", 5: "INTERSECTION", 6: "A_NOT_B", 7: "HLL", 8: "QUANTILES",
	9: "TUPLE", 10: "FREQUENCY", 11: "RESERVOIR", 12: "RESERVOIR_UNION", 13: "VAROPT", 14: "VAROPT_UNION", 15: "KLL", 16: "CPC", 17: "REQ", 18: "COUNTMIN", 19: "EBPPS"}

// TupleBytes serializes a tuple sketch (version 3): hashes, each with its summary and the mode.
func (c *Compact) TupleBytes(s Summary) []byte {
	exact := c.Theta == maxTheta
	pre := byte(1)
	switch {
	case c.Empty:
	case !exact:
		pre = 3
	case len(c.Hash) != 1:
		pre = 2
	}
	flags := byte(flagReadOnly | flagCompact)
	if c.Empty {
		flags |= flagEmpty
	}
	b := []byte{pre, 3, familyTuple, 1, 0, flags, seedHash & 0xff, seedHash >> 8}
	if pre > 1 {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(c.Hash)))
	}
	if pre > 2 {
		b = binary.LittleEndian.AppendUint64(b, c.Theta)
	}
	for i, h := range c.Hash {
		b = binary.LittleEndian.AppendUint64(b, h)
		if s.Double {
			b = binary.LittleEndian.AppendUint64(b, c.Sum[i])
		} else {
			b = binary.LittleEndian.AppendUint32(b, uint32(c.Sum[i]))
		}
		b = append(b, byte(s.Mode))
	}
	return b
}

// ReadTuple reads a tuple sketch of doubles or of integers.
func ReadTuple(b []byte, double bool) (*Compact, error) {
	if len(b) < 8 {
		return nil, errShort
	}
	if b[2] != familyTuple {
		if n, ok := families[b[2]]; ok {
			return nil, ErrFamily(n)
		}
		return nil, ErrFormat
	}
	pre, flags := int(b[0]), b[5]
	c := &Compact{Theta: maxTheta, Empty: flags&flagEmpty != 0, Sum: []uint64{}}
	if b[1] != 3 || b[3] != 1 || pre < 1 || pre > 3 || len(b) < 8*pre {
		return nil, ErrFormat
	}
	if c.Empty {
		return c, nil
	}
	n := 1
	if pre > 1 {
		n = int(int32(binary.LittleEndian.Uint32(b[8:])))
	}
	if pre > 2 {
		c.Theta = binary.LittleEndian.Uint64(b[16:])
	}
	width := 13
	if double {
		width = 17
	}
	b = b[8*pre:]
	if n < 0 || len(b)/width < n {
		return nil, ErrFormat
	}
	t := NewTuple(MaxLgNom)
	t.Empty = false
	for range n {
		h := binary.LittleEndian.Uint64(b)
		x := uint64(int64(int32(binary.LittleEndian.Uint32(b[8:]))))
		if double {
			x = binary.LittleEndian.Uint64(b[8:])
		}
		t.UpdateSum(h, func(old, _ uint64) uint64 { return old }, x)
		b = b[width:]
	}
	out := t.Compact()
	out.Theta = c.Theta
	return out, nil
}

// WithSum gives each hash of a theta sketch a summary.
func (c *Compact) WithSum(x uint64) *Compact {
	out := *c
	out.Sum = make([]uint64, len(c.Hash))
	for i := range out.Sum {
		out.Sum[i] = x
	}
	return &out
}

// Total makes one summary of all; ok is false when there is none.
func (c *Compact) Total(s Summary) (x uint64, ok bool) {
	for i, y := range c.Sum {
		switch {
		case i == 0:
			x = y
		default:
			x = s.Join(x, y)
		}
	}
	return x, len(c.Sum) > 0
}
