package stream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// fileLog is a log of one small file a batch, in the shape of Spark's
// HDFSMetadataLog: a line "v1", then the entry. A file appears whole or not at
// all (written beside, synced, then linked in place), and an entry that is there is
// never replaced.
type fileLog struct{ dir string }

func openLog(checkpoint, name string) (*fileLog, error) {
	dir := filepath.Join(checkpoint, name)
	return &fileLog{dir}, os.MkdirAll(dir, 0o755)
}

// errExists means that another run of the query has written this batch.
var errExists = errors.New("batch is in the log already")

func (l *fileLog) add(batch int64, lines ...string) error {
	data := "v1\n" + strings.Join(lines, "\n") + "\n"
	path := filepath.Join(l.dir, strconv.FormatInt(batch, 10))
	tmp, err := os.CreateTemp(l.dir, ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err = tmp.WriteString(data); err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if err = os.Link(tmp.Name(), path); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", path, errExists)
	}
	return err
}

// get returns the lines of an entry, or nil if there is none.
func (l *fileLog) get(batch int64) ([]string, error) {
	path := filepath.Join(l.dir, strconv.FormatInt(batch, 10))
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	if lines[0] != "v1" {
		return nil, fmt.Errorf("%s: not a log entry of version v1", path)
	}
	return lines[1:], nil
}

// batches lists the entries, ascending.
func (l *fileLog) batches() ([]int64, error) {
	files, err := os.ReadDir(l.dir)
	if err != nil {
		return nil, err
	}
	var out []int64
	for _, f := range files {
		if n, err := strconv.ParseInt(f.Name(), 10, 64); err == nil {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out, nil
}

// purge removes the entries below batch.
func (l *fileLog) purge(batch int64) error {
	all, err := l.batches()
	if err != nil {
		return err
	}
	for _, b := range all {
		if b < batch {
			if err := os.Remove(filepath.Join(l.dir, strconv.FormatInt(b, 10))); err != nil {
				return err
			}
		}
	}
	return nil
}

// offsetMeta is the second line of an offset log entry.
type offsetMeta struct {
	WatermarkMs int64             `json:"batchWatermarkMs"`
	TimestampMs int64             `json:"batchTimestampMs"`
	Conf        map[string]string `json:"conf"`
}

type commitMeta struct {
	NextWatermarkMs int64 `json:"nextBatchWatermarkMs"`
}

// checkpoint is the durable part of a query.
type checkpoint struct {
	dir     string
	id      string
	offsets *fileLog
	commits *fileLog
}

func openCheckpoint(dir, freshID string) (*checkpoint, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	c := &checkpoint{dir: dir, id: freshID}
	meta := filepath.Join(dir, "metadata")
	raw, err := os.ReadFile(meta)
	switch {
	case err == nil:
		var m struct{ ID string }
		if err := json.Unmarshal(raw, &m); err != nil || m.ID == "" {
			return nil, fmt.Errorf("%s is not the metadata of a streaming query", meta)
		}
		c.id = m.ID
	case errors.Is(err, fs.ErrNotExist):
		raw, _ := json.Marshal(map[string]string{"id": freshID})
		if err := os.WriteFile(meta, raw, 0o644); err != nil {
			return nil, err
		}
	default:
		return nil, err
	}
	if c.offsets, err = openLog(dir, "offsets"); err != nil {
		return nil, err
	}
	c.commits, err = openLog(dir, "commits")
	return c, err
}

func (c *checkpoint) addOffsets(batch int64, m offsetMeta, offsets []Offset) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	lines := []string{string(raw)}
	for _, o := range offsets {
		if o == "" {
			o = "-" // Spark's mark of a source without data yet
		}
		lines = append(lines, string(o))
	}
	return c.offsets.add(batch, lines...)
}

func (c *checkpoint) getOffsets(batch int64, sources int) (m offsetMeta, offsets []Offset, err error) {
	lines, err := c.offsets.get(batch)
	if err != nil {
		return m, nil, err
	}
	if len(lines) != sources+1 {
		return m, nil, fmt.Errorf("batch %d of %s has offsets of %d sources, the query has %d", batch, c.dir, len(lines)-1, sources)
	}
	if err := json.NewDecoder(bytes.NewReader([]byte(lines[0]))).Decode(&m); err != nil {
		return m, nil, fmt.Errorf("batch %d of %s: %w", batch, c.dir, err)
	}
	for _, l := range lines[1:] {
		if l == "-" {
			l = ""
		}
		offsets = append(offsets, Offset(l))
	}
	return m, offsets, nil
}
