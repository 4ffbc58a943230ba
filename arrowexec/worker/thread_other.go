//go:build !linux

package worker

import "time"

// thread is an OS thread; here priorities are left alone.
type thread struct{ nice int }

type schedAttr struct{}

func shortSlices() {}

func privilege() *schedAttr { return nil }

func thisThread(*schedAttr) *thread { return &thread{} }

func (*thread) renice(int) bool { return true }
func (*thread) raise()          {}
func (*thread) lend()           {}
func (*thread) lower() bool     { return true }

func (*thread) used() time.Duration { return 0 }
