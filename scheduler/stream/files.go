package stream

import (
	"cmp"
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// File is one file of a source's folder.
type File struct {
	Path     string
	Size     int64
	Modified int64 // ms
}

// Files is what a file source needs from the data sources: how to list its folder
// and how to open some of the files as one relation.
type Files struct {
	Name    string // "parquet"
	Path    string // for descriptions
	Columns *types.Type
	NParts  int // partition columns, the last ones
	Options map[string]string
	List    func(ctx context.Context) ([]File, error)
	Open    func(ctx context.Context, files []string) (plan.Source, error)
}

type fileDef struct {
	Files
	perTrigger int
	bytesMax   int64
	latest     bool
	maxAge     time.Duration
}

// NewFiles makes a file source; of the options it takes maxFilesPerTrigger,
// maxBytesPerTrigger, latestFirst and maxFileAge, and leaves the rest to the format.
func NewFiles(f Files) (Def, error) {
	d := &fileDef{Files: f, maxAge: 7 * 24 * time.Hour}
	for k, v := range f.Options {
		switch strings.ToLower(k) {
		case "maxfilespertrigger":
			n, err := strconv.Atoi(v)
			if err != nil || n <= 0 {
				return nil, badOption("maxFilesPerTrigger", v, "must be a positive number")
			}
			d.perTrigger = n
		case "maxbytespertrigger":
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil || n <= 0 {
				return nil, badOption("maxBytesPerTrigger", v, "must be a positive number of bytes")
			}
			d.bytesMax = n
		case "latestfirst":
			d.latest = strings.EqualFold(v, "true")
		case "maxfileage":
			age, err := time.ParseDuration(v)
			if err != nil {
				n, e := strconv.Atoi(strings.TrimSuffix(v, "d"))
				if e != nil || !strings.HasSuffix(v, "d") {
					return nil, badOption("maxFileAge", v, "must be a duration")
				}
				age = time.Duration(n) * 24 * time.Hour
			}
			d.maxAge = age
		case "cleansource":
			if !strings.EqualFold(v, "off") {
				return nil, errs.NotSupported("option cleanSource=" + v + " of a file stream")
			}
		}
	}
	return d, nil
}

func (d *fileDef) Format() string        { return d.Name }
func (d *fileDef) Schema() *types.Type   { return d.Columns }
func (d *fileDef) PartitionColumns() int { return d.NParts }
func (d *fileDef) Stats() plan.Stats     { return plan.Stats{Rows: -1, Bytes: -1} }

func (d *fileDef) Start(metadata string) (Source, error) {
	log, err := openLog(metadata, "")
	if err != nil {
		return nil, err
	}
	s := &fileSource{fileDef: d, log: log, seen: map[string]int64{}, byBatch: map[int64][]fileEntry{}, last: -1}
	batches, err := log.batches()
	if err != nil {
		return nil, err
	}
	for _, b := range batches {
		lines, err := log.get(b)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			var e fileEntry
			if err := json.Unmarshal([]byte(l), &e); err != nil {
				return nil, damaged(filepath.Join(metadata, strconv.FormatInt(b, 10)), "an entry is no JSON", err)
			}
			s.seen[e.Path] = e.Timestamp
			s.newest = max(s.newest, e.Timestamp)
			s.byBatch[b] = append(s.byBatch[b], e)
		}
		s.last = b
	}
	return s, nil
}

type fileEntry struct {
	Path      string `json:"path"`
	Timestamp int64  `json:"timestamp"`
	BatchID   int64  `json:"batchId"`
}

// fileSource remembers which files it has given out: its log has the new files
// of each step, an offset is the number of the last step.
type fileSource struct {
	*fileDef
	log     *fileLog
	seen    map[string]int64
	byBatch map[int64][]fileEntry
	newest  int64
	last    int64
	frozen  []File // what Latest may give, once Freeze was called
	isFixed bool
}

func (s *fileSource) Description() string { return "FileStreamSource[" + s.Path + "]" }

type fileOffset struct {
	LogOffset int64 `json:"logOffset"`
}

func logOffset(o Offset) int64 {
	x := fileOffset{-1}
	if o != "" {
		if err := json.Unmarshal([]byte(o), &x); err != nil {
			return -1
		}
	}
	return x.LogOffset
}

func (s *fileSource) Latest(ctx context.Context, from Offset, all bool) (Offset, error) {
	files, err := s.frozen, error(nil)
	if !s.isFixed {
		files, err = s.List(ctx)
	}
	if err != nil {
		return "", err
	}
	oldest := s.newest - s.maxAge.Milliseconds()
	var fresh []File
	for _, f := range files {
		if _, ok := s.seen[f.Path]; !ok && (s.newest == 0 || f.Modified >= oldest) {
			fresh = append(fresh, f)
		}
	}
	slices.SortFunc(fresh, func(a, b File) int { return cmp.Or(cmp.Compare(a.Modified, b.Modified), cmp.Compare(a.Path, b.Path)) })
	if s.latest {
		slices.Reverse(fresh)
	}
	if !all {
		if s.perTrigger > 0 && len(fresh) > s.perTrigger {
			fresh = fresh[:s.perTrigger]
		}
		if s.bytesMax > 0 {
			n, sum := 0, int64(0)
			for n < len(fresh) && (n == 0 || sum+fresh[n].Size <= s.bytesMax) {
				sum += fresh[n].Size
				n++
			}
			fresh = fresh[:n]
		}
	}
	if len(fresh) > 0 {
		s.last++
		var lines []string
		for _, f := range fresh {
			e := fileEntry{f.Path, f.Modified, s.last}
			raw, err := json.Marshal(e)
			if err != nil {
				return "", err
			}
			lines = append(lines, string(raw))
			s.byBatch[s.last] = append(s.byBatch[s.last], e)
			s.seen[f.Path] = f.Modified
			s.newest = max(s.newest, f.Modified)
		}
		if err := s.log.add(s.last, lines...); err != nil {
			return "", err
		}
	}
	if s.last < 0 {
		return from, nil
	}
	raw, err := json.Marshal(fileOffset{s.last})
	return Offset(raw), err
}

func (s *fileSource) Freeze(ctx context.Context, _ Offset) (err error) {
	s.frozen, err = s.List(ctx)
	s.isFixed = true
	return err
}

func (s *fileSource) Batch(ctx context.Context, from, to Offset, out []*plan.Attr) (plan.Node, int64, error) {
	var paths []string
	for b := logOffset(from) + 1; b <= logOffset(to); b++ {
		for _, e := range s.byBatch[b] {
			paths = append(paths, e.Path)
		}
	}
	if len(paths) == 0 {
		return &plan.LocalRelation{Out: out}, 0, nil
	}
	src, err := s.Open(ctx, paths)
	if err != nil {
		return nil, 0, err
	}
	return &plan.Relation{Common: plan.Common{Live: true}, Out: out, Name: s.Name, Handle: src, Options: s.Options}, src.Stats().Rows, nil
}

func (s *fileSource) Commit(Offset) error { return nil }
