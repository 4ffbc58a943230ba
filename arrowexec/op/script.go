package op

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

const (
	// scriptChunk is how many bytes go to a script, or come from it, at a time.
	scriptChunk = 64 << 10
	// scriptNotes is how much of the end of a script's standard error is kept for the message of a failure.
	scriptNotes = 2048
)

// script runs a program beside a task: rows go to its standard input as lines,
// and the lines of its standard output are the rows of the result. Two
// goroutines do the blocking work; the task waits for either without its slot.
type script struct {
	unary
	node    *physical.ScriptTransform
	split   func(string) []string
	in      chan []byte   // lines to the script; closed at the end of the input
	out     chan []string // lines from the script; closed when it ends
	failed  error         // set before out is closed
	pending []byte
	rest    []string // lines that are no rows yet
	ended   bool     // the input's end has been told
	cancel  context.CancelFunc
	done    chan struct{} // closed when both goroutines and the process have ended
}

// NewScript sends the rows of in, which are strings, through a script as physical.ScriptTransform says.
func NewScript(in Operator, n *physical.ScriptTransform) Operator {
	return &script{unary: unary{in}, node: n}
}

func (s *script) Schema() []*types.Type { return physical.Types(s.node.Out) }

func (s *script) Open(c *task.Ctx) error {
	split, err := splitter(s.node.OutField)
	if err != nil {
		return err
	}
	s.split = split
	if err := s.input.Open(c); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.Stop)
	cmd := exec.CommandContext(ctx, "/bin/bash", "-c", s.node.Script)
	whole(cmd)
	cmd.WaitDelay = time.Second // a child of the script may keep its pipes open
	notes := &lastBytes{}
	cmd.Stderr = notes
	stdin, err := cmd.StdinPipe()
	if err == nil {
		var stdout io.ReadCloser
		if stdout, err = cmd.StdoutPipe(); err == nil {
			if err = cmd.Start(); err == nil {
				s.cancel, s.done = cancel, make(chan struct{})
				s.in, s.out = make(chan []byte), make(chan []string)
				go s.run(ctx, cmd, stdin, stdout, notes)
				return nil
			}
		}
	}
	cancel()
	return errs.New(errs.Execution, "_LEGACY_ERROR_TEMP_2264", "exitCode", "-1", "stderrBuffer", err.Error())
}

// run feeds the process and reads it, to its end.
func (s *script) run(ctx context.Context, cmd *exec.Cmd, stdin io.WriteCloser, stdout io.Reader, notes *lastBytes) {
	defer close(s.done)
	defer close(s.out)
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		feed(ctx, stdin, s.in)
	}()
	read := s.read(ctx, stdout)
	if read != nil {
		s.cancel()
	}
	waited := cmd.Wait()
	s.cancel() // feed may still wait for rows
	<-fed
	var exit *exec.ExitError
	switch {
	case read != nil:
		s.failed = read
	case errors.As(waited, &exit):
		s.failed = errs.New(errs.Execution, "_LEGACY_ERROR_TEMP_2264", "exitCode", strconv.Itoa(exit.ExitCode()), "stderrBuffer", notes.String())
	case waited != nil:
		s.failed = waited
	}
}

// feed writes chunks to the process until there are no more, or until the
// process takes no more: whether that was an error, its exit status says.
func feed(ctx context.Context, w io.WriteCloser, chunks <-chan []byte) {
	defer w.Close()
	for {
		select {
		case b, more := <-chunks:
			if !more {
				return
			}
			if _, err := w.Write(b); err != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// read passes the process's lines on, some at a time.
func (s *script) read(ctx context.Context, r io.Reader) error {
	b := bufio.NewReaderSize(r, scriptChunk)
	var lines []string
	size := 0
	pass := func() error {
		if len(lines) == 0 {
			return nil
		}
		select {
		case s.out <- lines:
			lines, size = nil, 0
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		line, err := b.ReadString('\n')
		if err == nil || line != "" {
			line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
			lines = append(lines, line)
			size += len(line) + 1
		}
		if err == nil && size < scriptChunk && b.Buffered() > 0 {
			continue
		}
		if e := pass(); e != nil {
			return e
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

func (s *script) Next(c *task.Ctx) (*vec.Batch, error) {
	for {
		if len(s.rest) > 0 {
			n := min(len(s.rest), batchRows(c.Conf))
			now := s.rest[:n]
			s.rest = s.rest[n:]
			return s.batch(c, now)
		}
		if s.pending == nil && !s.ended {
			b, err := s.input.Next(c)
			switch {
			case eof(err):
				s.ended = true
				close(s.in)
			case err != nil:
				return nil, err
			default:
				if s.pending, err = s.lines(c, b); err != nil {
					return nil, err
				}
			}
		}
		var got []string
		more := true
		err := c.Do(func(ctx context.Context) error {
			var in chan<- []byte
			if s.pending != nil {
				in = s.in
			}
			select {
			case in <- s.pending:
				s.pending = nil
			case got, more = <-s.out:
			case <-ctx.Done():
				return task.ErrKilled
			}
			return nil
		})
		switch {
		case err != nil:
			return nil, err
		case !more && s.failed != nil:
			return nil, s.failed
		case !more:
			return nil, io.EOF
		}
		s.rest = got
	}
}

// lines are the rows of b as the script reads them.
func (s *script) lines(c *task.Ctx, b *vec.Batch) ([]byte, error) {
	var out bytes.Buffer
	for i := range b.N {
		r := i
		if b.Sel != nil {
			r = int(b.Sel[i])
		}
		for k, v := range b.Cols {
			if k > 0 {
				out.WriteString(s.node.Field)
			}
			if v.IsNull(r) {
				out.WriteString(s.node.Null)
			} else {
				out.Write(v.Bytes(r))
			}
		}
		out.WriteByte('\n')
		if i%256 == 255 {
			if err := c.Yield(); err != nil {
				return nil, err
			}
		}
	}
	return out.Bytes(), nil
}

// batch makes rows of lines: columns that a line lacks are null, more than there are are left out.
func (s *script) batch(c *task.Ctx, lines []string) (*vec.Batch, error) {
	cols := make([]*vec.Builder, len(s.node.Out))
	for k := range cols {
		cols[k] = vec.NewBuilder(types.StringType, len(lines))
	}
	for i, line := range lines {
		parts := s.split(line)
		for k, b := range cols {
			if k < len(parts) && parts[k] != s.node.OutNull && hasForm(parts[k], s.node.As[k]) {
				b.AppendString(parts[k])
			} else {
				b.AppendNull()
			}
		}
		if i%256 == 255 {
			if err := c.Yield(); err != nil {
				return nil, err
			}
		}
	}
	out := &vec.Batch{N: len(lines)}
	for _, b := range cols {
		out.Cols = append(out.Cols, b.Finish())
	}
	return out, c.Yield()
}

func (s *script) Close() error {
	if s.cancel != nil {
		s.cancel()
		go func(out <-chan []string) { // the reader may be about to pass lines on
			for range out {
			}
		}(s.out)
		<-s.done
		s.cancel = nil
	}
	return s.input.Close()
}

// hasForm reports whether text can be a value of t. It is stricter than a cast,
// which takes spaces around numbers and t for true.
func hasForm(text string, t *types.Type) bool {
	switch {
	case t.Kind == types.Bool:
		return strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
	case t.IsIntegral(), t.Kind == types.Decimal:
		return text != "" && text == strings.TrimSpace(text)
	}
	return true
}

// splitter cuts a line at sep, which is a regular expression, as in Spark, unless it is a plain character.
func splitter(sep string) (func(string) []string, error) {
	if len(sep) == 1 && !strings.Contains(`.$|()[{^?*+\`, sep) {
		return func(s string) []string { return strings.Split(s, sep) }, nil
	}
	re, err := regexp.Compile(sep)
	if err != nil {
		return nil, errs.NotSupported("FIELDS TERMINATED BY '" + sep + "' of a script's rows")
	}
	return func(s string) []string { return re.Split(s, -1) }, nil
}

// lastBytes keeps the last bytes that are written to it.
type lastBytes struct{ b []byte }

func (t *lastBytes) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if n := len(t.b) - scriptNotes; n > 0 {
		t.b = append(t.b[:0], t.b[n:]...)
	}
	return len(p), nil
}

func (t *lastBytes) String() string { return string(t.b) }
