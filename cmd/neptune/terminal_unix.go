//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// terminal returns the size of the terminal that f is, if it is one.
func terminal(f *os.File) (columns, rows int, ok bool) {
	s, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || s.Col == 0 || s.Row == 0 {
		return 0, 0, false
	}
	return int(s.Col), int(s.Row), true
}
