package datasource

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"neptune/internal/errs"
)

// isGlob reports whether a path has characters that mean something in patterns, the escape among them.
func isGlob(p string) bool { return strings.ContainsAny(p, `*?[]{}\`) }

// badGlob is the error of a pattern that is none.
func badGlob(why string) error { return errs.Refused(errs.IO, "Illegal file pattern: %s", why) }

// compileGlob turns the pattern of a name into a regular expression of the whole name; plain says that it stands for one name.
// The rules are those of Hadoop's GlobPattern: * ? [a-c] [^a] [!a] {a,b{c,d}}, and \ before a character.
func compileGlob(p string) (re *regexp.Regexp, plain bool, err error) {
	unclosed := func(what string, at int) error {
		return badGlob("error parsing regexp: " + what + " at pos " + strconv.Itoa(at) + ": `" + p + "`")
	}
	var b strings.Builder
	set, open := false, 0
	plain = true
	cs := []rune(p)
	for i := 0; i < len(cs); i++ {
		c := cs[i]
		switch c {
		case '\\':
			if b.WriteRune(c); i+1 >= len(cs) {
				return nil, false, unclosed("Missing escaped character", i+1)
			}
			i++
			c = cs[i]
		case '.', '$', '(', ')', '|', '+':
			b.WriteByte('\\')
		case '*':
			b.WriteByte('.')
			plain = false
		case '?':
			c, plain = '.', false
		case '{':
			b.WriteString("(?")
			c, plain = ':', false
			open++
		case ',':
			if open > 0 {
				c = '|'
			}
		case '}':
			if open > 0 {
				c = ')'
				open--
			}
		case '[':
			if set {
				return nil, false, unclosed("Unclosed character class", i)
			}
			set, plain = true, false
		case '^':
			if !set {
				b.WriteByte('\\')
			}
		case '!':
			if set && cs[i-1] == '[' {
				c = '^'
			}
		case ']':
			set = false
		}
		b.WriteRune(c)
	}
	if set {
		return nil, false, unclosed("Unclosed character class", len(cs))
	}
	if open > 0 {
		return nil, false, unclosed("Unclosed group", len(cs))
	}
	re, err = regexp.Compile(`^(?s:` + b.String() + `)$`)
	if err != nil {
		return nil, false, badGlob(err.Error())
	}
	return re, plain, nil
}

// globPaths are the files and folders that match an absolute or relative pattern, in order.
func globPaths(pattern string) ([]string, error) {
	alts, err := slashAlternatives(pattern)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, alt := range alts {
		found := []string{""}
		if strings.HasPrefix(alt, "/") {
			found[0] = "/"
		}
		parts := strings.FieldsFunc(alt, func(c rune) bool { return c == '/' })
		for i, part := range parts {
			re, plain, err := compileGlob(part)
			if err != nil {
				return nil, err
			}
			var next []string
			for _, dir := range found {
				m, err := matches(dir, part, re, plain, i == len(parts)-1)
				if err != nil {
					return nil, err
				}
				next = append(next, m...)
			}
			found = next
		}
		out = append(out, found...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// matches are the entries of dir with such a name; folders alone where it isn't the last part of a path.
func matches(dir, part string, re *regexp.Regexp, plain, last bool) (out []string, err error) {
	if plain {
		p := filepath.Join(dir, strings.ReplaceAll(part, `\`, ""))
		if _, err := os.Stat(p); err != nil {
			return nil, unlessGone(err, p)
		}
		return []string{p}, nil
	}
	from := dir
	if from == "" {
		from = "."
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return nil, unlessGone(err, from)
	}
	for _, e := range entries {
		name := e.Name()
		if !re.MatchString(name) || strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".crc") { // no pattern finds checksums
			continue
		}
		p := filepath.Join(dir, name)
		if !last {
			if st, err := os.Stat(p); err != nil || !st.IsDir() {
				continue
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// unlessGone is the error of a path that can't be read, nil where there is nothing.
func unlessGone(err error, path string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if st, e := os.Stat(path); e == nil && !st.IsDir() {
		return nil // a file has nothing below it
	}
	return errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", "file://"+path).Because(err)
}

// slashAlternatives expands the alternatives {a,b} of a pattern that hold a slash, which no name has: their patterns are
// those of paths. All others stay.
func slashAlternatives(p string) ([]string, error) {
	depth, start, slash := 0, 0, false
	commas := []int{}
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '\\':
			if i++; i >= len(p) {
				return nil, badGlob(`An escaped character does not present for glob ` + p + ` at ` + strconv.Itoa(i))
			}
		case '{':
			if depth++; depth == 1 {
				start, slash, commas = i, false, commas[:0]
			}
		case '/':
			slash = slash || depth > 0
		case ',':
			if depth == 1 {
				commas = append(commas, i)
			}
		case '}':
			if depth == 0 {
				continue
			}
			if depth--; depth > 0 || !slash {
				continue
			}
			var out []string
			from := start + 1
			for _, to := range append(commas, i) {
				more, err := slashAlternatives(p[:start] + p[from:to] + p[i+1:])
				if err != nil {
					return nil, err
				}
				out = append(out, more...)
				from = to + 1
			}
			return out, nil
		}
	}
	return []string{p}, nil
}
