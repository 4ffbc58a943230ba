//go:build !yieldgaps

package task

// gapsOn is set by the build tag yieldgaps, which measures the work between
// yield points (gaps_on.go).
const gapsOn = false

type gapState struct{}

func (c *Ctx) gap()      {}
func (c *Ctx) gapStart() {}
