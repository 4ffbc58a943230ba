package fn

import (
	"encoding/binary"
	"math/bits"

	"neptune/arrowexec/vec"
)

// wordSet is a set of strings of up to seven bytes, each of them a word: the bytes,
// and the length above them. It is a hash table with linear probing, three quarters of it free.
type wordSet []uint64

const (
	shortText = 7
	freeWord  = ^uint64(0)
)

// newWordSet makes the set; nil if it is empty or a string is too long.
func newWordSet(strs map[string]struct{}) wordSet {
	for x := range strs {
		if len(x) > shortText {
			return nil
		}
	}
	if len(strs) == 0 {
		return nil
	}
	s := make(wordSet, 4<<bits.Len(uint(len(strs)-1)))
	for i := range s {
		s[i] = freeWord
	}
	for x := range strs {
		w := uint64(len(x)) << 56
		for k := range len(x) {
			w |= uint64(x[k]) << (8 * k)
		}
		at := s.slot(w)
		for s[at] != freeWord {
			at = (at + 1) & (len(s) - 1)
		}
		s[at] = w
	}
	return s
}

func (s wordSet) slot(w uint64) int { return int(vec.Hash64(w)) & (len(s) - 1) }

func (s wordSet) has(w uint64) bool {
	for at := s.slot(w); ; at = (at + 1) & (len(s) - 1) {
		if s[at] == w {
			return true
		}
		if s[at] == freeWord {
			return false
		}
	}
}

// in sets out where the row's string is one of the set.
func (s wordSet) in(a *Args, v *vec.Vector, out []bool) error {
	buf := v.Buf
	for i, r := range vec.Refs(v)[:len(out)] {
		if n := r.Len(); n <= shortText {
			at, w := r.Start(), uint64(n)<<56
			if at+8 <= len(buf) {
				w |= binary.LittleEndian.Uint64(buf[at:]) & (1<<(8*n) - 1)
			} else {
				for k, c := range buf[at : at+n] {
					w |= uint64(c) << (8 * k)
				}
			}
			out[i] = s.has(w)
		}
		if err := a.yields(i); err != nil {
			return err
		}
	}
	return nil
}
