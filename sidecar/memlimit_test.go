package sidecar

import (
	"testing"

	"neptune/conf"
)

func TestMemoryLimit(t *testing.T) {
	c := &conf.Conf{Memory: 400 << 20}
	for _, x := range []struct{ suspended, container, want int64 }{
		{0, 0, 500 << 20},
		{100 << 20, 0, 600 << 20},
		{100 << 20, 500 << 20, (500 << 20) / 10 * 9},
		{0, 8 << 30, 500 << 20},
	} {
		if got := memoryLimit(c, x.suspended, x.container); got != x.want {
			t.Errorf("%+v: %d", x, got)
		}
	}
}
