package fn

import (
	"bytes"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// search finds one text in many rows. Rows that lie one behind the other are
// looked through as one text, by the byte of the searched one that is rarest in
// the data: a row without it costs next to nothing.
type search struct {
	text []byte
	at   int    // where its rarest byte is
	rare byte   // that byte
	dear bool   // it isn't rare at all
	hits uint64 // how often it was seen,
	seen uint64 // in how many bytes
}

const (
	// sampleBytes of the first batch tell how often each byte occurs.
	sampleBytes = 8 << 10
	// searchBytes are looked through between two yield points, at least a row.
	searchBytes = 128 << 10
	// searchGap is how many bytes between rows are looked through for nothing.
	searchGap = 64
	// rareBytes is how far apart the rarest byte must be to look for it first.
	rareBytes = 12
)

// newSearch searches for one of texts, none of which is empty: the one that seems to be the
// quickest to look for. v is a sample of the rows.
func newSearch(texts [][]byte, v *vec.Vector) *search {
	var count [256]int
	left := sampleBytes
	for i, r := range vec.Refs(v) {
		if left <= 0 {
			break
		}
		if v.Null != nil && v.Null[i] {
			continue
		}
		n := min(r.Len(), left)
		left -= n
		for _, c := range v.Buf[r.Start() : r.Start()+n] {
			count[c]++
		}
	}
	s := &search{text: texts[0], rare: texts[0][0]}
	for _, t := range texts {
		for i, c := range t {
			if count[c] < count[s.rare] {
				s.text, s.at, s.rare = t, i, c
			}
		}
	}
	return s
}

// next is where in b[from:] the text begins next, or -1.
func (s *search) next(b []byte, from int) int {
	if s.dear {
		if i := bytes.Index(b[from:], s.text); i >= 0 {
			return from + i
		}
		return -1
	}
	n := len(s.text)
	for from+n <= len(b) {
		i := bytes.IndexByte(b[from+s.at:], s.rare)
		if i < 0 {
			break
		}
		s.hits++
		if from += i; from+n > len(b) {
			break
		}
		if string(b[from:from+n]) == string(s.text) {
			return from
		}
		from++
	}
	return -1
}

// rows sets out where a row has the text and accept, if there is one, takes the row.
func (s *search) rows(a *Args, v *vec.Vector, out []bool, accept func([]byte) bool) error {
	refs := vec.Refs(v)[:len(out)]
	for i := 0; i < len(refs); {
		if a.skipped(i) {
			i++
			continue
		}
		lo := refs[i].Start()
		hi := lo + refs[i].Len()
		j := i + 1
		for ; j < len(refs) && j-i < yieldEach && hi-lo < searchBytes; j++ {
			if a.skipped(j) {
				continue
			}
			at := refs[j].Start()
			if at < hi || at > hi+searchGap {
				break
			}
			hi = at + refs[j].Len()
		}
		text := v.Buf[:hi]
		for k, at := i, lo; k < j; {
			p := s.next(text, at)
			if p < 0 {
				break
			}
			for k < j && (a.skipped(k) || refs[k].Start()+refs[k].Len() <= p) {
				k++
			}
			if k == j {
				break
			}
			from, to := refs[k].Start(), refs[k].Start()+refs[k].Len()
			if p < from { // between rows
				at = from
				continue
			}
			if p+len(s.text) <= to { // not from one row into the next
				out[k] = accept == nil || accept(v.Buf[from:to])
			}
			at = to
			k++
		}
		i = j
		if s.seen += uint64(hi - lo); s.hits > 64 && s.hits*rareBytes > s.seen {
			s.dear = true
		}
		if err := a.Env.Yield(); err != nil {
			return err
		}
	}
	return nil
}

// contains looks for one text in all rows, or for each row's own.
func contains(a *Args) (*vec.Vector, error) {
	if a.N == 0 || a.Const[1] == nil || a.V[1].IsNull(0) || len(a.V[1].Bytes(0)) == 0 {
		return boolKernel(bytes.Contains)(a)
	}
	s, err := state(a, func() (*search, error) {
		return newSearch([][]byte{bytes.Clone(a.V[1].Bytes(0))}, a.V[0]), nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]bool, a.N)
	if err := s.rows(a, a.V[0], out, nil); err != nil {
		return nil, err
	}
	return vec.FromSlice(types.BoolType, out, nil), nil
}
