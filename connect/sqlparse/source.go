package sqlparse

import (
	"sort"
	"unicode/utf8"

	"neptune/internal/errs"
)

// source is the text being parsed, with what is needed to turn byte offsets
// into Spark's positions: characters (code points) from 0, lines from 1.
type source struct {
	sql   string
	ascii bool
	lines []int32 // byte offset of each line's start
	// marks are byte offsets of every 256th character, when not ASCII.
	marks []int32
	slab  []errs.Origin
	last  int // line of the last look-up
}

const markEvery = 256

func newSource(sql string) *source {
	s := &source{sql: sql, ascii: true, lines: []int32{0}}
	for i := 0; i < len(sql); i++ {
		c := sql[i]
		if c == '\n' {
			s.lines = append(s.lines, int32(i+1))
		} else if c >= utf8.RuneSelf {
			s.ascii = false
		}
	}
	if !s.ascii {
		n := 0
		for i := range sql {
			if n%markEvery == 0 {
				s.marks = append(s.marks, int32(i))
			}
			n++
		}
	}
	return s
}

// char turns a byte offset into a character offset.
func (s *source) char(off int) int {
	if s.ascii {
		return off
	}
	m := sort.Search(len(s.marks), func(i int) bool { return int(s.marks[i]) > off }) - 1
	if m < 0 {
		return 0
	}
	return m*markEvery + utf8.RuneCountInString(s.sql[s.marks[m]:off])
}

func (s *source) line(off int) int {
	l := s.last
	if int(s.lines[l]) > off || l+1 < len(s.lines) && int(s.lines[l+1]) <= off {
		l = sort.Search(len(s.lines), func(i int) bool { return int(s.lines[i]) > off }) - 1
		s.last = l
	}
	return l
}

// origin is the position of sql[start:end].
func (s *source) origin(start, end int) *errs.Origin {
	if len(s.slab) == 0 {
		s.slab = make([]errs.Origin, 32)
	}
	o := &s.slab[0]
	s.slab = s.slab[1:]
	l := s.line(start)
	first := s.char(start)
	o.SQL = s.sql
	o.Start = first
	o.Stop = s.char(end) - 1
	o.Line = l + 1
	o.Col = first - s.char(int(s.lines[l]))
	return o
}
