package sketch

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Limits of the parameter k of KLL sketches.
const (
	MinK     = 8
	MaxK     = 65535
	DefaultK = 200
	kllM     = 8
)

// Number is what KLL sketches summarize.
type Number interface{ int64 | float32 | float64 }

// KLL is a quantiles sketch (Karnin, Lang, Liberty, FOCS 2016): levels of
// values, each value of level h standing for 2^h. Full levels are halved at
// random into the next. With no more than k values it is exact.
type KLL[T Number] struct {
	k, minK  int
	n        int64
	min, max T
	levels   [][]T // level 0 in order of arrival, the others sorted
	held     int
}

// NewKLL makes an empty sketch.
func NewKLL[T Number](k int) *KLL[T] { return &KLL[T]{k: k, minK: k, levels: make([][]T, 1)} }

// K is the sketch's parameter, N the number of values seen.
func (s *KLL[T]) K() int { return s.k }

// N is the number of values seen.
func (s *KLL[T]) N() int64 { return s.n }

// Size is the memory held, in bytes.
func (s *KLL[T]) Size() int64 {
	n := int64(96)
	for _, l := range s.levels {
		n += 24 + int64(cap(l))*8
	}
	return n
}

// levelCapacity is how many values a level may have: k at the top, two thirds of the next one below.
func levelCapacity(k, levels, level int) int {
	depth := levels - level - 1
	once := func(k, depth int) int {
		p := 1
		for range depth {
			p *= 3
		}
		return (k<<1<<depth/p + 1) >> 1
	}
	if depth > 30 {
		half := depth / 2
		return max(kllM, once(once(k, half), depth-half))
	}
	return max(kllM, once(k, depth))
}

func totalCapacity(k, levels int) int {
	n := 0
	for h := range levels {
		n += levelCapacity(k, levels, h)
	}
	return n
}

// Update adds a value; NaN is left out.
func (s *KLL[T]) Update(x T) {
	if x != x {
		return
	}
	s.bound(x, x)
	s.n++
	s.add(x)
}

func (s *KLL[T]) bound(lo, hi T) {
	if s.n == 0 {
		s.min, s.max = lo, hi
		return
	}
	s.min, s.max = min(s.min, lo), max(s.max, hi)
}

func (s *KLL[T]) add(x T) {
	if s.held >= totalCapacity(s.k, len(s.levels)) {
		s.compress()
	}
	s.levels[0] = append(s.levels[0], x)
	s.held++
}

// compress halves the lowest level that is full.
func (s *KLL[T]) compress() {
	for h := range s.levels {
		if len(s.levels[h]) >= levelCapacity(s.k, len(s.levels), h) {
			s.halve(h)
			return
		}
	}
}

func (s *KLL[T]) halve(h int) {
	l := s.levels[h]
	if h+1 == len(s.levels) {
		s.levels = append(s.levels, nil)
	}
	if h == 0 {
		slices.Sort(l)
	}
	var left []T
	if len(l)%2 == 1 { // one stays
		left = append(left, l[0])
		l = l[1:]
	}
	up := make([]T, 0, len(l)/2+len(s.levels[h+1]))
	for i := rand.IntN(2); i < len(l); i += 2 {
		up = append(up, l[i])
	}
	s.held -= len(l) - len(up)
	up = append(up, s.levels[h+1]...)
	slices.Sort(up)
	s.levels[h], s.levels[h+1] = left, up
}

// Merge adds all of another sketch.
func (s *KLL[T]) Merge(o *KLL[T]) {
	if o.n == 0 {
		return
	}
	s.bound(o.min, o.max)
	if len(o.levels) > 1 {
		s.minK = min(s.minK, o.minK)
	}
	s.n += o.n
	for len(s.levels) < len(o.levels) {
		s.levels = append(s.levels, nil)
	}
	for _, x := range o.levels[0] {
		s.add(x)
	}
	for h := 1; h < len(o.levels); h++ {
		s.levels[h] = append(s.levels[h], o.levels[h]...)
		slices.Sort(s.levels[h])
		s.held += len(o.levels[h])
	}
	for s.held > totalCapacity(s.k, len(s.levels)) {
		s.compress()
	}
}

// weighted are the values in order, with the weights of all up to each.
func (s *KLL[T]) weighted() (x []T, upTo []int64) {
	type pair struct {
		x T
		w int64
	}
	var all []pair
	for h, l := range s.levels {
		for _, x := range l {
			all = append(all, pair{x, 1 << h})
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].x < all[j].x })
	var sum int64
	for _, p := range all {
		sum += p.w
		x, upTo = append(x, p.x), append(upTo, sum)
	}
	return x, upTo
}

// Quantile is the least value at or below which a share of rank lies.
func (s *KLL[T]) Quantile(rank float64) T {
	switch rank {
	case 0:
		return s.min
	case 1:
		return s.max
	}
	x, upTo := s.weighted()
	want := int64(math.Ceil(rank * float64(s.n)))
	i := sort.Search(len(x), func(i int) bool { return upTo[i] >= want })
	return x[min(i, len(x)-1)]
}

// Rank is the share of values at or below x.
func (s *KLL[T]) Rank(v T) float64 {
	x, upTo := s.weighted()
	i := sort.Search(len(x), func(i int) bool { return x[i] > v })
	if i == 0 {
		return 0
	}
	return float64(upTo[i-1]) / float64(s.n)
}

const (
	familyKLL = 15
	kllEmpty  = 1
	kllSingle = 4
)

func appendNumber[T Number](b []byte, x T) []byte {
	switch x := any(x).(type) {
	case int64:
		return binary.LittleEndian.AppendUint64(b, uint64(x))
	case float64:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	case float32:
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func number[T Number](b []byte) T {
	var x T
	switch p := any(&x).(type) {
	case *int64:
		*p = int64(binary.LittleEndian.Uint64(b))
	case *float64:
		*p = math.Float64frombits(binary.LittleEndian.Uint64(b))
	case *float32:
		*p = math.Float32frombits(binary.LittleEndian.Uint32(b))
	}
	return x
}

func numberWidth[T Number]() int {
	var x T
	if _, ok := any(x).(float32); ok {
		return 4
	}
	return 8
}

// Bytes serializes the sketch in the compact form.
func (s *KLL[T]) Bytes() []byte {
	head := func(ints, version, flags byte) []byte {
		b := []byte{ints, version, familyKLL, flags}
		b = binary.LittleEndian.AppendUint16(b, uint16(s.k))
		return append(b, kllM, 0)
	}
	switch s.n {
	case 0:
		return head(2, 1, kllEmpty)
	case 1:
		return appendNumber(head(2, 2, kllSingle), s.min)
	}
	b := head(5, 1, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.n))
	b = binary.LittleEndian.AppendUint16(b, uint16(s.minK))
	b = append(b, byte(len(s.levels)), 0)
	at := totalCapacity(s.k, len(s.levels)) - s.held
	for _, l := range s.levels {
		b = binary.LittleEndian.AppendUint32(b, uint32(at))
		at += len(l)
	}
	b = appendNumber(appendNumber(b, s.min), s.max)
	for _, l := range s.levels {
		for _, x := range l {
			b = appendNumber(b, x)
		}
	}
	return b
}

// ReadKLL reads a compact sketch.
func ReadKLL[T Number](b []byte) (*KLL[T], error) {
	if len(b) < 8 || b[2] != familyKLL || b[6] != kllM {
		return nil, ErrFormat
	}
	s := NewKLL[T](int(binary.LittleEndian.Uint16(b[4:])))
	width := numberWidth[T]()
	if s.k < MinK {
		return nil, ErrFormat
	}
	switch {
	case b[3]&kllEmpty != 0:
		return s, nil
	case b[3]&kllSingle != 0:
		if len(b) < 8+width {
			return nil, ErrFormat
		}
		s.Update(number[T](b[8:]))
		return s, nil
	case b[0] != 5 || len(b) < 20:
		return nil, ErrFormat
	}
	s.n, s.minK = int64(binary.LittleEndian.Uint64(b[8:])), int(binary.LittleEndian.Uint16(b[16:]))
	levels := int(b[18])
	b = b[20:]
	if levels < 1 || levels > 61 || len(b) < 4*levels+2*width || s.n < 1 {
		return nil, ErrFormat
	}
	total := totalCapacity(s.k, levels)
	at := make([]int, levels+1)
	for h := range levels {
		at[h] = int(binary.LittleEndian.Uint32(b[4*h:]))
	}
	at[levels] = total
	b = b[4*levels:]
	s.min, s.max = number[T](b), number[T](b[width:])
	b = b[2*width:]
	s.levels = make([][]T, levels)
	for h := range levels {
		n := at[h+1] - at[h]
		if n < 0 || len(b)/width < n {
			return nil, ErrFormat
		}
		s.levels[h] = make([]T, n)
		for i := range n {
			s.levels[h][i] = number[T](b[width*i:])
		}
		b = b[width*n:]
		s.held += n
	}
	return s, nil
}

// Summary describes the sketch in lines, as datasketches-java does; show writes a value.
func (s *KLL[T]) Summary(kind string, show func(T) string) string {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "   %-23s: %s\n", name, value) }
	percent := func(x float64) string { return strconv.FormatFloat(x*100, 'f', 3, 64) + "%" }
	width := numberWidth[T]()
	total := totalCapacity(s.k, len(s.levels))
	b.WriteString("\n### KllKll" + kind + "Sketch Summary:\n")
	line("K", strconv.Itoa(s.k))
	line("Dynamic min K", strconv.Itoa(s.minK))
	line("M", strconv.Itoa(kllM))
	line("N", strconv.FormatInt(s.n, 10))
	line("Epsilon", percent(2.296/math.Pow(float64(s.minK), 0.9723)))
	line("Epsilon PMF", percent(2.446/math.Pow(float64(s.minK), 0.9433)))
	line("Empty", strconv.FormatBool(s.n == 0))
	line("Estimation Mode", strconv.FormatBool(len(s.levels) > 1))
	line("Levels", strconv.Itoa(len(s.levels)))
	line("Level 0 Sorted", "false")
	line("Capacity Items", strconv.Itoa(total))
	line("Retained Items", strconv.Itoa(s.held))
	line("Free Space", strconv.Itoa(total-s.held))
	line("ReadOnly", "false")
	line("Updatable Storage Bytes", strconv.Itoa(20+4*(len(s.levels)+1)+width*(2+total)))
	line("Compact Storage Bytes", strconv.Itoa(len(s.Bytes())))
	if s.n > 0 {
		line("Min Item", show(s.min))
		line("Max Item", show(s.max))
	}
	b.WriteString("### End sketch summary\n")
	return b.String()
}
