package op

import (
	"math/bits"

	"neptune/arrowexec/vec"
)

// wordSorter sorts words by all bits from low on: packed keys with their row's
// number below, which needn't be in order. It is sorter for half the memory.
type wordSorter struct {
	low   int
	yield func() error
	work  int
}

// wordsCache is up to how many words both copies fit in the L2 cache.
const wordsCache = 2 * radixCache

func (s *wordSorter) tick(n int) error {
	if s.work += n; s.work < sortStep {
		return nil
	}
	s.work = 0
	return s.yield()
}

// msd sorts src, leaving the result in src, or in oth if toOth.
func (s *wordSorter) msd(src, oth []uint64, toOth bool) error {
	n := len(src)
	if n <= radixSmall {
		for i := 1; i < n; i++ {
			w := src[i]
			j := i
			for j > 0 && src[j-1] > w {
				src[j] = src[j-1]
				j--
			}
			src[j] = w
		}
		if toOth {
			copy(oth, src)
		}
		return s.tick(n)
	}
	var diff uint64
	first := src[0]
	for from := 0; from < n; from += sortStep {
		part := src[from:min(n, from+sortStep)]
		for _, w := range part {
			diff |= w ^ first
		}
		if err := s.tick(len(part)); err != nil {
			return err
		}
	}
	if diff >>= s.low; diff == 0 {
		if toOth {
			for from := 0; from < n; from += sortStep {
				if err := s.tick(copy(oth[from:], src[from:min(n, from+sortStep)])); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if n <= wordsCache {
		return s.lsd(src, oth, toOth, bits.Len64(diff))
	}
	shift := s.low + max(0, bits.Len64(diff)-radixBits)
	var counts, pos [1 << radixBits]int32
	const mask = 1<<radixBits - 1
	for from := 0; from < n; from += sortStep {
		part := src[from:min(n, from+sortStep)]
		for _, w := range part {
			counts[w>>shift&mask]++
		}
		if err := s.tick(len(part)); err != nil {
			return err
		}
	}
	sum := int32(0)
	for i, c := range counts {
		pos[i] = sum
		sum += c
	}
	for from := 0; from < n; from += sortStep {
		part := src[from:min(n, from+sortStep)]
		for _, w := range part {
			d := w >> shift & mask
			oth[pos[d]] = w
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

// lsd sorts few words that differ in width bits above low, in passes of equal width.
func (s *wordSorter) lsd(src, oth []uint64, toOth bool, width int) error {
	passes := (width + 7) / 8
	digit := (width + passes - 1) / passes
	mask := uint64(1)<<digit - 1
	at, to := src, oth[:len(src)]
	for p := range passes {
		shift := s.low + p*digit
		var pos [256]int32
		for _, w := range at {
			pos[w>>shift&mask&255]++
		}
		sum := int32(0)
		for i, c := range pos {
			pos[i] = sum
			sum += c
		}
		for _, w := range at {
			d := w >> shift & mask & 255
			to[pos[d]] = w
			pos[d]++
		}
		at, to = to, at
		if err := s.tick(2 * len(src)); err != nil {
			return err
		}
	}
	if in := passes%2 == 1; in != toOth {
		if toOth {
			copy(oth, src)
		} else {
			copy(src, oth)
		}
	}
	return nil
}

// sortPacked returns the rows 0..n in the order of their packed keys.
func sortPacked(words []uint64, rowBits int, yield func() error) ([]int32, error) {
	s := &wordSorter{low: rowBits, yield: yield}
	other, err := vec.Zeroed[uint64](len(words), yield) // see sortFresh
	if err != nil {
		return nil, err
	}
	if err := s.msd(words, other, false); err != nil {
		return nil, err
	}
	out := vec.Uncleared[int32](len(words))
	mask := uint64(1)<<rowBits - 1
	for from := 0; from < len(words); from += sortStep {
		for i, w := range words[from:min(len(words), from+sortStep)] {
			out[from+i] = int32(w & mask)
		}
		if err := yield(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
