package fn

// twister is the Mersenne Twister (MT19937; Matsumoto and Nishimura, ACM TOMACS
// 8, 1998) with the seeding and the derived numbers of Apache Commons Math 3,
// from which Spark takes the values of uuid and shuffle.
type twister struct {
	mt [624]uint32
	at int
}

func newTwister(seed int64) *twister {
	t := &twister{}
	const n = len(t.mt)
	t.mt[0] = 19650218
	for i := 1; i < n; i++ {
		t.mt[i] = 1812433253*(t.mt[i-1]^t.mt[i-1]>>30) + uint32(i)
	}
	key := [2]uint32{uint32(uint64(seed) >> 32), uint32(uint64(seed))}
	i := 1
	for k := range n {
		t.mt[i] = (t.mt[i] ^ (t.mt[i-1]^t.mt[i-1]>>30)*1664525) + key[k%2] + uint32(k%2)
		if i++; i == n {
			t.mt[0], i = t.mt[n-1], 1
		}
	}
	for range n - 1 {
		t.mt[i] = (t.mt[i] ^ (t.mt[i-1]^t.mt[i-1]>>30)*1566083941) - uint32(i)
		if i++; i == n {
			t.mt[0], i = t.mt[n-1], 1
		}
	}
	t.mt[0] = 1 << 31
	t.at = n
	return t
}

func (t *twister) next() uint32 {
	const n, m = len(t.mt), 397
	if t.at == n {
		for k := range t.mt {
			y := t.mt[k]&(1<<31) | t.mt[(k+1)%n]&(1<<31-1)
			t.mt[k] = t.mt[(k+m)%n] ^ y>>1 ^ y&1*0x9908b0df
		}
		t.at = 0
	}
	y := t.mt[t.at]
	t.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (t *twister) uint64() uint64 {
	hi := uint64(t.next())
	return hi<<32 | uint64(t.next())
}

// below is a number from 0 to n-1; n is at least 1.
func (t *twister) below(n int32) int32 {
	if n&-n == n {
		return int32(int64(n) * int64(t.next()>>1) >> 31)
	}
	for {
		bits := int32(t.next() >> 1)
		v := bits % n
		if bits-v+(n-1) >= 0 { // overflows, where the last, incomplete range of numbers begins
			return v
		}
	}
}

// shuffle puts the numbers from first on into idx, in a random order: Fisher and
// Yates's shuffle in its inside-out form.
func (t *twister) shuffle(idx []int32, first int) {
	for i := range idx {
		j := t.below(int32(i) + 1)
		idx[i] = idx[j]
		idx[j] = int32(first + i)
	}
}
