package sidecar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"neptune/arrowexec/datasource"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/physical/wire"
	"neptune/arrowexec/shuffle"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/arrowexec/worker"
	"neptune/connect/sqlparse"
	"neptune/internal/errs"
	"neptune/internal/types"
	"neptune/scheduler/stagegraph"
)

// apart runs plans as executors in processes of their own would: each has its
// own copy of a stage, made from bytes, its own memory, and an exchange that the
// others read over the network. Tasks run one after the other.
type apart struct {
	t      testing.TB
	limit  int64
	dir    string
	slots  int
	conf   *task.Conf
	query  string
	graph  *stagegraph.Graph
	nodes  []*apartNode
	places map[int]map[int]shuffle.Location // exchange -> writer
	tasks  map[int]int                      // stage -> how many
	turn   int
	made   int // nodes ever
	reruns int
	stages int
	kinds  map[physical.Partitioning]int
	loses  bool // before a stage with inputs runs, an executor is lost

	adaptive *stagegraph.Adaptive
	sizes    map[int]map[int][]int64 // stage -> writer -> what it wrote
	planned  map[int]bool            // stages that were looked at once more
	notes    []string
}

type apartNode struct {
	*shuffle.Remote
	pool   *mem.Pool
	stages map[int]*wire.Stage
}

func (a *apart) join() {
	a.made++
	n := &apartNode{pool: mem.NewPool(a.limit), stages: map[int]*wire.Stage{}}
	var err error
	if n.Remote, err = shuffle.NewRemote(n.pool, shuffle.RemoteConfig{Executor: fmt.Sprint("x", a.made), Listen: "127.0.0.1:0"}); err != nil {
		a.t.Fatal(err)
	}
	a.nodes = append(a.nodes, n)
}

// lose ends the executor that has the first rows of an input of s, and starts another.
func (a *apart) lose(s *stagegraph.Stage) {
	l, ok := a.places[a.graph.Stages[s.Parents[0]].Output.ID][0]
	for i, n := range a.nodes {
		if ok && n.Executor() == l.Executor {
			n.Close()
			a.nodes = slices.Delete(a.nodes, i, i+1)
			a.join()
			return
		}
	}
}

func (a *apart) close() {
	for _, n := range a.nodes {
		n.Close()
		if used, _ := n.pool.Used(); used != 0 {
			a.t.Errorf("%d bytes are still reserved", used)
		}
	}
}

func (a *apart) stage(n *apartNode, s *stagegraph.Stage) *wire.Stage {
	if got := n.stages[s.ID]; got != nil {
		return got
	}
	data, err := wire.Encode(&wire.Stage{ID: s.ID, Root: s.Root, Output: s.Output})
	if err != nil {
		a.t.Fatal(err)
	}
	got, err := wire.Decode(data, datasource.WireSources())
	if err != nil {
		a.t.Fatal(err)
	}
	n.stages[s.ID] = got
	return got
}

// run runs a plan and returns its rows in order.
func (a *apart) run(root physical.Node) (out []*vec.Batch, err error) {
	a.graph, a.places, a.tasks = stagegraph.Cut(root), map[int]map[int]shuffle.Location{}, map[int]int{}
	a.sizes, a.planned = map[int]map[int][]int64{}, map[int]bool{}
	for _, n := range a.nodes {
		n.stages = map[int]*wire.Stage{}
	}
	defer func() {
		for _, n := range a.nodes {
			n.Release(a.query)
		}
	}()
	for id := range a.graph.Stages {
		a.replan(id)
		s := a.graph.Stages[id]
		a.stages++
		if s.Output != nil {
			a.kinds[s.Output.Kind]++
		}
		if len(s.Parents) > 0 && a.loses && s.TakenBy == nil {
			a.lose(s)
		}
		if out, err = a.complete(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// replan lets adaptive execution change a stage whose inputs are there.
func (a *apart) replan(id int) {
	if a.adaptive == nil || a.planned[id] {
		return
	}
	a.planned[id] = true
	if note := a.adaptive.Plan(a.graph, id, func(stage int) [][]int64 {
		if a.tasks[stage] == 0 {
			return nil
		}
		list := make([][]int64, a.tasks[stage])
		for w := range list {
			list[w] = a.sizes[stage][w]
		}
		return list
	}); note != "" {
		a.notes = append(a.notes, note)
	}
}

// complete runs the tasks of a stage whose rows aren't there.
func (a *apart) complete(s *stagegraph.Stage) (out []*vec.Batch, err error) {
	if s.TakenBy != nil {
		return nil, nil
	}
	count, ok := a.tasks[s.ID]
	if !ok {
		count = max(1, stagegraph.Tasks(s.Root, manyTasks{sizer{a.slots}}))
		a.tasks[s.ID] = count
	}
	for i := 0; i < count; {
		if s.Output != nil {
			if _, ok := a.places[s.Output.ID][i]; ok {
				i++
				continue
			}
		}
		for _, p := range s.Parents { // all of whose rows must be there
			if _, err := a.complete(a.graph.Stages[p]); err != nil {
				return nil, err
			}
		}
		rows, err := a.task(s, i, count)
		var lost *shuffle.FetchError
		if errors.As(err, &lost) {
			a.reruns++
			for _, places := range a.places { // all that was there
				for w, l := range places {
					if l.Executor == lost.Executor {
						delete(places, w)
					}
				}
			}
			if s.Output != nil {
				i = 0 // earlier tasks' rows may be lost too
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
		i++
	}
	return out, nil
}

func (a *apart) task(s *stagegraph.Stage, i, count int) (out []*vec.Batch, err error) {
	n := a.nodes[a.turn%len(a.nodes)]
	a.turn++
	st := a.stage(n, s)
	sources := shuffle.Sources{}
	for _, p := range s.Parents {
		id := a.graph.Stages[p].Output.ID
		sources[id] = []shuffle.Location{}
		for _, l := range a.places[id] {
			sources[id] = append(sources[id], l)
		}
	}
	service := n.With(sources)
	size := manyTasks{sizer{a.slots}}
	account := n.pool.NewAccount("t")
	defer account.Close()
	err = task.Run(task.Info{Query: a.query, Stage: s.ID, Partition: i, Partitions: count}, a.conf, account, 0, func(c *task.Ctx) error {
		w := worker.Stage{Root: st.Root, Output: st.Output, Shuffle: service, Deps: op.Deps{Conf: a.conf, Query: a.query, Partition: i, Partitions: count, Shuffle: service,
			Tasks: func(n physical.Node) int { return max(1, stagegraph.Tasks(n, size)) },
			Scan:  datasource.NewScan, Write: datasource.NewWrite}}
		if st.Output != nil {
			w.Parts = max(1, stagegraph.Tasks(st.Output, size))
		} else {
			w.Consume = func(_ *task.Ctx, b *vec.Batch) error {
				out = append(out, b.Compact())
				return nil
			}
		}
		return w.Run(c)
	})
	if err == nil && s.Output != nil {
		if a.places[s.Output.ID] == nil {
			a.places[s.Output.ID] = map[int]shuffle.Location{}
		}
		if a.sizes[s.ID] == nil {
			a.sizes[s.ID] = map[int][]int64{}
		}
		a.sizes[s.ID][i] = n.Sizes(a.query, s.Output, i)
		a.places[s.Output.ID][i] = shuffle.Location{Writer: i, Executor: n.Executor(), Addr: n.Addr()}
	}
	return out, err
}

// manyTasks has small files scanned by as many tasks as there are slots.
type manyTasks struct{ sizer }

func (m manyTasks) ScanTasks(*physical.Scan) int { return m.slots }

// TestAnswersOfExecutorsApart sends every plan through the codec and its rows
// through the exchange between executors, with executors that get lost, too.
func TestAnswersOfExecutorsApart(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	dir := t.TempDir()
	newRig(t, way{slots: 1}).tables(t, dir)
	never, large := map[string]string{noBroadcast: "-1", adaptiveOn: "false"}, tuning{batchRows: 61, rowScale: 1e-6}
	for _, x := range []struct {
		name  string
		way   way
		limit int64
		loses bool
	}{
		{"two executors", way{slots: 4, tuning: large}, 0, false},
		{"shuffled joins", way{slots: 4, conf: never, tuning: large}, 0, false},
		{"little memory", way{slots: 3, conf: never, tuning: large}, 96 << 10, false},
		{"executors are lost", way{slots: 4, conf: never, tuning: large}, 0, true},
		{"adaptive", way{slots: 4, tuning: large, conf: map[string]string{noBroadcast: "-1", "spark.sql.adaptive.autoBroadcastJoinThreshold": "1k",
			"spark.sql.adaptive.advisoryPartitionSizeInBytes": "64", "spark.sql.adaptive.coalescePartitions.minPartitionSize": "2k",
			"spark.sql.adaptive.skewJoin.skewedPartitionFactor": "0.3", "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes": "0"}}, 0, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := newRig(t, x.way)
			r.tables(t, dir)
			a := &apart{t: t, limit: x.limit, slots: x.way.slots, loses: x.loses, kinds: map[physical.Partitioning]int{}}
			a.join()
			a.join()
			defer a.close()
			if x.name == "adaptive" {
				a.adaptive = r.engine.adaptive(r.engine.sessionConf(r.session))
			}
			asked := 0
			for i, q := range questions(t) {
				if q.sql == nullIn {
					continue
				}
				a.query = fmt.Sprint("q", i)
				got, ran := a.answer(r, q.sql)
				if !ran {
					continue
				}
				asked++
				if !q.ordered {
					slices.Sort(got)
				}
				if d := cmp.Diff(q.want, got); d != "" {
					t.Errorf("%s\n(-Spark +got)\n%.1500s", q.sql, d)
				}
			}
			t.Logf("%d questions, %d stages, %d tasks, exchanges %v, rows were made again %d times", asked, a.stages, a.turn, a.kinds, a.reruns)
			for _, word := range []string{"coalesced to 1", "are divided", "read whole"} {
				if a.adaptive != nil && !strings.Contains(strings.Join(a.notes, "; "), word) {
					t.Errorf("no stage was planned anew with %q", word)
				}
			}
			if asked < 300 || a.stages < 2*asked || len(a.kinds) < 4 || x.loses && a.reruns < 100 {
				t.Errorf("%d questions, %d stages, exchanges %v, rows were made again %d times", asked, a.stages, a.kinds, a.reruns)
			}
		})
	}
}

// answer is rig.answer, for what is a plan and nothing else.
func (a *apart) answer(r *rig, text string) (rows []string, ran bool) {
	c := r.engine.sessionConf(r.session)
	fail := func(err error) ([]string, bool) {
		if x, ok := errs.As(err); ok {
			return []string{"error " + x.Condition + " " + x.SQLState() + ifInternal(x)}, true
		}
		return []string{"error without a condition: " + err.Error()}, true
	}
	n, err := sqlparse.ParseStatement(text, c.parser())
	if err != nil {
		return fail(err)
	}
	ctx := context.Background()
	resolved, err := r.engine.analyze(ctx, r.session, c, n)
	if err != nil {
		return fail(err)
	}
	schema := &types.Type{Kind: types.Struct}
	for _, x := range resolved.Output() {
		schema.Fields = append(schema.Fields, types.Field{Name: x.Name, Type: x.T, Nullable: x.Null})
	}
	root, err := r.engine.physical(ctx, c, resolved)
	if err != nil {
		return fail(err)
	}
	a.conf = c.task(a.t.TempDir())
	a.conf.BatchRows = r.engine.tuning.batchRows
	batches, err := a.run(root)
	if err != nil {
		return fail(err)
	}
	for _, row := range rowsOf(batches) {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = cell(v, schema.Fields[i].Type)
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	return rows, true
}
