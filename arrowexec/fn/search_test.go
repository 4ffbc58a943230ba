package fn

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// textArgs are arguments of a kernel: rows as they lie in buf, then constants.
func textArgs(t *testing.T, rows *vec.Vector, consts ...any) *Args {
	t.Helper()
	a := &Args{Env: &Env{Yield: func() error { return nil }}, N: rows.N, V: []*vec.Vector{rows}, Ret: types.StringType, Const: []*plan.Literal{nil}, State: new(any)}
	for _, c := range consts {
		ct := types.StringType
		if _, ok := c.(int32); ok {
			ct = types.Int32Type
		}
		v, err := vec.Repeat(ct, c, rows.N)
		if err != nil {
			t.Fatal(err)
		}
		a.V = append(a.V, v)
		a.Const = append(a.Const, &plan.Literal{T: ct, Value: c})
	}
	a.Skip = rows.Null
	return a
}

// layouts are the same kind of rows, lying in memory in several ways.
func layouts(r *rand.Rand, n int, alphabet string, most int) map[string]*vec.Vector {
	rs := []rune(alphabet)
	var buf []byte
	next := func() vec.Ref {
		at := len(buf)
		for range r.IntN(most + 1) {
			buf = append(buf, string(rs[r.IntN(len(rs))])...)
		}
		return vec.MakeRef(at, len(buf)-at)
	}
	dense, gaps, few := make([]vec.Ref, n), make([]vec.Ref, n), make([]vec.Ref, n)
	for i := range dense {
		dense[i] = next()
	}
	for i := range gaps {
		for range r.IntN(3) {
			next()
		}
		gaps[i] = next()
	}
	for i := range few {
		few[i] = dense[r.IntN(10)]
	}
	mixed := slices.Clone(gaps)
	r.Shuffle(n, func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	null := make([]bool, n)
	for i := range null {
		null[i] = r.IntN(4) == 0
	}
	out := map[string]*vec.Vector{}
	for name, refs := range map[string][]vec.Ref{"dense": dense, "gaps": gaps, "few": few, "mixed": mixed} {
		for _, nulls := range [][]bool{nil, null} {
			v := vec.FromSlice(types.StringType, slices.Clone(refs), nulls)
			v.Buf = buf
			out[fmt.Sprint(name, " nulls ", nulls != nil)] = v
		}
	}
	return out
}

func TestSearchFindsWhatEachRowHas(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		alphabet string
		most     int
		patterns []string
	}{
		{"ab", 6, []string{"%ab%", "%aab%", "%a%bb%", "%b", "%a_b%a%", "%aaaaaaa%", "%", "", "a%b%", "%a%b"}},
		{"abcdefghij ", 30, []string{"%abc%", "%a%j%", "%jj%ab%", "%_c%d%e", "%ij", "%zz%"}},
		{"aé€x", 12, []string{"%é%", "%x€%", "%€%a_%", "%éx%é"}},
	} {
		for name, rows := range layouts(r, 3000, c.alphabet, c.most) {
			for _, p := range c.patterns {
				re, err := compileLike(p, '\\', nil)
				if err != nil {
					t.Fatal(err)
				}
				a := textArgs(t, rows, p)
				for range 2 { // the second batch knows the pattern
					got, err := like(false)(a)
					if err != nil {
						t.Fatal(err)
					}
					for i, x := range vec.Of[bool](got) {
						if s := rows.Bytes(i); !rows.IsNull(i) && x != re.match(s) {
							t.Fatalf("%s: %q LIKE %q is %v", name, s, p, x)
						}
					}
				}
				part := strings.Trim(p, "%_")
				a = textArgs(t, rows, part)
				got, err := contains(a)
				if err != nil {
					t.Fatal(err)
				}
				for i, x := range vec.Of[bool](got) {
					if s := rows.Bytes(i); !rows.IsNull(i) && x != bytes.Contains(s, []byte(part)) {
						t.Fatalf("%s: contains(%q, %q) is %v", name, s, part, x)
					}
				}
			}
		}
	}
}

func TestWordsAreFoundAsStringsAre(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, rows := range layouts(r, 2000, "ab\x00", 9) {
		for _, list := range [][]string{{"a"}, {"", "ab", "abababa"}, {"a", "b", "\x00", "a\x00", "aa", "ab", "ba", "bb", "aba", "bab"}, {"a", "abababab"}} {
			a := textArgs(t, rows)
			want := map[string]bool{}
			for _, x := range list {
				want[x] = true
				a.Const = append(a.Const, &plan.Literal{T: types.StringType, Value: x})
			}
			got, err := in(a)
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range vec.Of[bool](got) {
				if got.IsNull(i) != rows.IsNull(i) || !rows.IsNull(i) && x != want[rows.Str(i)] {
					t.Fatalf("%s: %q IN %q is %v", name, rows.Str(i), list, x)
				}
			}
		}
	}
}

func TestFirstCharactersAreCutAsOthersAre(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, chars := range []bool{true, false} {
		for name, rows := range layouts(r, 2000, "abé€", 9) {
			for _, c := range [][2]int32{{1, 2}, {1, 8}, {3, 2}, {8, 1}, {2, 7}, {7, 3}} {
				a := textArgs(t, rows, c[0], c[1])
				got, err := substring(chars)(a)
				if err != nil {
					t.Fatal(err)
				}
				for i := range got.N {
					if rows.IsNull(i) {
						continue
					}
					s := rows.Bytes(i)
					from, to := substringRange(s, int(c[0]), int(c[1]), chars)
					if string(got.Bytes(i)) != string(s[from:to]) {
						t.Fatalf("%s: substring(%q, %d, %d) is %q", name, s, c[0], c[1], got.Bytes(i))
					}
				}
			}
		}
	}
}
