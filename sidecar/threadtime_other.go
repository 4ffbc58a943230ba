//go:build !linux

package sidecar

import "time"

var began = time.Now()

// threadTime is the clock's: other systems have no CPU time of a thread.
func threadTime() time.Duration { return time.Since(began) }
