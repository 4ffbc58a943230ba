package policy

// cacheBucketBalance gives each executor a bucket as large as its slots. Tasks
// that prefer an executor fill its bucket; what is past it spills round over
// the others, and so do tasks without a preference.
//
// As in the fork, the two rounds don't add up: an executor's demand from the
// second is the larger of the two, not the sum, so a few tasks may be left
// waiting for a slot to come free.
type cacheBucketBalance struct{}

func (cacheBucketBalance) Name() string { return "cache_bucket_balance" }
func (cacheBucketBalance) Once() bool   { return true }

func (cacheBucketBalance) Decide(s Snapshot) []Decision {
	d := newDemand(s)
	var spilled, rest []Task
	for _, t := range s.Tasks {
		switch i := d.preferred(t); {
		case i < 0:
			rest = append(rest, t)
		case d.left(i) > 0:
			d.give(i, t)
		default:
			spilled = append(spilled, t)
		}
	}
	all := func(int) bool { return true }
	round := spilled
	if len(rest) > len(spilled) {
		round = append(append([]Task(nil), spilled...), rest[:len(rest)-len(spilled)]...)
	}
	if len(spilled) == 0 {
		round = rest
	}
	d.deal(round, all)
	return d.decisions()
}
