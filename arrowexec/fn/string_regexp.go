package fn

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// groups gives the match at or after byte from as pairs of byte offsets, one a group (-1: it took no part); nil: none.
func (r *Regexp) groups(s string, from int) ([]int, error) {
	if r.re != nil {
		if from == 0 {
			return r.re.FindStringSubmatchIndex(s), nil
		}
		// ^ and \b look at what stands before: all matches are listed from the start.
		for _, m := range r.re.FindAllStringSubmatchIndex(s, -1) {
			if m[0] >= from {
				return m, nil
			}
		}
		return nil, nil
	}
	all, err := r.all(s, -1)
	for _, m := range all {
		if m[0] >= from {
			return m, err
		}
	}
	return nil, err
}

// all gives up to limit matches (-1: all) that don't overlap.
func (r *Regexp) all(s string, limit int) ([][]int, error) {
	if r.re != nil {
		return r.re.FindAllStringSubmatchIndex(s, limit), nil
	}
	var out [][]int
	m, err := r.bre.FindStringMatch(s)
	for m != nil && err == nil && (limit < 0 || len(out) < limit) {
		g := m.Groups()
		idx := make([]int, 0, 2*len(g))
		for k := range g {
			if len(g[k].Captures) == 0 {
				idx = append(idx, -1, -1)
				continue
			}
			from, n := g[k].ByteRange()
			idx = append(idx, from, from+n)
		}
		out = append(out, idx)
		m, err = r.bre.FindNextMatch(m)
	}
	return out, err
}

// count is the number of groups.
func (r *Regexp) count() int {
	if r.re != nil {
		return r.re.NumSubexp()
	}
	return len(r.bre.GetGroupNumbers()) - 1
}

// split cuts a text as Spark's split does: up to limit parts (limit <= 0: all), empty ones at the end stay.
func (r *Regexp) split(s string, limit int) ([]string, error) {
	if s == "" {
		return []string{""}, nil
	}
	ms, err := r.all(s, -1)
	if err != nil {
		return nil, err
	}
	var out []string
	at := 0
	for _, m := range ms {
		if limit > 0 && len(out) == limit-1 {
			break
		}
		if m[1] == 0 || m[0] == m[1] && m[0] >= len(s) {
			continue // an empty match at either end cuts nothing
		}
		out = append(out, s[at:m[0]])
		at = m[1]
	}
	return append(out, s[at:]), nil
}

func badPattern(a *Args, param, p string, err error) error {
	return errs.New(errs.Runtime, "INVALID_PARAMETER_VALUE.PATTERN", "parameter", errs.ID(param), "functionName", errs.ID(a.Call.Name), "value", errs.Text(p)).Because(err).At(a.pos())
}

// patternOf gives the compiled pattern in argument k of row i.
func patternOf(a *Args, k, i int) (*Regexp, error) {
	cache, err := state(a, func() (map[string]*Regexp, error) { return map[string]*Regexp{}, nil })
	if err != nil {
		return nil, err
	}
	p := a.V[k].Str(i)
	re := cache[p]
	if re == nil {
		src := p
		if c := collationOf(a.V[0].Type); c != nil && c.Lower() {
			src = "(?i)" + p
		}
		if re, err = CompileRegexp(src); err != nil {
			return nil, badPattern(a, "regexp", p, err)
		}
		if len(cache) >= cacheMost {
			clear(cache)
		}
		cache[strings.Clone(p)] = re
	}
	return re, nil
}

// groupOf checks the number of the group that is asked for (1 by default).
func groupOf(a *Args, re *Regexp, i int) (int, error) {
	g := 1
	if len(a.V) > 2 {
		g = a.i32(2, i)
	}
	if n := re.count(); g < 0 || g > n {
		return 0, errs.New(errs.Runtime, "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "parameter", errs.ID("idx"), "functionName", errs.ID(a.Call.Name), "groupCount", strconv.Itoa(n), "groupIndex", strconv.Itoa(g)).At(a.pos())
	}
	return g, nil
}

// eachPattern runs f over the rows that aren't skipped, with its pattern.
func eachPattern(a *Args, k int, skip func(i int), f func(i int, re *Regexp) error) error {
	for i := range a.N {
		if a.skipped(i) {
			skip(i)
			continue
		}
		re, err := patternOf(a, k, i)
		if err != nil {
			return err
		}
		if err := f(i, re); err != nil {
			return err
		}
		if err := a.yields(i); err != nil {
			return err
		}
	}
	return nil
}

func regexpExtract(a *Args) (*vec.Vector, error) {
	b := newStrings(a.N, 0)
	err := eachPattern(a, 1, func(int) { b.add(nil) }, func(i int, re *Regexp) error {
		s := a.V[0].Str(i)
		m, err := re.groups(s, 0)
		if err != nil || m == nil { // without a match the group doesn't matter
			b.add(nil)
			return err
		}
		g, err := groupOf(a, re, i)
		if err != nil {
			return err
		}
		if m[2*g] >= 0 {
			b.add([]byte(s[m[2*g]:m[2*g+1]]))
		} else {
			b.add(nil)
		}
		return nil
	})
	return b.finish(a.Ret), err
}

func regexpExtractAll(a *Args) (*vec.Vector, error) {
	b := vec.NewBuilder(a.Ret, a.N)
	err := eachPattern(a, 1, func(int) { b.EndList(0) }, func(i int, re *Regexp) error {
		s := a.V[0].Str(i)
		ms, err := re.all(s, -1)
		if err != nil || len(ms) == 0 { // without a match the group doesn't matter
			b.EndList(0)
			return err
		}
		g, err := groupOf(a, re, i)
		if err != nil {
			return err
		}
		for _, m := range ms {
			if m[2*g] < 0 {
				b.Child(0).AppendString("")
			} else {
				b.Child(0).AppendString(s[m[2*g]:m[2*g+1]])
			}
		}
		b.EndList(len(ms))
		return err
	})
	if err != nil {
		return nil, err
	}
	return b.Finish(), nil
}

// regexpCount counts matches; regexpPlace gives the position of the first, from 1, or 0.
func regexpCount(place bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]int32, a.N)
		err := eachPattern(a, 1, func(int) {}, func(i int, re *Regexp) error {
			s := a.V[0].Str(i)
			if place {
				m, err := re.groups(s, 0)
				if m != nil {
					out[i] = int32(utf8.RuneCountInString(s[:m[0]]) + 1)
				}
				return err
			}
			ms, err := re.all(s, -1)
			out[i] = int32(len(ms))
			return err
		})
		return vec.FromSlice(a.Ret, out, nil), err
	}
}

func regexpSubstr(a *Args) (*vec.Vector, error) {
	b := newStrings(a.N, 0)
	err := eachPattern(a, 1, func(int) { b.add(nil) }, func(i int, re *Regexp) error {
		s := a.V[0].Str(i)
		m, err := re.groups(s, 0)
		if m == nil || m[0] == m[1] { // an empty match is none, as in Spark
			b.addNull(a.N)
		} else {
			b.add([]byte(s[m[0]:m[1]]))
		}
		return err
	})
	return b.finish(a.Ret), err
}

// expand writes a replacement in Java's syntax: $1 and ${name} are groups, \ quotes.
func (r *Regexp) expand(dst []byte, rep, s string, m []int) ([]byte, bool) {
	for i := 0; i < len(rep); i++ {
		switch c := rep[i]; {
		case c == '\\':
			if i++; i >= len(rep) {
				return dst, false
			}
			dst = append(dst, rep[i])
		case c == '$':
			g, n := 0, 0
			if i+1 < len(rep) && rep[i+1] == '{' {
				end := strings.IndexByte(rep[i:], '}')
				if end < 0 || r.re == nil {
					return dst, false
				}
				if g = r.re.SubexpIndex(rep[i+2 : i+end]); g < 0 {
					return dst, false
				}
				n = end
			} else {
				// As many digits as still name a group.
				for n = 0; i+n+1 < len(rep) && rep[i+n+1] >= '0' && rep[i+n+1] <= '9'; n++ {
					v := g*10 + int(rep[i+n+1]-'0')
					if n > 0 && v >= len(m)/2 {
						break
					}
					g = v
				}
				if n == 0 || g >= len(m)/2 {
					return dst, false
				}
			}
			if m[2*g] >= 0 {
				dst = append(dst, s[m[2*g]:m[2*g+1]]...)
			}
			i += n
		default:
			dst = append(dst, c)
		}
	}
	return dst, true
}

func regexpReplace(a *Args) (*vec.Vector, error) {
	b := newStrings(a.N, 0)
	err := eachPattern(a, 1, func(int) { b.add(nil) }, func(i int, re *Regexp) error {
		s, rep, start := a.V[0].Str(i), a.V[2].Str(i), len(b.buf)
		from := 0
		if len(a.V) > 3 {
			if p := a.i32(3, i); p > 1 {
				from = runeOffset(a.V[0].Bytes(i), p-1)
			}
		}
		ms, err := re.all(s[from:], -1)
		if err != nil {
			return errs.Internalf("regular expression: %v", err)
		}
		b.buf = append(b.buf, s[:from]...)
		t, at, next := s[from:], 0, 0
		for _, m := range ms {
			a.grown(&next, len(b.buf))
			b.buf = append(b.buf, t[at:m[0]]...)
			var ok bool
			if b.buf, ok = re.expand(b.buf, rep, t, m); !ok {
				return errs.New(errs.Runtime, "INVALID_REGEXP_REPLACE", "source", s, "pattern", a.V[1].Str(i), "replacement", rep, "position", strconv.Itoa(from+1)).At(a.pos())
			}
			at = m[1]
		}
		b.buf = append(b.buf, t[at:]...)
		b.end(start)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b.finish(a.Ret), nil
}

func splitText(a *Args) (*vec.Vector, error) {
	b := vec.NewBuilder(a.Ret, a.N)
	err := eachPattern(a, 1, func(int) { b.EndList(0) }, func(i int, re *Regexp) error {
		limit := -1
		if len(a.V) > 2 {
			limit = a.i32(2, i)
		}
		parts, err := re.split(a.V[0].Str(i), limit)
		for _, p := range parts {
			b.Child(0).AppendString(p)
		}
		b.EndList(len(parts))
		return err
	})
	if err != nil {
		return nil, err
	}
	return b.Finish(), nil
}

func regexpFunctions() []Def {
	str, i32 := gives(types.StringType), gives(types.Int32Type)
	def := func(name, since, usage, sql, want string, o ...Overload) Def {
		return Def{Name: name, Since: since, Group: "string_funcs", Usage: usage, Kind: plan.FnScalar, Overloads: o, Examples: []Example{{sql, want}}}
	}
	list, nullable := gives(types.NewArray(types.StringType, true)), gives(types.NewArray(types.StringType, false))
	substr := def("regexp_substr", "3.4.0", "Gives the first part of a text that matches a regular expression, or NULL.", "SELECT regexp_substr('Steven Jones and Stephen Smith', 'Ste(v|ph)en')", "Steven", sig(str, regexpSubstr, stringP, stringP))
	substr.Nulls = NullMaybe
	return []Def{
		def("regexp_extract", "1.5.0", "Gives a group of the first match of a regular expression.", "SELECT regexp_extract('100-200', '(\\\\d+)-(\\\\d+)', 1)", "100", sig(str, regexpExtract, stringP, stringP), sig(str, regexpExtract, stringP, stringP, int32P)),
		def("regexp_extract_all", "3.1.0", "Gives a group of all matches of a regular expression.", "SELECT regexp_extract_all('100-200, 300-400', '(\\\\d+)-(\\\\d+)', 1)", `["100","300"]`, sig(list, regexpExtractAll, stringP, stringP), sig(list, regexpExtractAll, stringP, stringP, int32P)),
		def("regexp_replace", "1.5.0", "Replaces all matches of a regular expression.", "SELECT regexp_replace('100-200', '(\\\\d+)', 'num')", "num-num", sig(str, regexpReplace, stringP, stringP, stringP), sig(str, regexpReplace, stringP, stringP, stringP, int32P)),
		def("regexp_count", "3.4.0", "Counts the matches of a regular expression.", "SELECT regexp_count('Steven Jones and Stephen Smith', 'Ste(v|ph)en')", "2", sig(i32, regexpCount(false), stringP, stringP)),
		def("regexp_instr", "3.4.0", "Gives the position of the first match of a regular expression, from 1; 0 if there is none.", "SELECT regexp_instr('user@spark.apache.org', '@[^.]*')", "5", sig(i32, regexpCount(true), stringP, stringP), sig(i32, regexpCount(true), stringP, stringP, int32P)),
		substr,
		def("split", "1.5.0", "Cuts a text at the matches of a regular expression, into at most so many parts.", "SELECT split('oneAtwoBthreeC', '[ABC]')", `["one","two","three",""]`, sig(nullable, splitText, stringP, stringP), sig(nullable, splitText, stringP, stringP, int32P)),
	}
}
