package shuffle

import (
	"errors"
	"io"
	"slices"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
)

// errWriterEnds is what fetch.next returns between two writers if it is to pause there.
var errWriterEnds = errors.New("the rows of the next writer follow")

// Gathered reads an exchange of one partition writer by writer, for who has to
// know what is complete.
type Gathered struct{ f *fetch }

// Gather begins to read the rows of x where sources says, from the from-th
// writer on. Close ends it.
func (r *Remote) Gather(c *task.Ctx, query string, x *physical.Exchange, sources []Location, from int) (*Gathered, error) {
	list := slices.Clone(sources)
	slices.SortFunc(list, func(a, b Location) int { return a.Writer - b.Writer })
	x = r.known(query, x)
	g := &Gathered{&fetch{r: r, query: query, x: x, piece: physical.One(0), schema: physical.Types(x.Schema()), sources: list[min(from, len(list)):], one: true, pauses: true}}
	return g, g.f.start(c, &reader{})
}

// More reports whether there is another writer.
func (g *Gathered) More() bool { return g.f.at < len(g.f.sources) }

// Here reports whether the rows of the writer that is read are in this process.
func (g *Gathered) Here() bool { return g.f.local(g.f.sources[g.f.at]) }

// Next returns a batch of the writer that is read, of any size, or io.EOF when it has no more.
func (g *Gathered) Next(c *task.Ctx) (*vec.Batch, error) {
	b, err := g.f.next(c)
	if err == errWriterEnds {
		return nil, io.EOF
	}
	return b, err
}

// Close ends the reading.
func (g *Gathered) Close() { g.f.close() }
