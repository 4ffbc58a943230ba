package sketch

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Parameters of sketches of frequent items.
const (
	itemsLgMin   = 3    // log2 of the least table
	itemsSamples = 1024 // counters that a purge looks at
	itemsFamily  = 10
)

// Items is a sketch of the most frequent items in the format of Apache DataSketches (Anderson et al., A High-Performance
// Algorithm for Identifying Frequent Items in Data Streams, IMC 2017): counters in a table with linear probing. When no
// more fit in, the median of (a sample of) the counters is taken off all, and those that have nothing left are dropped.
// Below that it is exact. Items are told apart by their bytes; their hashes, which decide over the order of equal counts,
// are the caller's.
type Items struct {
	lgMax  int
	keys   []string
	hashes []int32 // as Java's hashCode
	counts []int64
	drift  []uint16 // 1 and how far an item is from its place; 0: free
	active int
	bytes  int64 // of keys
	offset int64 // what purges took off
	weight int64 // of all items seen
}

// NewItems makes an empty sketch whose table has at most 2^lgMax places, three quarters of which it uses.
func NewItems(lgMax int) *Items { return newItems(lgMax, itemsLgMin) }

func newItems(lgMax, lg int) *Items {
	s := &Items{lgMax: max(lgMax, itemsLgMin)}
	s.table(1 << max(lg, itemsLgMin))
	return s
}

func (s *Items) table(n int) {
	s.keys, s.hashes, s.counts, s.drift, s.active, s.bytes = make([]string, n), make([]int32, n), make([]int64, n), make([]uint16, n), 0, 0
}

// Size is the memory held, in bytes.
func (s *Items) Size() int64 { return 128 + int64(len(s.keys))*30 + s.bytes }

// Update counts n more of an item with a hash.
func (s *Items) Update(key []byte, hash int32, n int64) {
	if n <= 0 {
		return
	}
	s.weight += n
	at := s.probe(key, hash)
	if s.drift[at] != 0 {
		s.counts[at] += n
		return
	}
	s.insert(at, string(key), hash, n)
}

// probe is where an item is, or would be.
func (s *Items) probe(key []byte, hash int32) int {
	mask := len(s.keys) - 1
	at := int(mix(uint64(int64(hash)))) & mask
	for s.drift[at] != 0 && s.keys[at] != string(key) {
		at = (at + 1) & mask
	}
	return at
}

func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

func (s *Items) insert(at int, key string, hash int32, n int64) {
	mask := len(s.keys) - 1
	s.keys[at], s.hashes[at], s.counts[at] = key, hash, n
	s.drift[at] = uint16((at-int(mix(uint64(int64(hash)))))&mask + 1)
	s.active++
	s.bytes += int64(len(key))
	switch {
	case s.active <= len(s.keys)/4*3:
	case len(s.keys) < 1<<s.lgMax:
		s.grow()
	default:
		s.purge()
	}
}

func (s *Items) grow() {
	keys, hashes, counts, drift := s.keys, s.hashes, s.counts, s.drift
	s.table(2 * len(keys))
	for i, d := range drift {
		if d != 0 {
			mask := len(s.keys) - 1
			at := int(mix(uint64(int64(hashes[i])))) & mask
			for s.drift[at] != 0 {
				at = (at + 1) & mask
			}
			s.insert(at, keys[i], hashes[i], counts[i])
		}
	}
}

// purge takes the median of the first counters off all.
func (s *Items) purge() {
	sample := make([]int64, 0, min(itemsSamples, (1<<s.lgMax)/4*3, s.active))
	for i := 0; len(sample) < cap(sample); i++ {
		if s.drift[i] != 0 {
			sample = append(sample, s.counts[i])
		}
	}
	slices.Sort(sample)
	off := sample[len(sample)/2]
	s.offset += off
	for i := range s.counts {
		s.counts[i] -= off
	}
	// From the back of one run of items to the front, so that what moves up has been looked at.
	first := len(s.drift) - 1
	for s.drift[first] != 0 {
		first--
	}
	for i := first - 1; i >= 0; i-- {
		s.drop(i)
	}
	for i := len(s.drift) - 1; i >= first; i-- {
		s.drop(i)
	}
}

// drop frees a place whose counter has nothing left, and moves items up that were pushed behind it.
func (s *Items) drop(i int) {
	if s.drift[i] == 0 || s.counts[i] > 0 {
		return
	}
	s.active--
	s.bytes -= int64(len(s.keys[i]))
	mask := len(s.keys) - 1
	s.drift[i] = 0
	free, gap := i, 1
	for at := (free + 1) & mask; s.drift[at] != 0; at = (at + 1) & mask {
		if int(s.drift[at]) > gap {
			s.keys[free], s.hashes[free], s.counts[free] = s.keys[at], s.hashes[at], s.counts[at]
			s.drift[free] = s.drift[at] - uint16(gap)
			s.drift[at] = 0
			free, gap = at, 0
		}
		gap++
	}
	s.keys[free] = ""
}

// each calls f for all items, by strides of the golden ratio: items that are neighbours in one table aren't
// put beside one another in the next.
func (s *Items) each(f func(i int)) {
	mask := len(s.keys) - 1
	stride := int(float64(len(s.keys))*((math.Sqrt(5)-1)/2)) | 1
	for i, n := 0, 0; n < s.active; i = (i + stride) & mask {
		if s.drift[i] != 0 {
			n++
			f(i)
		}
	}
}

// Merge adds what another sketch has seen.
func (s *Items) Merge(o *Items) {
	if o.active == 0 {
		return
	}
	weight := s.weight + o.weight
	o.each(func(i int) { s.Update([]byte(o.keys[i]), o.hashes[i], o.counts[i]) })
	s.offset += o.offset
	s.weight = weight
}

// Frequent is an item and how often it came: at most that often, and at least as often less what purges took off.
type Frequent struct {
	Key      string
	Estimate int64
}

// Frequent gives the items that are surely more frequent than any that isn't given, most frequent ones first.
func (s *Items) Frequent() []Frequent {
	var out []Frequent
	s.each(func(i int) {
		if s.counts[i] >= s.offset {
			out = append(out, Frequent{s.keys[i], s.counts[i] + s.offset})
		}
	})
	slices.SortStableFunc(out, func(a, b Frequent) int {
		switch {
		case a.Estimate > b.Estimate:
			return -1
		case a.Estimate < b.Estimate:
			return 1
		}
		return 0
	})
	return out
}

// Bytes is the sketch in the format of DataSketches; put appends items in the format of their type.
func (s *Items) Bytes(dst []byte, put func(dst []byte, keys []string) []byte) []byte {
	lg := 0
	for 1<<lg < len(s.keys) {
		lg++
	}
	if s.active == 0 {
		return append(dst, 1, 1, itemsFamily, byte(s.lgMax), byte(lg), 5, 0, 0)
	}
	dst = append(dst, 4, 1, itemsFamily, byte(s.lgMax), byte(lg), 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.active))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.weight))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.offset))
	keys := make([]string, 0, s.active)
	for i, d := range s.drift {
		if d != 0 {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(s.counts[i]))
			keys = append(keys, s.keys[i])
		}
	}
	return put(dst, keys)
}

// ReadItems reads what Bytes wrote; take reads n items, and calls add with each and its hash.
func ReadItems(b []byte, take func(b []byte, n int, add func(key []byte, hash int32)) error) (*Items, error) {
	if len(b) < 8 || b[1] != 1 || b[2] != itemsFamily || b[3] > 26 || b[4] > b[3] && b[4] > itemsLgMin {
		return nil, fmt.Errorf("no sketch of frequent items")
	}
	empty := b[5]&5 != 0
	if empty != (b[0] == 1) || !empty && (b[0] != 4 || len(b) < 32) {
		return nil, fmt.Errorf("a broken sketch of frequent items")
	}
	if empty {
		return NewItems(int(b[3])), nil
	}
	n := int(binary.LittleEndian.Uint32(b[8:]))
	if n < 0 || n > len(b)/8 {
		return nil, fmt.Errorf("a broken sketch of frequent items")
	}
	counts := b[32:]
	if len(counts) < 8*n {
		return nil, fmt.Errorf("a broken sketch of frequent items")
	}
	s := newItems(int(b[3]), int(b[4]))
	s.offset = int64(binary.LittleEndian.Uint64(b[24:]))
	k := 0
	err := take(counts[8*n:], n, func(key []byte, hash int32) {
		s.Update(key, hash, int64(binary.LittleEndian.Uint64(counts[8*k:])))
		k++
	})
	s.weight = int64(binary.LittleEndian.Uint64(b[16:]))
	return s, err
}
