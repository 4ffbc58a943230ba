package policy

import "math/rand/v2"

// random shuffles the executors, and takes free slots and then victims on each
// until there are enough.
type random struct{}

func (random) Name() string { return "random" }
func (random) Once() bool   { return true }

func (random) Decide(s Snapshot) []Decision {
	order := rooms(s)
	r := rand.New(rand.NewPCG(s.Seed, 1))
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return fill(order, s.Tasks)
}
