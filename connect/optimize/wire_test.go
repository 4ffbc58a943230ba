package optimize_test

import (
	"bytes"
	"testing"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/physical/wire"
	"neptune/internal/plan"
	"neptune/scheduler/stagegraph"
)

// Wire makes the tables of the tests sources that cross, by name.
func (f *fakeSource) Wire() (string, []byte, error) { return "fake", []byte(f.name), nil }

func openFake(state []byte) (plan.Source, error) {
	for _, f := range append(tpch(), small()...) {
		if f.name == string(state) {
			return f, nil
		}
	}
	return &fakeSource{name: string(state)}, nil
}

var sentStages, sentBytes int

// crosses sends all stages of a plan to another process and compares what comes of them.
func crosses(tb testing.TB, root physical.Node) {
	tb.Helper()
	for _, s := range stagegraph.Cut(root).Stages {
		data, err := wire.Encode(&wire.Stage{ID: s.ID, Root: s.Root, Output: s.Output})
		if err != nil {
			tb.Errorf("stage %d: %v\n%s", s.ID, err, physical.Explain(root, "simple"))
			continue
		}
		sentStages, sentBytes = sentStages+1, sentBytes+len(data)
		got, err := wire.Decode(data, wire.Sources{"fake": openFake})
		if err != nil {
			tb.Errorf("stage %d: %v", s.ID, err)
			continue
		}
		if err := physical.Validate(got.Root); err != nil {
			tb.Errorf("stage %d came as an invalid plan: %v", s.ID, err)
		}
		again, err := wire.Encode(got)
		if err != nil || !bytes.Equal(again, data) {
			tb.Errorf("stage %d is another one when it is sent on (%v)", s.ID, err)
		}
		// The lines of operators, without what is below exchanges.
		if want, have := physical.Explain(leaves(s.Root), "simple"), physical.Explain(leaves(got.Root), "simple"); want != have {
			tb.Errorf("stage %d was\n%s\nand came as\n%s", s.ID, want, have)
		}
	}
}

// leaves cuts a plan off below its exchanges.
func leaves(n physical.Node) physical.Node {
	if x, ok := n.(*physical.Exchange); ok {
		c := *x
		c.Input = &physical.Local{Out: x.Input.Schema()}
		return &c
	}
	kids := n.Children()
	if len(kids) == 0 {
		return n
	}
	fresh := make([]physical.Node, len(kids))
	for i, k := range kids {
		fresh[i] = leaves(k)
	}
	return n.WithChildren(fresh)
}

func TestManyStagesCrossed(t *testing.T) {
	TestPlans(t)
	if sentStages < 100 {
		t.Errorf("only %d stages were sent", sentStages)
	}
	t.Logf("%d stages, %d bytes each", sentStages, sentBytes/max(sentStages, 1))
}
