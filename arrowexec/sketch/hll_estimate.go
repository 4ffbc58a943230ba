package sketch

import (
	_ "embed"
	"encoding/binary"
	"math"
	"sort"
)

// hllX are the raw estimates measured at multiples of hllStride values: 257
// doubles for each lgK from 4 to 21, little-endian. They are measurements
// published with datasketches-java 6 (Apache License 2.0).
//
//go:embed hll_interpolation.bin
var hllX []byte

const hllPoints = 257

var hllStride = [MaxLgK - MinLgK + 1]float64{1, 2, 3, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 40960, 81920}

// couponY are the numbers of values expected at couponX different coupons, of the same source.
var (
	couponX = [...]float64{0, 1, 20, 400, 8000, 160000, 300000, 600000, 900000, 1200000, 1500000, 1800000, 2100000, 2400000, 2700000, 3000000, 3300000, 3600000, 3900000, 4200000, 4500000, 4800000, 5100000, 5400000, 5700000, 6000000, 6300000, 6600000, 6900000, 7200000, 7500000, 7800000, 8100000, 8400000, 8700000, 9000000, 9300000, 9600000, 9900000, 10200000}
	couponY = [...]float64{0, 1, 20.00000094374026, 400.0003963713384, 8000.158929460209, 160063.60677637596, 300223.70715976635, 600895.593385617, 902016.8065120955, 1203588.498319951, 1505611.8245524743, 1808087.9449319066, 2111018.0231759353, 2414403.22701425, 2718244.728205189, 3022543.702552454, 3327301.329921909, 3632518.794258454, 3938197.283602969, 4244337.990109356, 4550942.110061649, 4858010.843891189, 5165545.396193897, 5473546.975747645, 5782016.7955296505, 6090956.072734016, 6400366.028789296, 6710247.889376201, 7020602.884445314, 7331432.248234972, 7642737.219289148, 7954519.0404754765, 8266778.959003342, 8579518.226442046, 8892738.098739047, 9206439.836238328, 9520624.703698829, 9835293.97031292, 10150448.909725029, 10466090.800050326}
)

// Estimate is the estimated number of different values.
func (s *HLL) Estimate() float64 {
	switch {
	case s.mode != hllRegs:
		n := float64(s.count)
		return max(n, interpolate(len(couponX), func(i int) float64 { return couponX[i] }, func(i int) float64 { return couponY[i] }, n))
	case !s.merged:
		return s.hip
	}
	return s.composite()
}

// composite is the estimate that needs the registers alone: linear counting
// for few values, else the raw estimate put right by hllX.
func (s *HLL) composite() float64 {
	k := float64(len(s.regs))
	alpha := 0.7213 / (1 + 1.079/k)
	switch s.lgK {
	case 4:
		alpha = 0.673
	case 5:
		alpha = 0.697
	case 6:
		alpha = 0.709
	}
	raw := alpha * k * k / (s.kxq0 + s.kxq1)
	table, stride := hllX[(s.lgK-MinLgK)*hllPoints*8:], hllStride[s.lgK-MinLgK]
	x := func(i int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(table[8*i:])) }
	last := x(hllPoints - 1)
	switch {
	case raw < x(0):
		return 0
	case raw > last:
		return raw * (stride * (hllPoints - 1) / last)
	}
	adjusted := interpolate(hllPoints, x, func(i int) float64 { return stride * float64(i) }, raw)
	if adjusted > 3*k {
		return adjusted
	}
	linear := k * math.Log(k/0.5)
	if s.low == 0 && s.lows > 0 {
		linear = k * (harmonic(len(s.regs)) - harmonic(s.lows))
	}
	cross := 0.64
	switch s.lgK {
	case 4:
		cross = 0.718
	case 5:
		cross = 0.672
	}
	if (adjusted+linear)/2 > cross*k {
		return adjusted
	}
	return linear
}

// interpolate is the cubic through the four points about x.
func interpolate(n int, xs, ys func(int) float64, x float64) float64 {
	i := sort.Search(n, func(i int) bool { return xs(i) > x }) - 1
	if i == n-1 {
		return ys(i)
	}
	from := min(max(i-1, 0), n-4)
	var sum float64
	for j := from; j < from+4; j++ {
		up, down := 1.0, 1.0
		for m := from; m < from+4; m++ {
			if m != j {
				up *= x - xs(m)
				down *= xs(j) - xs(m)
			}
		}
		sum += ys(j) * up / down
	}
	return sum
}

// harmonic is the sum of 1/i for i from 1 to n.
func harmonic(n int) float64 {
	if n < 25 {
		var sum float64
		for i := 1; i <= n; i++ {
			sum += 1 / float64(i)
		}
		return sum
	}
	x := float64(n)
	q := 1 / (x * x)
	const gamma = 0.5772156649015328606
	return math.Log(x) + gamma + 1/(2*x) - q/12 + q*q/120 - q*q*q/252 + q*q*q*q/240
}
