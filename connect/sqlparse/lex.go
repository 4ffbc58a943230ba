package sqlparse

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"neptune/internal/errs"
)

// kind is the kind of a token.
type kind uint16

// The tokens that aren't keywords.
const (
	tEOF kind = iota
	tIdent
	tQuoted // `quoted`
	tString // 'text' or r'text'
	tDouble // "text": a string or an identifier by the options
	tInt
	tBigint   // 1L
	tSmallint // 1S
	tTinyint  // 1Y
	tExponent // 1e3
	tDecimal  // 1.5
	tFloat    // 1F
	tDoubleLit
	tBigDecimal // 1BD
	tDollar     // $$ ... $$

	tSemicolon
	tLParen
	tRParen
	tComma
	tDot
	tLBracket
	tRBracket
	tBang
	tEq
	tNseq
	tNeq // <>
	tNeqj
	tLt
	tLte
	tGt
	tGte
	tShl
	tShr
	tUshr
	tPlus
	tMinus
	tStar
	tSlash
	tPercent
	tTilde
	tAmp
	tPipe
	tConcat
	tOpPipe
	tHat
	tColon
	tColons
	tAt
	tArrow
	tFatArrow
	tHintStart
	tHintEnd
	tQuestion
	tUnknown

	firstKeyword
)

// token is a piece of the text: sql[start:end].
type token struct {
	kind       kind
	start, end int32
}

// maxText is the longest statement taken, in bytes: offsets are 32 bits.
const maxText = 1 << 30

var keywords, keywordFlags, keywordText = func() (map[string]kind, []uint8, []string) {
	m := make(map[string]kind, len(keywordTable))
	f := make([]uint8, kwLastKeyword+1)
	t := make([]string, kwLastKeyword+1)
	for _, k := range keywordTable {
		m[k.text] = k.kind
		f[k.kind] = k.flags
		if t[k.kind] == "" {
			t[k.kind] = k.text
		}
	}
	return m, f, t
}()

// maxKeyword is the longest keyword's length; longer words are identifiers.
const maxKeyword = 24

func lookupKeyword(s string) kind {
	if len(s) > maxKeyword {
		return tIdent
	}
	var buf [maxKeyword]byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		buf[i] = c
	}
	if k, ok := keywords[string(buf[:len(s)])]; ok {
		return k
	}
	return tIdent
}

const (
	clsSpace  = 1 << iota
	clsLetter // ASCII letters
	clsDigit
	clsWord // letters, digits, underscore
)

var class = func() (t [256]uint8) {
	for _, c := range " \t\n\f\r\v" {
		t[c] = clsSpace
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c] = clsLetter | clsWord
		t[c-'a'+'A'] = clsLetter | clsWord
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = clsDigit | clsWord
	}
	t['_'] = clsWord
	return t
}()

func isSpaceRune(r rune) bool {
	switch r {
	case 0xA0, 0x1680, 0x2028, 0x202F, 0x205F, 0x3000:
		return true
	}
	return r >= 0x2000 && r <= 0x200A
}

// lex cuts the text into tokens. It fails only on an unclosed comment; pieces that are no token
// become tUnknown, which nothing in the grammar takes.
func lex(src *source, doubleQuotedIdentifiers bool) ([]token, *errs.Error) {
	s := src.sql
	if len(s) > maxText {
		return nil, errs.New(errs.Parse, "FAILED_TO_PARSE_TOO_COMPLEX")
	}
	toks := make([]token, 0, len(s)/5+8)
	i := 0
	for i < len(s) {
		c := s[i]
		cl := class[c]
		start := i
		var k kind
		switch {
		case cl&clsSpace != 0:
			i++
			continue
		case c == '-' && strings.HasPrefix(s[i:], "--"):
			i = skipLineComment(s, i+2)
			continue
		case c == '/' && strings.HasPrefix(s[i:], "/*") && !strings.HasPrefix(s[i:], "/*+"):
			end := skipBlockComment(s, i)
			if end < 0 {
				return nil, errs.New(errs.Parse, "UNCLOSED_BRACKETED_COMMENT").At(src.origin(start, len(s)))
			}
			i = end
			continue
		case (c == 'r' || c == 'R') && i+1 < len(s) && (s[i+1] == '\'' || s[i+1] == '"'):
			i++
			if end := strings.IndexByte(s[i+1:], s[i]); end >= 0 {
				k, i = tString, i+end+2
			} else { // not a raw string: the letter alone is a name
				k = tIdent
			}
		case cl&(clsLetter|clsWord) != 0 && cl&clsDigit == 0 || c >= utf8.RuneSelf:
			if c >= utf8.RuneSelf {
				if r, n := utf8.DecodeRuneInString(s[i:]); isSpaceRune(r) {
					i += n
					continue
				} else if !unicode.IsLetter(r) {
					k, i = tUnknown, i+n
					break
				}
			}
			i = wordEnd(s, i)
			if end := uriEnd(s, start, i); end > 0 {
				k, i = tIdent, end
				break
			}
			k = lookupKeyword(s[start:i])
		case cl&clsDigit != 0, c == '.' && i+1 < len(s) && class[s[i+1]]&clsDigit != 0:
			k, i = lexNumber(s, i)
		case c == '\'':
			k, i = lexQuoted(s, i, tString)
		case c == '"':
			k, i = lexQuoted(s, i, tDouble)
			if k == tDouble && !doubleQuotedIdentifiers {
				k = tString
			} else if k == tDouble {
				k = tQuoted
			}
		case c == '`':
			k, i = lexBackquoted(s, i)
		case c == '$':
			k, i = lexDollar(s, i)
		default:
			k, i = lexPunct(s, i)
		}
		toks = append(toks, token{k, int32(start), int32(i)})
	}
	return append(toks, token{tEOF, int32(len(s)), int32(len(s))}), nil
}

func skipLineComment(s string, i int) int {
	for i < len(s) {
		switch s[i] {
		case '\\': // a backslash at the end of the line carries the comment on
			if i+1 < len(s) && s[i+1] == '\n' {
				i++
			}
		case '\n':
			return i + 1
		case '\r':
			return i + 1
		}
		i++
	}
	return i
}

// skipBlockComment returns the position behind the comment that starts at i, comments inside it nested, or -1.
func skipBlockComment(s string, i int) int {
	depth := 0
	for i < len(s) {
		n := strings.IndexAny(s[i:], "/*")
		if n < 0 {
			return -1
		}
		i += n
		switch {
		case strings.HasPrefix(s[i:], "/*"):
			// An inner /*+ opens no comment for Spark's lexer, and so needs no end of its own.
			if depth == 0 || !strings.HasPrefix(s[i:], "/*+") {
				depth++
			}
			i += 2
		case strings.HasPrefix(s[i:], "*/"):
			depth--
			i += 2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return -1
}

func wordEnd(s string, i int) int {
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			if class[c]&clsWord == 0 {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsLetter(r) {
			return i
		}
		i += n
	}
	return i
}

// uriEnd returns the end of an unquoted path such as s3://bucket/key, which Spark's lexer takes as
// one (invalid) identifier, or 0.
func uriEnd(s string, start, i int) int {
	if !strings.HasPrefix(s[i:], "://") {
		return 0
	}
	for _, r := range s[start:i] {
		if !unicode.IsLetter(r) {
			return 0
		}
	}
	j := i + 3
	for j < len(s) && (class[s[j]]&clsWord != 0 || strings.IndexByte("/-.?=&#%", s[j]) >= 0) {
		j++
	}
	if j == i+3 {
		return 0
	}
	return j
}

func digits(s string, i int) int {
	for i < len(s) && class[s[i]]&clsDigit != 0 {
		i++
	}
	return i
}

// lexNumber takes the longest of a number and a word that starts with digits.
func lexNumber(s string, start int) (kind, int) {
	i := digits(s, start)
	point := false
	if i < len(s) && s[i] == '.' {
		point = true
		i = digits(s, i+1)
	}
	word := start
	if s[start] != '.' {
		word = wordEnd(s, start)
	}
	k, end := numberTail(s, i, point)
	if point && end < len(s) && class[s[end]]&clsWord != 0 {
		// A decimal must not run into a word: 2.3_ is 2 . 3_
		if s[start] == '.' {
			return tDot, start + 1
		}
		k, end = numberTail(s, digits(s, start), false)
	}
	if word > end {
		return tIdent, word
	}
	return k, end
}

// numberTail reads the exponent and the type suffix.
func numberTail(s string, i int, point bool) (kind, int) {
	k := tInt
	if point {
		k = tDecimal
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if n := digits(s, j); n > j {
			i = n
			k = tExponent
		}
	}
	if i >= len(s) {
		return k, i
	}
	switch s[i] {
	case 'L', 'l':
		if k == tInt {
			return tBigint, i + 1
		}
	case 'S', 's':
		if k == tInt {
			return tSmallint, i + 1
		}
	case 'Y', 'y':
		if k == tInt {
			return tTinyint, i + 1
		}
	case 'F', 'f':
		return tFloat, i + 1
	case 'D', 'd':
		return tDoubleLit, i + 1
	case 'B', 'b':
		if i+1 < len(s) && (s[i+1] == 'D' || s[i+1] == 'd') {
			return tBigDecimal, i + 2
		}
	}
	return k, i
}

// lexQuoted reads '...' or "...", in which a backslash takes the next character with it and a doubled quote stands for itself.
func lexQuoted(s string, start int, k kind) (kind, int) {
	q := s[start]
	for i := start + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case q:
			if i+1 < len(s) && s[i+1] == q {
				i++
				continue
			}
			return k, i + 1
		}
	}
	return tUnknown, start + 1
}

func lexBackquoted(s string, start int) (kind, int) {
	for i := start + 1; i < len(s); i++ {
		if s[i] == '`' {
			if i+1 < len(s) && s[i+1] == '`' {
				i++
				continue
			}
			return tQuoted, i + 1
		}
	}
	return tUnknown, start + 1
}

// lexDollar reads $tag$ ... $tag$, the text of a metric view.
func lexDollar(s string, start int) (kind, int) {
	i := start + 1
	for i < len(s) && class[s[i]]&clsLetter != 0 {
		i++
	}
	if i < len(s) && s[i] == '$' {
		tag := s[start : i+1]
		if n := strings.Index(s[i+1:], tag); n >= 0 {
			return tDollar, i + 1 + n + len(tag)
		}
	}
	return tUnknown, start + 1
}

func lexPunct(s string, i int) (kind, int) {
	next := func(n int) byte {
		if i+n < len(s) {
			return s[i+n]
		}
		return 0
	}
	switch s[i] {
	case ';':
		return tSemicolon, i + 1
	case '(':
		return tLParen, i + 1
	case ')':
		return tRParen, i + 1
	case ',':
		return tComma, i + 1
	case '.':
		return tDot, i + 1
	case '[':
		return tLBracket, i + 1
	case ']':
		return tRBracket, i + 1
	case '!':
		switch next(1) {
		case '=':
			return tNeqj, i + 2
		case '>':
			return tLte, i + 2
		case '<':
			return tGte, i + 2
		}
		return tBang, i + 1
	case '=':
		switch next(1) {
		case '=':
			return tEq, i + 2
		case '>':
			return tFatArrow, i + 2
		}
		return tEq, i + 1
	case '<':
		switch next(1) {
		case '=':
			if next(2) == '>' {
				return tNseq, i + 3
			}
			return tLte, i + 2
		case '>':
			return tNeq, i + 2
		case '<':
			return tShl, i + 2
		}
		return tLt, i + 1
	case '>':
		switch next(1) {
		case '=':
			return tGte, i + 2
		case '>':
			if next(2) == '>' {
				return tUshr, i + 3
			}
			return tShr, i + 2
		}
		return tGt, i + 1
	case '+':
		return tPlus, i + 1
	case '-':
		if next(1) == '>' {
			return tArrow, i + 2
		}
		return tMinus, i + 1
	case '*':
		if next(1) == '/' {
			return tHintEnd, i + 2
		}
		return tStar, i + 1
	case '/':
		if next(1) == '*' { // only /*+ comes here
			return tHintStart, i + 3
		}
		return tSlash, i + 1
	case '%':
		return tPercent, i + 1
	case '~':
		return tTilde, i + 1
	case '&':
		return tAmp, i + 1
	case '|':
		switch next(1) {
		case '|':
			return tConcat, i + 2
		case '>':
			return tOpPipe, i + 2
		}
		return tPipe, i + 1
	case '^':
		return tHat, i + 1
	case ':':
		if next(1) == ':' {
			return tColons, i + 2
		}
		return tColon, i + 1
	case '@':
		return tAt, i + 1
	case '?':
		return tQuestion, i + 1
	}
	return tUnknown, i + 1
}
