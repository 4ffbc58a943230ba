package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"neptune/internal/errs"
)

// fileLog is a log of one small file a batch, in the shape of Spark's
// HDFSMetadataLog: a line "v1", then the entry. A file appears whole or not at
// all (written beside, synced, then linked in place), and an entry that is there is
// never replaced.
type fileLog struct {
	dir string
	// volatile: nobody will read it after this run (a temporary checkpoint), so that entries are not synced.
	volatile bool
}

func openLog(checkpoint, name string) (*fileLog, error) {
	dir := filepath.Join(checkpoint, name)
	return &fileLog{dir: dir}, os.MkdirAll(dir, 0o755)
}

// damaged is the error of a log entry that can't be read.
func damaged(path, why string, cause error) error {
	e := errs.New(errs.Execution, "MALFORMED_LOG_FILE", "text", fmt.Sprintf("The streaming checkpoint's file %s is damaged: %s. Mend it, or take a new checkpoint location.", path, why))
	return e.Because(cause)
}

func (l *fileLog) add(batch int64, lines ...string) error {
	if l.volatile {
		return l.addQuick(batch, lines)
	}
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
		return errs.New(errs.Execution, "CONCURRENT_STREAM_LOG_UPDATE", "batchId", strconv.FormatInt(batch, 10))
	}
	return err
}

// addQuick adds an entry that needn't outlive the process.
func (l *fileLog) addQuick(batch int64, lines []string) error {
	f, err := os.OpenFile(filepath.Join(l.dir, strconv.FormatInt(batch, 10)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return errs.New(errs.Execution, "CONCURRENT_STREAM_LOG_UPDATE", "batchId", strconv.FormatInt(batch, 10))
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString("v1\n" + strings.Join(lines, "\n") + "\n")
	return errors.Join(err, f.Close())
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
	if lines[0] == "v1" {
		return lines[1:], nil
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(lines[0], "v")); err == nil && n > 0 && lines[0][0] == 'v' {
		return nil, errs.New(errs.Execution, "INVALID_LOG_VERSION.EXACT_MATCH_VERSION", "matchVersion", "1", "version", strconv.Itoa(n))
	}
	return nil, damaged(path, "it doesn't begin with the line v1", nil)
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
			return nil, damaged(meta, "it holds no query id", err)
		}
		c.id = m.ID
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	fresh := err != nil
	if c.offsets, err = openLog(dir, "offsets"); err != nil {
		return nil, err
	}
	if c.commits, err = openLog(dir, "commits"); err != nil || !fresh {
		return c, err
	}
	for _, l := range []*fileLog{c.offsets, c.commits} {
		if some, err := l.batches(); err != nil {
			return nil, err
		} else if len(some) > 0 {
			return nil, errs.New(errs.Execution, "STREAMING_CHECKPOINT_MISSING_METADATA_FILE", "checkpointLocation", dir)
		}
	}
	if raw, err = json.Marshal(map[string]string{"id": freshID}); err != nil {
		return nil, err
	}
	tmp := meta + ".tmp"
	if err := os.WriteFile(tmp, raw, 0o644); err != nil {
		return nil, err
	}
	return c, os.Rename(tmp, meta)
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
	path := filepath.Join(c.offsets.dir, strconv.FormatInt(batch, 10))
	if lines == nil {
		return m, nil, damaged(path, "it is missing, though the batch was committed", nil)
	}
	if len(lines) == 0 {
		return m, nil, damaged(path, "it ends too early", nil)
	}
	if err := json.Unmarshal([]byte(lines[0]), &m); err != nil {
		return m, nil, damaged(path, "its second line is no JSON", err)
	}
	if len(lines) != sources+1 {
		return m, nil, damaged(path, fmt.Sprintf("it has offsets of %d sources, and the query has %d", len(lines)-1, sources), nil)
	}
	for _, l := range lines[1:] {
		if l == "-" {
			l = ""
		} else if !json.Valid([]byte(l)) {
			return m, nil, damaged(path, "an offset is no JSON", nil)
		}
		offsets = append(offsets, Offset(l))
	}
	return m, offsets, nil
}
