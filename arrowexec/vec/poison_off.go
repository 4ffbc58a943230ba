//go:build !poison

package vec

const poison = false
