package op

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"neptune/arrowexec/vec"
)

// entry is a row to sort: eight bytes of its normalised key, and its number.
type entry struct {
	key uint64
	row int32
}

const (
	sortStep   = 4096 // entries between yield points
	radixSmall = 32   // up to here: insertion sort
	radixCache = 8192 // up to here both copies fit in the L2 cache: byte passes from the right
	radixBits  = 11

	compareCost = 8 // a comparison of keys in memory, in steps of an entry
)

// sorter sorts entries by keys: radix sort from the left until a bucket fits
// the cache, then from the right, skipping bytes in which no keys differ.
// Keys longer than eight bytes are sorted eight bytes at a time, and only
// where the bytes before are equal. No step runs longer than sortStep entries
// between calls of yield.
type sorter struct {
	keys  *vec.SortKeys // nil: eight bytes are all
	yield func() error
	work  int
}

// tick counts work, and yields when there was enough.
func (s *sorter) tick(n int) error {
	s.work += n
	if s.work < sortStep {
		return nil
	}
	s.work = 0
	return s.yield()
}

// sortFresh sorts a, with scratch of its own. The passes write there all over the
// place: it is cleared first, in steps, so that they don't meet thousands of pages that the
// system has yet to give.
func (s *sorter) sortFresh(a []entry) error {
	other, err := vec.Zeroed[entry](len(a), s.yield)
	if err != nil {
		return err
	}
	return s.sort(a, other, 0)
}

// sort sorts a. other is scratch of the same length.
func (s *sorter) sort(a, other []entry, depth int) error {
	if s.keys != nil {
		for from := 0; from < len(a); from += sortStep {
			part := a[from:min(len(a), from+sortStep)]
			for i := range part {
				part[i].key = prefixAt(s.keys.Key(int(part[i].row)), depth)
			}
			if err := s.tick(len(part)); err != nil {
				return err
			}
		}
	}
	if err := s.msd(a, other, false); err != nil {
		return err
	}
	if s.keys == nil || s.keys.Off == nil && s.keys.Width <= depth+8 {
		return nil
	}
	for from := 0; from < len(a); {
		to := from + 1
		for to < len(a) && a[to].key == a[from].key {
			to++
			if to%sortStep == 0 {
				if err := s.yield(); err != nil {
					return err
				}
			}
		}
		if n := to - from; n > 1 && len(s.keys.Key(int(a[from].row))) > depth+8 {
			if err := s.deeper(a[from:to], other[from:to], depth+8); err != nil {
				return err
			}
		}
		if err := s.tick(to - from); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// deeper sorts rows whose keys are equal before depth.
func (s *sorter) deeper(a, other []entry, depth int) error {
	if len(a) > radixSmall {
		return s.sort(a, other, depth)
	}
	moves := 0
	for i := 1; i < len(a); i++ {
		e := a[i]
		k := s.keys.Key(int(e.row))[depth:]
		j := i
		for j > 0 && bytes.Compare(s.keys.Key(int(a[j-1].row))[depth:], k) > 0 {
			a[j] = a[j-1]
			j--
		}
		a[j] = e
		moves += i - j + 1
	}
	return s.tick(compareCost * moves)
}

// prefixAt loads eight bytes from depth on, zeros after the end.
func prefixAt(key []byte, depth int) uint64 {
	if len(key) >= depth+8 {
		return binary.BigEndian.Uint64(key[depth:])
	}
	var b [8]byte
	if depth < len(key) {
		copy(b[:], key[depth:])
	}
	return binary.BigEndian.Uint64(b[:])
}

// msd sorts src by key, leaving the result in src, or in oth if toOth.
func (s *sorter) msd(src, oth []entry, toOth bool) error {
	n := len(src)
	if n <= radixSmall {
		insertion(src)
		if toOth {
			copy(oth, src)
		}
		return s.tick(n)
	}
	var diff uint64
	first := src[0].key
	for from := 0; from < n; from += sortStep {
		part := src[from:min(n, from+sortStep)]
		for i := range part {
			diff |= part[i].key ^ first
		}
		if err := s.tick(len(part)); err != nil {
			return err
		}
	}
	if diff == 0 {
		return s.copyIf(oth, src, toOth)
	}
	if n <= radixCache {
		return s.lsd(src, oth, toOth, diff)
	}
	shift := max(0, bits.Len64(diff)-radixBits)
	var counts [1 << radixBits]int32
	const mask = 1<<radixBits - 1
	for from := 0; from < n; from += sortStep {
		part := src[from:min(n, from+sortStep)]
		for i := range part {
			counts[part[i].key>>shift&mask]++
		}
		if err := s.tick(len(part)); err != nil {
			return err
		}
	}
	var pos [1 << radixBits]int32
	sum := int32(0)
	for i, c := range counts {
		pos[i] = sum
		sum += c
	}
	for from := 0; from < n; from += sortStep {
		part := src[from:min(n, from+sortStep)]
		for _, e := range part {
			d := e.key >> shift & mask
			oth[pos[d]] = e
			pos[d]++
		}
		if err := s.tick(len(part)); err != nil {
			return err
		}
	}
	at := int32(0)
	for _, c := range counts {
		if c > 0 {
			if err := s.msd(oth[at:at+c], src[at:at+c], !toOth); err != nil {
				return err
			}
			at += c
		}
	}
	return nil
}

func (s *sorter) copyIf(dst, src []entry, yes bool) error {
	if yes {
		for from := 0; from < len(src); from += sortStep {
			if err := s.tick(copy(dst[from:], src[from:min(len(src), from+sortStep)])); err != nil {
				return err
			}
		}
	}
	return nil
}

// lsd sorts few entries by the bytes in which keys differ.
func (s *sorter) lsd(src, oth []entry, toOth bool, diff uint64) error {
	at := src
	in := false // the data is in oth
	for shift := 0; shift < 64; shift += 8 {
		if diff>>shift&0xFF == 0 {
			continue
		}
		var pos [256]int32
		for i := range at {
			pos[at[i].key>>shift&0xFF]++
		}
		sum := int32(0)
		for i, c := range pos {
			pos[i] = sum
			sum += c
		}
		to := oth
		if in {
			to = src
		}
		to = to[:len(at)]
		for _, e := range at {
			d := e.key >> shift & 0xFF
			to[pos[d]] = e
			pos[d]++
		}
		at, in = to, !in
		if err := s.tick(2 * len(src)); err != nil {
			return err
		}
	}
	if in != toOth {
		if toOth {
			copy(oth, src)
		} else {
			copy(src, oth)
		}
	}
	return s.tick(len(src))
}

func insertion(a []entry) {
	for i := 1; i < len(a); i++ {
		e := a[i]
		j := i
		for j > 0 && a[j-1].key > e.key {
			a[j] = a[j-1]
			j--
		}
		a[j] = e
	}
}
