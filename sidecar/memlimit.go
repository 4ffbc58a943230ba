package sidecar

import (
	"math"
	"os"
	"runtime/debug"
	"time"

	"neptune/arrowexec/mem"
	"neptune/conf"
)

// memoryLimit is the memory that the Go run time should stay within: what
// operators may reserve, a quarter for what isn't reserved (buffers, plans,
// garbage), and what suspended tasks hold now; but no more than nine tenths of
// the container.
func memoryLimit(c *conf.Conf, suspended, container int64) int64 {
	n := c.Memory + c.Memory/4 + suspended
	if container > 0 {
		n = min(n, container/10*9)
	}
	return n
}

// followMemory keeps the run time's limit at memoryLimit until the returned
// function is called. It does nothing if the limit was set by others.
func followMemory(c *conf.Conf, pool *mem.Pool) (stop func()) {
	if os.Getenv("GOMEMLIMIT") != "" || debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return func() {}
	}
	container := conf.ContainerMemory("/")
	set := memoryLimit(c, 0, container)
	debug.SetMemoryLimit(set)
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				debug.SetMemoryLimit(math.MaxInt64)
				return
			case <-tick.C:
			}
			held, _ := pool.Parked()
			// A change stops the world for some microseconds: small ones wait.
			if n := memoryLimit(c, held, container); n > set+c.Memory/32 || n < set-c.Memory/32 {
				set = n
				debug.SetMemoryLimit(n)
			}
		}
	}()
	return func() { close(end); <-done }
}
