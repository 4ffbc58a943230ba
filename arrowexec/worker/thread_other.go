//go:build !linux

package worker

import "runtime"

// lowerThread locks the goroutine to its thread; elsewhere than on Linux a
// thread's priority can't be lowered alone.
func lowerThread(int) { runtime.LockOSThread() }
