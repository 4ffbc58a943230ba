package datasource

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a test leaves a goroutine or an open file behind.
func TestMain(m *testing.M) {
	before := openFiles()
	code := m.Run()
	if err := goleak.Find(); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		code = 1
	}
	if after := openFiles(); before >= 0 && after > before+2 { // the runtime's poller may have come
		os.Stderr.WriteString("files are left open\n")
		code = 1
	}
	os.Exit(code)
}

// openFiles counts the process's open files; -1 where /proc doesn't say.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries)
}
