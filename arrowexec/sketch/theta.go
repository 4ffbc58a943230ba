package sketch

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// Limits of the nominal entries of theta and tuple sketches, as powers of 2.
const (
	MinLgNom     = 4
	MaxLgNom     = 26
	DefaultLgNom = 12
)

const maxTheta = math.MaxInt64

// Theta is a theta sketch (Dasgupta, Lang, Rhodes, Thaler, ICDT 2016): the
// different hashes below theta. It updates as the QuickSelect variant does:
// past 15/16 of twice the nominal entries, theta becomes the (k+1)th smallest
// hash. With Summary width above 0 each hash carries that many bytes: a tuple
// sketch.
type Theta struct {
	lg    int
	theta uint64
	Empty bool
	table []uint64 // open addressing; 0 is a free place
	sum   []uint64 // tuple: the summary of each place
	n     int
	tuple bool
}

// NewTheta makes an empty sketch of 2^lg nominal entries.
func NewTheta(lg int) *Theta { return &Theta{lg: lg, theta: maxTheta, Empty: true} }

// NewTuple makes an empty sketch whose hashes carry a number each.
func NewTuple(lg int) *Theta { return &Theta{lg: lg, theta: maxTheta, Empty: true, tuple: true} }

// Size is the memory held, in bytes.
func (t *Theta) Size() int64 { return 96 + int64(cap(t.table)+cap(t.sum))*8 }

// Update adds a hash.
func (t *Theta) Update(h uint64) { t.UpdateSum(h, nil, 0) }

// UpdateSum adds a hash; f combines the summary that is there with x.
func (t *Theta) UpdateSum(h uint64, f func(old, x uint64) uint64, x uint64) {
	t.Empty = false
	if h == 0 || h >= t.theta {
		return
	}
	at, ok := t.find(h)
	if ok {
		if t.tuple {
			t.sum[at] = f(t.sum[at], x)
		}
		return
	}
	if (t.n+1)*4 > len(t.table)*3 {
		t.grow(max(32, 2*len(t.table)))
		at, _ = t.find(h)
	}
	t.table[at] = h
	if t.tuple {
		t.sum[at] = x
	}
	t.n++
	if t.n > 15<<(t.lg+1)/16 {
		t.Trim()
	}
}

func (t *Theta) find(h uint64) (int, bool) {
	if len(t.table) == 0 {
		return 0, false
	}
	mask := uint64(len(t.table) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		switch t.table[at] {
		case h:
			return int(at), true
		case 0:
			return int(at), false
		}
	}
}

func (t *Theta) grow(size int) {
	old, sum := t.table, t.sum
	t.table = make([]uint64, size)
	if t.tuple {
		t.sum = make([]uint64, size)
	}
	for i, h := range old {
		if h != 0 && h < t.theta {
			at, _ := t.find(h)
			t.table[at] = h
			if t.tuple {
				t.sum[at] = sum[i]
			}
		}
	}
}

// Trim leaves no more than the nominal entries.
func (t *Theta) Trim() {
	if t.n <= 1<<t.lg {
		return
	}
	l := t.hashes()
	slices.Sort(l)
	t.theta = l[1<<t.lg]
	t.n = 1 << t.lg
	t.grow(len(t.table))
}

func (t *Theta) hashes() []uint64 {
	l := make([]uint64, 0, t.n)
	for _, h := range t.table {
		if h != 0 && h < t.theta {
			l = append(l, h)
		}
	}
	return l
}

// lower makes theta no greater than x.
func (t *Theta) lower(x uint64) {
	if x < t.theta {
		t.theta = x
		t.n = len(t.hashes())
		t.grow(len(t.table))
	}
}

// Compact is the sketch in order, of no more than the nominal entries.
func (t *Theta) Compact() *Compact {
	t.Trim()
	c := &Compact{Theta: t.theta, Empty: t.Empty, Hash: t.hashes()}
	slices.Sort(c.Hash)
	if t.tuple {
		c.Sum = make([]uint64, len(c.Hash))
		for i, h := range c.Hash {
			at, _ := t.find(h)
			c.Sum[i] = t.sum[at]
		}
	}
	return c
}

// Union adds a sketch: all hashes below the lesser theta.
func (t *Theta) Union(c *Compact, f func(old, x uint64) uint64) {
	if c.Empty {
		return
	}
	t.Empty = false
	t.lower(c.Theta)
	for i, h := range c.Hash {
		if h >= t.theta {
			break
		}
		var x uint64
		if t.tuple {
			x = c.Sum[i]
		}
		t.UpdateSum(h, f, x)
	}
}

// Compact is a sketch that doesn't change: its hashes in order.
type Compact struct {
	Theta uint64
	Empty bool
	Hash  []uint64
	Sum   []uint64 // tuple sketches: one a hash
}

// Estimate is the number of different values.
func (c *Compact) Estimate() float64 {
	return float64(len(c.Hash)) * (float64(maxTheta) / float64(c.Theta))
}

// normal marks what holds nothing and has seen all as empty.
func (c *Compact) normal() *Compact {
	if len(c.Hash) == 0 && c.Theta == maxTheta {
		c.Empty = true
	}
	return c
}

// Intersect keeps the hashes of both.
func Intersect(a, b *Compact, f func(x, y uint64) uint64) *Compact {
	if a.Empty || b.Empty {
		return &Compact{Theta: maxTheta, Empty: true}
	}
	out := &Compact{Theta: min(a.Theta, b.Theta)}
	for i, j := 0, 0; i < len(a.Hash) && j < len(b.Hash); {
		x, y := a.Hash[i], b.Hash[j]
		switch {
		case x >= out.Theta || y >= out.Theta:
			return out.normal()
		case x < y:
			i++
		case y < x:
			j++
		default:
			out.Hash = append(out.Hash, x)
			if a.Sum != nil && b.Sum != nil {
				out.Sum = append(out.Sum, f(a.Sum[i], b.Sum[j]))
			} else if a.Sum != nil {
				out.Sum = append(out.Sum, a.Sum[i])
			}
			i, j = i+1, j+1
		}
	}
	return out.normal()
}

// Without keeps the hashes of a that b doesn't have.
func Without(a, b *Compact) *Compact {
	if a.Empty || b.Empty {
		return a
	}
	out := &Compact{Theta: min(a.Theta, b.Theta)}
	j := 0
	for i, x := range a.Hash {
		if x >= out.Theta {
			break
		}
		for j < len(b.Hash) && b.Hash[j] < x {
			j++
		}
		if j < len(b.Hash) && b.Hash[j] == x {
			continue
		}
		out.Hash = append(out.Hash, x)
		if a.Sum != nil {
			out.Sum = append(out.Sum, a.Sum[i])
		}
	}
	return out.normal()
}

// Flags of serialized sketches.
const (
	flagReadOnly = 1 << 1
	flagEmpty    = 1 << 2
	flagCompact  = 1 << 3
	flagOrdered  = 1 << 4
	flagSingle   = 1 << 5
)

const familyCompact = 3

// EmptyTheta is the serialized form of a theta sketch that has seen nothing.
func EmptyTheta() []byte {
	return []byte{1, 3, familyCompact, 0, 0, flagReadOnly | flagEmpty | flagCompact | flagOrdered, 0, 0}
}

// Bytes serializes a theta sketch, compressed (version 4: differences of the
// hashes in as few bits as the greatest needs, most significant first) where
// there is something to compress.
func (c *Compact) Bytes() []byte {
	exact := c.Theta == maxTheta
	switch {
	case c.Empty || len(c.Hash) == 0 && exact:
		return EmptyTheta()
	case len(c.Hash) == 0:
		b := []byte{3, 3, familyCompact, 0, 0, flagReadOnly | flagCompact | flagOrdered, seedHash & 0xff, seedHash >> 8}
		b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
		return binary.LittleEndian.AppendUint64(b, c.Theta)
	case len(c.Hash) == 1 && exact:
		b := []byte{1, 3, familyCompact, 0, 0, flagReadOnly | flagCompact | flagOrdered | flagSingle, seedHash & 0xff, seedHash >> 8}
		return binary.LittleEndian.AppendUint64(b, c.Hash[0])
	}
	var ored, prev uint64
	for _, h := range c.Hash {
		ored |= h - prev
		prev = h
	}
	width := bits.Len64(ored)
	counted := (bits.Len32(uint32(len(c.Hash))) + 7) / 8
	pre := byte(1)
	if !exact {
		pre = 2
	}
	b := []byte{pre, 4, familyCompact, byte(width), byte(counted), flagCompact | flagReadOnly | flagOrdered, seedHash & 0xff, seedHash >> 8}
	if !exact {
		b = binary.LittleEndian.AppendUint64(b, c.Theta)
	}
	for i := range counted {
		b = append(b, byte(len(c.Hash)>>(8*i)))
	}
	w := bitWriter{b: b}
	prev = 0
	for _, h := range c.Hash {
		w.put(h-prev, width)
		prev = h
	}
	return w.b
}

type bitWriter struct {
	b    []byte
	free int // bits left in the last byte
}

func (w *bitWriter) put(x uint64, n int) {
	for n > 0 {
		if w.free == 0 {
			w.b = append(w.b, 0)
			w.free = 8
		}
		k := min(n, w.free)
		part := byte(x>>(n-k)) & (1<<k - 1)
		w.b[len(w.b)-1] |= part << (w.free - k)
		n -= k
		w.free -= k
	}
}

// ReadTheta reads a compact theta sketch of version 3 or 4.
func ReadTheta(b []byte) (*Compact, error) {
	if len(b) < 8 || b[2] != familyCompact {
		return nil, ErrFormat
	}
	pre, flags := int(b[0]&0x3f), b[5]
	c := &Compact{Theta: maxTheta}
	seed := binary.LittleEndian.Uint16(b[6:])
	if b[1] == 3 && flags&flagEmpty != 0 {
		c.Empty = true
		return c, nil
	}
	if seed != seedHash {
		return nil, ErrFormat
	}
	switch b[1] {
	case 3:
		if flags&flagCompact == 0 || pre < 1 || pre > 3 || len(b) < 8*pre {
			return nil, ErrFormat
		}
		n := 1
		if pre > 1 {
			n = int(int32(binary.LittleEndian.Uint32(b[8:])))
		}
		if pre > 2 {
			c.Theta = binary.LittleEndian.Uint64(b[16:])
		}
		if n < 0 || (len(b)-8*pre)/8 < n {
			return nil, ErrFormat
		}
		for i := range n {
			c.Hash = append(c.Hash, binary.LittleEndian.Uint64(b[8*(pre+i):]))
		}
		if flags&flagOrdered == 0 {
			slices.Sort(c.Hash)
		}
		return c, nil
	case 4:
		width, counted := int(b[3]), int(b[4])
		b = b[8:]
		if pre > 1 {
			if len(b) < 8 {
				return nil, ErrFormat
			}
			c.Theta = binary.LittleEndian.Uint64(b)
			b = b[8:]
		}
		if len(b) < counted || counted > 4 || width < 1 || width > 63 {
			return nil, ErrFormat
		}
		n := 0
		for i := range counted {
			n |= int(b[i]) << (8 * i)
		}
		b = b[counted:]
		if (n*width+7)/8 > len(b) {
			return nil, ErrFormat
		}
		c.Hash = make([]uint64, n)
		var prev uint64
		at := 0
		for i := range c.Hash {
			var x uint64
			for k := width; k > 0; {
				have := 8 - at&7
				use := min(have, k)
				x = x<<use | uint64(b[at>>3]>>(have-use))&(1<<use-1)
				at += use
				k -= use
			}
			prev += x
			c.Hash[i] = prev
		}
		return c, nil
	}
	return nil, ErrFormat
}
