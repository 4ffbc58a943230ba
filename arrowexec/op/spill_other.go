//go:build !linux

package op

import "os"

// punch leaves the space to the closing of the file.
func punch(*os.File, int64, int64) {}
