package errs

import (
	"fmt"
	"runtime/debug"
)

// Panic turns a recovered panic into an INTERNAL_ERROR that keeps the stack
// for the log (Cause), but not for the user.
func Panic(p any) *Error {
	return Internalf("%v", p).Because(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
}
