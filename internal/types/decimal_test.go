package types

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func randomInt128(r *rand.Rand) Int128 {
	n := r.IntN(39)
	v := new(big.Int)
	for range n {
		v.Mul(v, big.NewInt(10))
		v.Add(v, big.NewInt(int64(r.IntN(10))))
	}
	if r.IntN(2) == 0 {
		v.Neg(v)
	}
	if r.IntN(6) == 0 && n > 0 {
		v = new(big.Int).Set(Pow10Wide[n-1].Big())
	}
	a, _ := FromBig(v)
	return a
}

// roundQuo is n/d rounded half away from zero, by math/big.
func roundQuo(n, d *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(n, d, new(big.Int))
	r.Abs(r).Lsh(r, 1)
	if r.CmpAbs(d) >= 0 {
		if n.Sign()*d.Sign() < 0 {
			q.Sub(q, big.NewInt(1))
		} else {
			q.Add(q, big.NewInt(1))
		}
	}
	return q
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func TestDecimalArithmeticAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	check := func(what string, got Int128, ok bool, want *big.Int, args ...any) {
		t.Helper()
		if want.BitLen() > 127 {
			if ok {
				t.Errorf("%s%v: %s, want overflow", what, args, got.Big())
			}
			return
		}
		if !ok || got.Big().Cmp(want) != 0 {
			t.Errorf("%s%v: %s ok=%t, want %s", what, args, got.Big(), ok, want)
		}
	}
	for range 20000 {
		a, b := randomInt128(r), randomInt128(r)
		drop := r.IntN(39)
		got, ok := MulRound(a, b, drop)
		check("mul", got, ok, roundQuo(new(big.Int).Mul(a.Big(), b.Big()), pow10(drop)), a.Big(), b.Big(), drop)
		if b.Sign() != 0 {
			shift := r.IntN(38)
			got, ok = DivRound(a, b, shift)
			check("div", got, ok, roundQuo(new(big.Int).Mul(a.Big(), pow10(shift)), b.Big()), a.Big(), b.Big(), shift)
			sa, sb := r.IntN(39), r.IntN(39)
			x := new(big.Int).Mul(a.Big(), pow10(max(sb-sa, 0)))
			y := new(big.Int).Mul(b.Big(), pow10(max(sa-sb, 0)))
			wq, wr := new(big.Int).QuoRem(x, y, new(big.Int))
			if q, rem, ok := QuoRem(a, b, sa, sb); wq.BitLen() <= 127 && wr.BitLen() <= 127 {
				check("quo", q, ok, wq, a.Big(), b.Big(), sa, sb)
				check("rem", rem, ok, wr, a.Big(), b.Big(), sa, sb)
			}
		}
		from, to := r.IntN(39), r.IntN(39)
		got, ok = Rescale(a, from, to)
		want := new(big.Int).Mul(a.Big(), pow10(max(to-from, 0)))
		check("rescale", got, ok, roundQuo(want, pow10(max(from-to, 0))), a.Big(), from, to)
		if s := string(AppendInt128(nil, a)); s != a.Big().String() {
			t.Errorf("text %s, want %s", s, a.Big())
		}
		scale := r.IntN(39)
		if back, st := ParseDecimal(string(AppendDecimal(nil, a, scale)), scale); st != DecimalOK || back != a {
			t.Errorf("%s at scale %d parses back as %s (%d)", AppendDecimal(nil, a, scale), scale, back.Big(), st)
		}
		p := 1 + r.IntN(38)
		if got, want := a.Fits(p), a.Big().CmpAbs(pow10(p)) < 0; got != want {
			t.Errorf("Fits(%s, %d) = %t", a.Big(), p, got)
		}
	}
}
