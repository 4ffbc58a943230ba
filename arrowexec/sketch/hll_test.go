package sketch

import (
	"crypto/md5"
	"encoding/hex"
	"math"
	"strings"
	"testing"
)

// hllOf is the sketch of the integers of a range.
func hllOf(lgK int, from, to int64) *HLL {
	s := NewHLL(lgK)
	for i := from; i < to; i++ {
		s.UpdateInt64(i)
	}
	return s
}

// Bytes and estimates are those of Spark 4.3 with datasketches-java.
func TestHLLBytes(t *testing.T) {
	text := NewHLL(4)
	text.Update([]byte("a"))
	text.Update(nil)
	for name, c := range map[string]struct {
		s    *HLL
		want string
	}{
		"none":  {NewHLL(12), "0201070C030400080000000000000000000000000000000000000000000000000000000000000000"},
		"text":  {text, "02010704030001082F823B0400000000000000000000000000000000000000000000000000000000"},
		"list":  {hllOf(12, 0, 7), "0201070C03000708CBD7C2042BF2FB06862FF90D7581660781BC5D067B65E608FC2D420A00000000"},
		"set":   {hllOf(8, 0, 24), "0301070805000009180000000000000081BC5D0600000000CEF05B1F6EC5340600000000862FF90D00000000C87A2404DB522D0400000000CBD7C20400000000B05B4612AE3C881136470907C1E9170500000000D2167307C4B59F0734A2610E75816607F671F20600000000B83FF907464AB704FC2D420A7B65E6082BF2FB06C3DD51049EE49B187C74B907"},
		"few":   {hllOf(4, 0, 8), "0A0107040000000AADAAAA0400002040000000000040294000000000000000000B0000000000000000010000000103000000000202000000"},
		"dense": {hllOf(5, 0, 1000), "0A010705" + "0000000A09A829B0941B90400000000000E8E53F000000000000000000000000000000000605060808070505050705060A04070708050508080506070406060405050606"},
	} {
		if got := strings.ToUpper(hex.EncodeToString(c.s.Bytes())); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
		back, err := ReadHLL(c.s.Bytes())
		if err != nil || back.Estimate() != c.s.Estimate() || string(back.Bytes()) != string(c.s.Bytes()) {
			t.Errorf("%s read back: %v", name, err)
		}
	}
	big := hllOf(12, 0, 100000)
	if sum := md5.Sum(big.Bytes()); hex.EncodeToString(sum[:]) != "c7c165541e035f020b94b0eb970616c3" || math.Round(big.Estimate()) != 101148 {
		t.Errorf("big: %x, %v", sum, big.Estimate())
	}
	for _, bad := range []string{"", "aabb", "0201070C0300", "0201070303040008", "0A0107040000000A"} {
		b, _ := hex.DecodeString(bad)
		if _, err := ReadHLL(b); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func TestHLLUnion(t *testing.T) {
	union := func(lgK int, of ...*HLL) *HLL {
		u := NewHLL(lgK)
		for _, s := range of {
			u.Union(s)
		}
		return u
	}
	for name, c := range map[string]struct {
		s    *HLL
		want string
	}{
		"lists":               {union(4, hllOf(4, 0, 3), hllOf(4, 2, 6)), "0201070403000608CBD7C2042BF2FB06862FF90D7581660781BC5D067B65E6080000000000000000"},
		"list and registers":  {union(4, hllOf(4, 0, 3), hllOf(4, 2, 60)), "0A0107040000000ADDF2367DF64A464000000000000007400000000000000000000000000000000004020107030203060303050202020701"},
		"registers and list":  {union(4, hllOf(4, 0, 20), hllOf(4, 2, 6)), "0A0107040000000A0BB66A5349CC32400000000000A420400000000000000000050000000000000004010101030103000100000202000700"},
		"registers":           {union(4, hllOf(4, 0, 30), hllOf(4, 2, 60)), "0A0107040010010A000000000000000000000000000007400000000000000000020000000000000004020107030203060303050202020701"},
		"registers, fewer":    {union(4, hllOf(5, 0, 40), hllOf(4, 20, 60)), "0A0107040010010A000000000000000000000000000007400000000000000000020000000000000004020107030203060303050202020701"},
		"more and a list":     {union(4, hllOf(5, 0, 30), hllOf(4, 20, 23)), "0A0107040000000A1062490AB75E3C400000000000481A400000000000000000030000000000000004010101030103000303000202000701"},
		"a list and more":     {union(4, hllOf(4, 0, 3), hllOf(5, 20, 60)), "0A0107040000000ABE1C6899A10546400000000000900C400000000000000000000000000000000003020107010203060303050201020601"},
		"registers, then few": {union(4, union(4, hllOf(4, 0, 30), hllOf(4, 2, 60)), hllOf(4, 600, 607)), "0A0107040010010A64210B59C842164000000000000004400000000000000000020000000000000004020107030203060303050202020703"},
		"list and set":        {union(12, hllOf(12, 0, 4), hllOf(12, 2, 16)), "0301070C05000009100000000000000081BC5D067C74B907000000000000000000000000862FF90D00000000000000000000000000000000CBD7C2040000000000000000AE3C881100000000B05B46127B65E608D21673070000000034A2610E75816607F671F2060000000000000000464AB704FC2D420ADB522D042BF2FB060000000000000000C1E91705"},
	} {
		if got := strings.ToUpper(hex.EncodeToString(c.s.Bytes())); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, c := range []struct {
		s    *HLL
		want float64
		sum  string
	}{
		{union(12, hllOf(12, 0, 1000), hllOf(12, 500, 2000)), 1991, "7c86b2fc462327de2a13aa0e3977cab7"},
		{union(12, hllOf(12, 0, 1000), hllOf(12, 500, 8000)), 7990, "d95856bd16254e00273757e0b10efbc5"},
		{union(12, hllOf(12, 0, 1000), hllOf(12, 500, 80000)), 81118, "698c600da00c7257850c342d74a7fcb2"},
		{union(12, hllOf(15, 0, 10000), hllOf(12, 500, 2000)), 9977, "e02e9467eadafb9031f071ff507c841d"},
		{union(4, hllOf(4, 0, 10), hllOf(4, 500, 520)), 25, ""},
	} {
		sum := md5.Sum(c.s.Bytes())
		if got := math.Round(c.s.Estimate()); got != c.want || c.sum != "" && hex.EncodeToString(sum[:]) != c.sum {
			t.Errorf("%v, %x; want %v, %s", got, sum, c.want, c.sum)
		}
	}
}
