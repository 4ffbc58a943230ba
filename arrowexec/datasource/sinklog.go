package datasource

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"neptune/internal/errs"
)

// sinkLogDir is the folder of a SinkLog in the target folder.
const sinkLogDir = "_spark_metadata"

// compactEvery is how many batches there are from one compact entry to the
// next. Spark takes the interval from the entries it finds, and has this one by default.
const compactEvery = 10

// SinkLog says which files of a folder a streaming query has put there for
// good, batch by batch, in the shape of Spark's FileStreamSinkLog: an entry is
// a file <batch> of the line "v1" and a line of JSON a file; each tenth is
// <batch>.compact and has the files of all batches up to it. A folder that has
// such a log consists of the files in it; others are of batches that failed.
type SinkLog struct {
	target, dir string
}

// OpenSinkLog is the log of a target folder; it need not exist.
func OpenSinkLog(target string) *SinkLog {
	return &SinkLog{target, filepath.Join(target, sinkLogDir)}
}

type sinkEntry struct {
	Path        string `json:"path"`
	Size        int64  `json:"size"`
	IsDir       bool   `json:"isDir"`
	Modified    int64  `json:"modificationTime"`
	Replication int    `json:"blockReplication"`
	BlockSize   int64  `json:"blockSize"`
	Action      string `json:"action"`
}

// Last is the newest batch in the log, -1 if there is none.
func (l *SinkLog) Last() (int64, error) {
	last, _, err := l.scan()
	return last, err
}

// scan finds the newest entry and the newest compact one, -1: none.
func (l *SinkLog) scan() (last, compact int64, err error) {
	last, compact = -1, -1
	list, err := os.ReadDir(l.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return last, compact, nil
	}
	for _, e := range list {
		name, isCompact := strings.CutSuffix(e.Name(), ".compact")
		n, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			continue
		}
		last = max(last, n)
		if isCompact {
			compact = max(compact, n)
		}
	}
	return last, compact, err
}

func (l *SinkLog) broken(name string, err error) error {
	path := filepath.Join(l.dir, name)
	return errs.New(errs.Execution, "MALFORMED_LOG_FILE", "text", fmt.Sprintf("The sink's log file %s can't be read: %v.", path, err)).Because(err)
}

func (l *SinkLog) entry(name string) ([]string, error) {
	raw, err := os.ReadFile(filepath.Join(l.dir, name))
	if err != nil {
		return nil, l.broken(name, err)
	}
	lines := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	if lines[0] != "v1" {
		return nil, l.broken(name, errors.New("its first line isn't v1"))
	}
	return lines[1:], nil
}

// all are the JSON lines up to now.
func (l *SinkLog) all() ([]string, error) {
	last, compact, err := l.scan()
	if err != nil {
		return nil, l.broken("", err)
	}
	var out []string
	if compact >= 0 {
		if out, err = l.entry(fmt.Sprintf("%d.compact", compact)); err != nil {
			return nil, err
		}
	}
	for b := compact + 1; b <= last; b++ {
		lines, err := l.entry(strconv.FormatInt(b, 10))
		if err != nil {
			return nil, err
		}
		out = append(out, lines...)
	}
	return out, nil
}

// Files are the paths of the folder's files. ok is false if there is no log.
func (l *SinkLog) Files() (files map[string]bool, ok bool, err error) {
	if st, err := os.Stat(l.dir); err != nil || !st.IsDir() {
		return nil, false, nil //nolint:nilerr // no folder there, or not even a folder it could be in: no log
	}
	lines, err := l.all()
	if err != nil {
		return nil, false, err
	}
	files = map[string]bool{}
	for _, line := range lines {
		var e sinkEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, false, l.broken("", err)
		}
		u, err := url.Parse(e.Path)
		if err != nil {
			return nil, false, l.broken("", err)
		}
		if e.Action == "delete" {
			delete(files, u.Path)
		} else {
			files[u.Path] = true
		}
	}
	return files, true, nil
}

// Add makes a batch's files (paths below the target) part of the folder. The
// batch must be the one after Last, and the files in their place.
func (l *SinkLog) Add(batch int64, files []string) error {
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return err
	}
	var lines []string
	name := strconv.FormatInt(batch, 10)
	if (batch+1)%compactEvery == 0 {
		var err error
		if lines, err = l.all(); err != nil {
			return err
		}
		name += ".compact"
	}
	root, err := filepath.Abs(l.target)
	if err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(root, f)
		st, err := os.Stat(path)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(sinkEntry{Path: (&url.URL{Scheme: "file", Path: path}).String(), Size: st.Size(), Modified: st.ModTime().UnixMilli(),
			Replication: 1, BlockSize: 32 << 20, Action: "add"})
		if err != nil {
			return err
		}
		lines = append(lines, string(raw))
	}
	tmp, err := os.CreateTemp(l.dir, ".tmp-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(strings.Join(append([]string{"v1"}, lines...), "\n"))
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(l.dir, name))
	}
	if err != nil || (batch+1)%compactEvery != 0 {
		return err
	}
	// What this entry has all of, and readers that began before it may still want, goes at the next one.
	for b := max(0, batch-3*compactEvery+1); b <= batch-2*compactEvery; b++ {
		for _, name := range []string{strconv.FormatInt(b, 10), fmt.Sprintf("%d.compact", b)} {
			if err := os.Remove(filepath.Join(l.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// Written lists the files that a job's tasks have made so far, relative to
// where Commit will move them.
func (j *Job) Written() ([]string, error) {
	var out []string
	err := filepath.WalkDir(j.Staging, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(j.Staging, path)
		if j.counts(rel) {
			out = append(out, rel)
		}
		return err
	})
	return out, err
}
