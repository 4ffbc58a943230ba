//go:build poison

package vec

// poison overwrites memory that is given back, so that who reads it afterwards fails. For tests: the
// engine's answers must be the same with -tags poison.
const poison = true
