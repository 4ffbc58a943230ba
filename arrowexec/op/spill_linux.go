package op

import (
	"os"
	"syscall"
)

// punch gives a stretch of a file back to the disk. File systems that can't
// keep it until the file is closed.
func punch(f *os.File, at, n int64) {
	const keepSize, punchHole = 1, 2
	_ = syscall.Fallocate(int(f.Fd()), keepSize|punchHole, at, n)
}
