package fn

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// likePattern is a compiled LIKE: the runs of text between the % signs. A
// run with _ in it is matched character by character.
type likePattern struct {
	runs       []likeRun
	start, end bool // the text must start with the first run, end with the last
	plain      bool // no % at all
}

type likeRun struct {
	text []byte
	any  []int // byte offsets in text at which one character of any kind stands
}

// compileLike parses a pattern; escape 0 is none.
func compileLike(pattern string, escape rune, pos *errs.Origin) (*likePattern, error) {
	p := &likePattern{start: true, end: true, plain: true}
	var run likeRun
	rs := []rune(pattern)
	first := true
	flush := func() {
		if len(run.text) > 0 || len(run.any) > 0 {
			p.runs = append(p.runs, run)
		}
		run = likeRun{}
	}
	for i := 0; i < len(rs); i++ {
		switch c := rs[i]; {
		case c == escape && escape != 0:
			if i+1 >= len(rs) {
				return nil, errs.New(errs.Analysis, "INVALID_FORMAT.ESC_AT_THE_END", "format", errs.Text(pattern)).At(pos)
			}
			i++
			if n := rs[i]; n != '_' && n != '%' && n != escape {
				return nil, errs.New(errs.Analysis, "INVALID_FORMAT.ESC_IN_THE_MIDDLE", "format", errs.Text(pattern), "char", errs.Text(string(n))).At(pos)
			}
			run.text = utf8.AppendRune(run.text, rs[i])
			p.end = true
		case c == '%':
			if first {
				p.start = false
			}
			p.end, p.plain = false, false
			flush()
		case c == '_':
			run.any = append(run.any, len(run.text))
			run.text = append(run.text, 0)
			p.end = true
		default:
			run.text = utf8.AppendRune(run.text, c)
			p.end = true
		}
		first = false
	}
	flush()
	return p, nil
}

// at matches the run at the start of s and gives the length it took, or -1.
func (r *likeRun) at(s []byte) int {
	if len(r.any) == 0 {
		if !bytes.HasPrefix(s, r.text) {
			return -1
		}
		return len(r.text)
	}
	n, from := 0, 0
	for _, hole := range r.any {
		part := r.text[from:hole]
		if !bytes.HasPrefix(s[n:], part) {
			return -1
		}
		n += len(part)
		if n >= len(s) {
			return -1
		}
		_, w := utf8.DecodeRune(s[n:])
		n += w
		from = hole + 1
	}
	if !bytes.HasPrefix(s[n:], r.text[from:]) {
		return -1
	}
	return n + len(r.text) - from
}

// find looks for the run from the left and gives where it ends, or -1.
func (r *likeRun) find(s []byte) int {
	if len(r.any) == 0 {
		i := bytes.Index(s, r.text)
		if i < 0 {
			return -1
		}
		return i + len(r.text)
	}
	for i := 0; i <= len(s); {
		if n := r.at(s[i:]); n >= 0 {
			return i + n
		}
		if i == len(s) {
			break
		}
		_, w := utf8.DecodeRune(s[i:])
		i += w
	}
	return -1
}

// ends reports whether the run matches exactly at the end of s.
func (r *likeRun) ends(s []byte) bool {
	if len(r.any) == 0 {
		return bytes.HasSuffix(s, r.text)
	}
	// As many characters from the end as the run has.
	chars := 0
	from := 0
	for _, hole := range r.any {
		chars += utf8.RuneCount(r.text[from:hole]) + 1
		from = hole + 1
	}
	chars += utf8.RuneCount(r.text[from:])
	i := len(s)
	for range chars {
		if i == 0 {
			return false
		}
		_, w := utf8.DecodeLastRune(s[:i])
		i -= w
	}
	return r.at(s[i:]) == len(s)-i
}

// match reports whether all of s matches.
func (p *likePattern) match(s []byte) bool {
	runs := p.runs
	if len(runs) == 0 {
		return !p.plain || len(s) == 0
	}
	if p.plain {
		return runs[0].at(s) == len(s)
	}
	if p.start {
		n := runs[0].at(s)
		if n < 0 {
			return false
		}
		s, runs = s[n:], runs[1:]
	}
	for i := range runs {
		if i == len(runs)-1 && p.end {
			return runs[i].ends(s)
		}
		n := runs[i].find(s)
		if n < 0 {
			return false
		}
		s = s[n:]
	}
	return true
}

// within are the texts that a row must have somewhere, if it pays to look for one
// of them first: not if comparing the row's start tells more at once.
func (p *likePattern) within() [][]byte {
	if p.plain || p.start {
		return nil
	}
	var out [][]byte
	for i := range p.runs {
		if r := &p.runs[i]; len(r.any) == 0 && len(r.text) > 0 {
			out = append(out, r.text)
		}
	}
	return out
}

func escapeOf(a *Args) (rune, error) {
	if len(a.V) < 3 {
		return '\\', nil
	}
	if a.N == 0 || a.V[2].IsNull(0) {
		return 0, nil
	}
	r, n := utf8.DecodeRune(a.V[2].Bytes(0))
	if n != len(a.V[2].Bytes(0)) || n == 0 {
		return 0, errs.New(errs.Analysis, "INVALID_ESCAPE_CHAR", "sqlExpr", errs.Quote(a.V[2].Str(0))).At(a.pos())
	}
	return r, nil
}

// likes are patterns compiled so far: one, unless the pattern is a column.
type likes struct {
	patterns map[string]*likePattern
	only     *likePattern // the one pattern, if rows are looked through for
	search   *search      // this
}

func like(fold bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		st, err := state(a, func() (*likes, error) { return &likes{patterns: map[string]*likePattern{}}, nil })
		if err != nil {
			return nil, err
		}
		out := make([]bool, a.N)
		esc, err := escapeOf(a)
		if err != nil {
			return nil, err
		}
		fold := fold
		if c := collationOf(a.V[0].Type); c != nil && c.Lower() {
			fold = true
		}
		if st.search != nil {
			if err := st.search.rows(a, a.V[0], out, st.only.match); err != nil {
				return nil, err
			}
			return vec.FromSlice(types.BoolType, out, nil), nil
		}
		cache := st.patterns
		var p *likePattern
		for i := range out {
			if a.skipped(i) {
				continue
			}
			if p == nil || a.Const[1] == nil {
				text := a.V[1].Str(i)
				if p = cache[text]; p == nil {
					src := text
					if fold {
						src = strings.ToLower(text)
					}
					if p, err = compileLike(src, esc, a.pos()); err != nil {
						return nil, err
					}
					if len(cache) > 256 {
						clear(cache)
					}
					cache[strings.Clone(text)] = p
				}
				if texts := p.within(); a.Const[1] != nil && !fold && len(texts) > 0 {
					st.only, st.search = p, newSearch(texts, a.V[0])
					if err := st.search.rows(a, a.V[0], out, p.match); err != nil {
						return nil, err
					}
					break
				}
			}
			s := a.V[0].Bytes(i)
			if fold {
				s = bytes.ToLower(s)
			}
			out[i] = p.match(s)
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return vec.FromSlice(types.BoolType, out, nil), nil
	}
}

// likeMany is LIKE ALL and its relatives over a list of patterns, three-valued.
func likeMany(fold, negate, all bool) Kernel {
	one := like(fold)
	return func(a *Args) (*vec.Vector, error) {
		out := make([]bool, a.N)
		for i := range out {
			out[i] = all
		}
		v := vec.FromSlice(types.BoolType, out, nil)
		unknown := make([]bool, a.N)
		for k := 1; k < len(a.V); k++ {
			pair := Args{Env: a.Env, N: a.N, V: []*vec.Vector{a.V[0], a.V[k]}, Ret: a.Ret, Call: a.Call, Const: []*plan.Literal{nil, a.Const[k]}, State: new(any)}
			pair.Skip = anyNull(pair.V, a.N)
			m, err := one(&pair)
			if err != nil {
				return nil, err
			}
			for i, x := range vec.Of[bool](m) {
				switch {
				case pair.Skip != nil && pair.Skip[i]:
					unknown[i] = true
				case (x != negate) != all:
					out[i] = !all
				}
			}
		}
		for i := range out {
			if unknown[i] && out[i] == all {
				setNull(v, i)
			}
		}
		return v, nil
	}
}

// Regexp is a Java regular expression, run by Go's engine where both mean the
// same, by a backtracking one otherwise.
type Regexp struct {
	re  *regexp.Regexp
	bre *regexp2.Regexp
}

// CompileRegexp compiles a pattern in Java's syntax.
func CompileRegexp(pattern string) (*Regexp, error) {
	if !strings.ContainsAny(pattern, `\[(`) || goRegexp(pattern) {
		if re, err := regexp.Compile(pattern); err == nil {
			return &Regexp{re: re}, nil
		}
	}
	bre, err := regexp2.Compile(pattern, regexp2.None)
	if err != nil {
		return nil, err
	}
	return &Regexp{bre: bre}, nil
}

// goRegexp reports whether a pattern uses only what Java and Go read alike:
// no look-around, back-references, possessive quantifiers, class intersections, or odd escapes.
func goRegexp(p string) bool {
	if strings.Contains(p, "&&") || strings.Contains(p, "(?") && !strings.Contains(p, "(?:") && !strings.Contains(p, "(?i)") ||
		strings.Contains(p, "(?=") || strings.Contains(p, "(?!") || strings.Contains(p, "(?<") || strings.Contains(p, "(?>") ||
		strings.Contains(p, "++") || strings.Contains(p, "*+") || strings.Contains(p, "?+") || strings.Contains(p, "}+") {
		return false
	}
	depth := 0
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '[':
			depth++
			if depth > 1 {
				return false // Java nests classes
			}
		case ']':
			depth = 0
		case '\\':
			i++
			if i >= len(p) || !strings.ContainsRune(`dDwWsSbB\.[]{}()*+?^$|/-"'tnr`, rune(p[i])) {
				return false
			}
		}
	}
	return true
}

// MatchString reports whether the pattern occurs in s.
func (r *Regexp) MatchString(s string) (bool, error) {
	if r.re != nil {
		return r.re.MatchString(s), nil
	}
	return r.bre.MatchString(s)
}

func rlike(a *Args) (*vec.Vector, error) {
	cache, err := state(a, func() (map[string]*Regexp, error) { return map[string]*Regexp{}, nil })
	if err != nil {
		return nil, err
	}
	out := make([]bool, a.N)
	for i := range out {
		if a.skipped(i) {
			continue
		}
		p := a.V[1].Str(i)
		re := cache[p]
		if re == nil {
			if re, err = CompileRegexp(p); err != nil {
				return nil, errs.New(errs.Runtime, "INVALID_PARAMETER_VALUE.PATTERN", "parameter", errs.ID("regexp"), "functionName", errs.ID("rlike"), "value", errs.Text(p)).Because(err).At(a.pos())
			}
			if len(cache) > 256 {
				clear(cache)
			}
			cache[strings.Clone(p)] = re
		}
		if out[i], err = re.MatchString(a.V[0].Str(i)); err != nil {
			return nil, errs.Internalf("regular expression %s: %v", p, err)
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return vec.FromSlice(types.BoolType, out, nil), nil
}

func patterns() []Def {
	boolRet := gives(types.BoolType)
	infixNot := func(word string) func([]string) string {
		return func(a []string) string { return a[0] + " " + word + " " + a[1] }
	}
	out := []Def{
		{Name: "like", Since: "1.0.0", Group: "predicate_funcs", Usage: "Is true when the text matches a pattern, in which % is any text and _ one character.", Kind: plan.FnScalar, Pretty: infixNot("LIKE"),
			Overloads: []Overload{sig(boolRet, like(false), stringP, stringP), sig(boolRet, like(false), stringP, stringP, stringP)}, Examples: []Example{{"SELECT 'Spark' LIKE 'Sp%k'", "true"}}},
		{Name: "ilike", Since: "3.3.0", Group: "predicate_funcs", Usage: "Is LIKE in any case of the letters.", Kind: plan.FnScalar,
			Overloads: []Overload{sig(boolRet, like(true), stringP, stringP), sig(boolRet, like(true), stringP, stringP, stringP)}, Examples: []Example{{"SELECT 'Spark' ILIKE 'sP%K'", "true"}}},
		{Name: "rlike", Aliases: []string{"regexp", "regexp_like"}, Since: "1.0.0", Group: "predicate_funcs", Usage: "Is true when a regular expression occurs in the text.", Kind: plan.FnScalar,
			Overloads: []Overload{sig(boolRet, rlike, stringP, stringP)}, Examples: []Example{{"SELECT rlike('aab', 'a+b')", "true"}}},
	}
	for _, m := range []struct {
		name              string
		fold, negate, all bool
	}{
		{"like_all", false, false, true}, {"like_any", false, false, false}, {"not_like_all", false, true, true}, {"not_like_any", false, true, false},
		{"ilike_all", true, false, true}, {"ilike_any", true, false, false}, {"not_ilike_all", true, true, true}, {"not_ilike_any", true, true, false},
	} {
		out = append(out, Def{Name: m.name, Group: "internal", Since: "3.1.0", Usage: "Is LIKE with a list of patterns.", Kind: plan.FnScalar, Nulls: NullKernel,
			Overloads: []Overload{{Params: params(stringP, stringP), Variadic: true, VarMin0: true, Ret: boolRet, Eval: likeMany(m.fold, m.negate, m.all)}}})
	}
	return out
}
