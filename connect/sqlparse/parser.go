package sqlparse

import (
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

// Limits that keep a hostile text from exhausting the stack, here or in those
// who walk the tree: both are FAILED_TO_PARSE_TOO_COMPLEX.
const (
	maxNesting = 5000  // two a parenthesis, one a subquery: parentheses, subqueries, types inside each other
	maxTree    = 20000 // height of the tree: chains such as a + b + c ... grow it without nesting
)

// parser holds the state of one statement's parsing. The first error sticks
// and moves the parser to the end of the text, so that every loop ends; what
// is returned after an error is thrown away, but is never nil.
type parser struct {
	src  *source
	sql  string
	toks []token
	i    int
	o    Options
	err  *errs.Error

	nesting int
	height  int // of the expression that was parsed last
	tallest int // of the expressions since the enclosing construct began

	script *scriptState // within BEGIN ... END

	regex int // > 0: in a SELECT list whose quoted names are patterns

	windows    []*plan.Window // those that name their window
	positional int            // ? seen so far
	noPipe     int            // > 0: inside parentheses or the like, where | is only the bit operator
	runAt      int            // memo of behindParens: a run of ( from token runAt to before runEnd
	runEnd     int
}

func newParser(sql string, o Options) (*parser, error) {
	src := newSource(sql)
	toks, err := lex(src, o.DoubleQuotedIdentifiers)
	if err != nil {
		return nil, err
	}
	return &parser{src: src, sql: sql, toks: toks, o: o}, nil
}

// --- tokens

func (p *parser) peek() kind { return p.toks[p.i].kind }

// la is the kind of the nth token from here.
func (p *parser) la(n int) kind {
	if p.i+n < len(p.toks) {
		return p.toks[p.i+n].kind
	}
	return tEOF
}

func (p *parser) next() token {
	t := p.toks[p.i]
	if t.kind != tEOF {
		p.i++
	}
	return t
}

// accept takes the token if it is of that kind.
func (p *parser) accept(k kind) bool {
	if p.toks[p.i].kind == k {
		p.next()
		return true
	}
	return false
}

// acceptSeq takes all of the tokens, or none.
func (p *parser) acceptSeq(ks ...kind) bool {
	for n, k := range ks {
		if p.la(n) != k {
			return false
		}
	}
	p.i += len(ks)
	return true
}

func (p *parser) acceptAny(ks ...kind) kind {
	k := p.peek()
	for _, want := range ks {
		if k == want {
			p.next()
			return k
		}
	}
	return tEOF
}

// expect takes the token or fails.
func (p *parser) expect(k kind) bool {
	if p.accept(k) {
		return true
	}
	p.syntax()
	return false
}

func (p *parser) expectSeq(ks ...kind) bool {
	for _, k := range ks {
		if !p.expect(k) {
			return false
		}
	}
	return true
}

func (p *parser) text(t token) string { return p.sql[t.start:t.end] }

// textFrom is the text from token s up to the last one taken.
func (p *parser) textFrom(s int) string {
	if p.i <= s {
		return ""
	}
	return p.sql[p.toks[s].start:p.toks[p.i-1].end]
}

// --- positions

// origin covers token s to the last one taken.
func (p *parser) origin(s int) *errs.Origin { return p.span(s, p.i-1) }

func (p *parser) span(s, e int) *errs.Origin {
	if e < s {
		e = s
	}
	return p.src.origin(int(p.toks[s].start), int(p.toks[e].end))
}

func (p *parser) from(s int) plan.At { return plan.At{Origin: p.origin(s)} }

func (p *parser) common(s int) plan.Common { return plan.Common{Origin: p.origin(s)} }

// --- errors

func (p *parser) stop(e *errs.Error) {
	if p.err == nil {
		p.err = e
	}
	p.i = len(p.toks) - 1
}

// fail stops with a condition whose context is token s to the last one taken.
func (p *parser) fail(s int, condition string, kv ...string) {
	if p.err != nil {
		return
	}
	p.stop(errs.New(errs.Parse, condition, kv...).At(p.origin(s)))
}

// notSupported refuses something of Spark's grammar by name.
func (p *parser) notSupported(s int, what string) {
	if p.err != nil {
		return
	}
	p.stop(errs.NotSupported(what).At(p.origin(s)))
}

// syntax stops at the token that is next.
func (p *parser) syntax() { p.syntaxHint("") }

// syntaxHint: Spark gives no offsets for syntax errors, only line and column:
// Start and Stop are -1, and clients get no query context.
func (p *parser) syntaxHint(hint string) {
	if p.err != nil {
		return
	}
	t := p.toks[p.i]
	what := "end of input"
	if t.kind != tEOF {
		what = "'" + escapeSpace(p.text(t)) + "'"
	}
	o := p.src.origin(int(t.start), int(t.end))
	o.Start, o.Stop = -1, -1
	p.stop(errs.New(errs.Parse, "PARSE_SYNTAX_ERROR", "error", what, "hint", hint).At(o))
}

var spaceEscaper = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`)

func escapeSpace(s string) string { return spaceEscaper.Replace(s) }

// enter counts one level of nesting; leave undoes it.
func (p *parser) enter() bool {
	p.nesting++
	if p.nesting > maxNesting {
		p.tooComplex()
		return false
	}
	return true
}

func (p *parser) leave() { p.nesting-- }

func (p *parser) tooComplex() {
	if p.err == nil {
		p.stop(errs.New(errs.Parse, "FAILED_TO_PARSE_TOO_COMPLEX"))
	}
}

// group begins a construct of several expressions, ungroup ends it: its height is one more than the tallest's.
func (p *parser) group() int {
	saved := p.tallest
	p.tallest = 0
	return saved
}

func (p *parser) ungroup(saved int) {
	p.grow(p.tallest)
	p.tallest = max(saved, p.tallest)
}

// grow sets the height of a tree that stands on one of height h.
func (p *parser) grow(h int) {
	h++
	if h > maxTree {
		p.tooComplex()
	}
	p.height = h
	p.tallest = max(p.tallest, h)
}

// --- names

// isIdent reports whether the token is an identifier in most places.
func (p *parser) isIdent(k kind) bool {
	switch {
	case k == tIdent || k == tQuoted:
		return true
	case k > kwFirstKeyword && k < kwLastKeyword:
		return !p.o.EnforceReserved || keywordFlags[k]&ansiReserved == 0
	}
	return false
}

// isStrictIdent is isIdent for the places where Spark takes no strict-non-reserved word: table aliases.
func (p *parser) isStrictIdent(k kind) bool {
	return p.isIdent(k) && (k < firstKeyword || keywordFlags[k]&strictWord == 0)
}

// name is the identifier that a token spells.
func (p *parser) name(t token) string {
	s := p.text(t)
	if t.kind == tQuoted {
		q := s[:1]
		s = s[1 : len(s)-1]
		if strings.Contains(s, q) {
			s = strings.ReplaceAll(s, q+q, q)
		}
		return s
	}
	if t.kind == tIdent {
		for i := 0; i < len(s); i++ {
			if class[s[i]]&clsWord == 0 {
				if p.err == nil {
					p.stop(errs.New(errs.Parse, "INVALID_IDENTIFIER", "ident", s).At(p.src.origin(int(t.start), int(t.end))))
				}
				break
			}
		}
	}
	return s
}

// ident takes one identifier.
func (p *parser) ident() string {
	if !p.isIdent(p.peek()) {
		p.syntax()
		return ""
	}
	if p.peek() == kwIdentifier && p.la(1) == tLParen && (p.la(2) == tString || p.la(2) == tColon || p.la(2) == tQuestion) && !p.o.LegacyIdentifierClause {
		s := p.i
		p.i += 2
		parts := p.identifierParts(s, p.stringLit())
		p.expect(tRParen)
		if len(parts) != 1 {
			p.stopPlain("IDENTIFIER_TOO_MANY_NAME_PARTS", "identifier", errs.ID(parts...), "limit", "1")
			return ""
		}
		return parts[0]
	}
	return p.name(p.next())
}

// nameIdent takes an identifier where no operator can follow, so that a-b is
// reported as a name that wants quotes.
func (p *parser) nameIdent() string {
	s := p.i
	n := p.ident()
	if p.peek() == tMinus && p.isIdent(p.la(1)) {
		for p.peek() == tMinus && p.isIdent(p.la(1)) {
			p.i += 2
		}
		var b strings.Builder
		for _, t := range p.toks[s:p.i] {
			b.WriteString(p.text(t))
		}
		p.fail(s, "INVALID_IDENTIFIER", "ident", b.String())
	}
	return n
}

// multipart takes a.b.c
func (p *parser) multipart() []string {
	parts := []string{p.nameIdent()}
	for p.peek() == tDot && p.err == nil {
		p.next()
		parts = append(parts, p.nameIdent())
	}
	return parts
}

// identList takes (a, b, c).
func (p *parser) identList() []string {
	if !p.expect(tLParen) {
		return nil
	}
	list := p.identSeq()
	p.expect(tRParen)
	return list
}

func (p *parser) identSeq() []string {
	list := []string{p.nameIdent()}
	for p.accept(tComma) {
		list = append(list, p.nameIdent())
	}
	return list
}

// word reports whether the token is the identifier or keyword text, in any case.
func (p *parser) word(n int, text string) bool {
	if p.i+n >= len(p.toks) {
		return false
	}
	return strings.EqualFold(p.text(p.toks[p.i+n]), text)
}

// --- strings

// stringLit takes adjacent string literals as one.
func (p *parser) stringLit() string {
	if p.peek() != tString {
		if e := p.boundString(); e != nil {
			return *e
		}
		p.syntax()
		return ""
	}
	s := p.stringValue(p.next())
	if !p.moreString() {
		return s
	}
	var b strings.Builder
	b.WriteString(s)
	for p.moreString() {
		if p.peek() == tString {
			b.WriteString(p.stringValue(p.next()))
		} else if e := p.boundString(); e != nil {
			b.WriteString(*e)
		}
	}
	return b.String()
}

// moreString reports whether a string follows: a literal, or a parameter that is bound to one.
func (p *parser) moreString() bool {
	switch p.peek() {
	case tString:
		return true
	case tQuestion:
		if p.positional < len(p.o.Positional) {
			return isString(p.o.Positional[p.positional])
		}
	case tColon:
		if len(p.o.Named) > 0 && p.isIdent(p.la(1)) {
			name := p.text(p.toks[p.i+1])
			for k, e := range p.o.Named {
				if strings.EqualFold(k, name) {
					return isString(e)
				}
			}
		}
	}
	return false
}

func isString(e plan.Expr) bool {
	l, ok := e.(*plan.Literal)
	if !ok {
		return false
	}
	_, ok = l.Value.(string)
	return ok && l.T.IsString()
}

// boundString takes a parameter marker that has a string as its argument.
func (p *parser) boundString() *string {
	if k := p.peek(); k != tQuestion && k != tColon {
		return nil
	}
	if e, ok := p.parameter().(*plan.Literal); ok {
		if s, ok := e.Value.(string); ok {
			if p.moreString() {
				s += p.stringLit()
			}
			return &s
		}
	}
	p.syntax()
	return nil
}

func (p *parser) stringValue(t token) string {
	s := p.text(t)
	if p.o.EscapedStringLiterals && s[0] != 'r' && s[0] != 'R' {
		return s[1 : len(s)-1]
	}
	return unescape(s, p.o.ConsecutiveStrings)
}

// balanced makes a tree of low height from the terms of an AND or OR, as
// Spark does; names show its shape.
func (p *parser) balanced(op string, terms []plan.Expr, starts, ends []int) plan.Expr {
	if len(terms) == 1 {
		return terms[0]
	}
	mid := (len(terms) - 1) / 2
	if len(terms) == 2 {
		mid = 0
	}
	l := p.balanced(op, terms[:mid+1], starts[:mid+1], ends[:mid+1])
	r := p.balanced(op, terms[mid+1:], starts[mid+1:], ends[mid+1:])
	return &plan.Call{At: plan.At{Origin: p.span(starts[0], ends[len(ends)-1])}, Name: op, Args: []plan.Expr{l, r}, Infix: true}
}

// stopPlain stops with a condition that Spark raises without a context.
func (p *parser) stopPlain(condition string, kv ...string) {
	p.stop(errs.New(errs.Parse, condition, kv...))
}
