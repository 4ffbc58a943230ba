package expr

import (
	"testing"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// The answers are those of Spark's documentation of the functions.
func TestHashesAndRandomNumbers(t *testing.T) {
	bin := func(s string) plan.Expr { return lit(types.BinaryType, []byte(s)) }
	for _, c := range []struct {
		e    plan.Expr
		want string
	}{
		{mk(t, "hash", str("Spark"), mk(t, "array", i32(123)), i32(2)), "-1321691492"},
		{mk(t, "xxhash64", str("Spark"), mk(t, "array", i32(123)), i32(2)), "5602566077635097486"},
		{mk(t, "md5", bin("Spark")), "8cde774d6f7333752ed72cacddb05126"},
		{mk(t, "crc32", bin("Spark")), "1557323817"},
		{mk(t, "sha2", bin("Spark"), i32(256)), "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b"},
		{mk(t, "rand", i32(0)), "0.7604953758285915"},
		{mk(t, "randn", i32(0)), "1.6034991609278433"},
		{mk(t, "hex", str("Spark SQL")), "537061726B2053514C"},
		{mk(t, "factorial", i32(5)), "120"},
	} {
		if got := text(t, c.e); got != c.want {
			k, _ := key(c.e)
			t.Errorf("%s: %s, want %s", k, got, c.want)
		}
	}
}
