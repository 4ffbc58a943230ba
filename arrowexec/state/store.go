// Package state is the keyed state of streaming operators: a store for each
// (checkpoint, operator, partition), with a version a micro-batch.
//
// On disk, in <checkpoint>/state/<operator>/<partition>: <v>.delta has what batch v
// changed, <v>.snapshot all of version v. Files are written under another
// name, synced and renamed, so that a version is there or not. A file is:
// magic, count u64, then records (length u32 key, key, length u32 value or
// removed, value), then the CRC-32C of all before. Values stay in memory
// between batches.
package state

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"neptune/internal/errs"
)

const (
	magic         = "NEPST001"
	removed       = ^uint32(0)
	snapshotEvery = 10
	// Retain is how many versions can be gone back to, as spark.sql.streaming.minBatchesToRetain says by default.
	Retain = 100
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Store is one partition's state, open for one batch by one task at a time.
type Store struct {
	dir           string
	version       int64
	data          map[string][]byte
	size          int64
	changed, gone int64 // Put and Remove since version
	// changes since version: what was there before, for Abort, is what undo holds.
	undo map[string][]byte
	// While it is kept: its memory, and when it was used.
	keptAs, used int64
}

var (
	mu   sync.Mutex
	kept = map[string]*Store{} // loaded stores, not in use, by folder
	// Of kept: the memory, the bound on it (0: none), and the order of use.
	keptBytes, keptLimit int64
	clock                int64
)

// perKey is about what a map takes for a key and a value beside their bytes.
const perKey = 80

// Memory is about what the store takes in memory, in bytes.
func (s *Store) Memory() int64 { return s.size + perKey*int64(len(s.data)+len(s.undo)) }

// SetKeepLimit bounds the memory of stores that are kept between batches;
// those used longest ago are read from disk again when they are needed. 0: no bound.
func SetKeepLimit(bytes int64) {
	mu.Lock()
	defer mu.Unlock()
	keptLimit = bytes
	shrink()
}

// Kept is the memory of the stores kept between batches, in bytes.
func Kept() int64 {
	mu.Lock()
	defer mu.Unlock()
	return keptBytes
}

// forget drops a kept store. mu is held.
func forget(dir string) {
	if s := kept[dir]; s != nil {
		keptBytes -= s.keptAs
		delete(kept, dir)
	}
}

// shrink drops kept stores until they are within the bound. mu is held.
func shrink() {
	for keptLimit > 0 && keptBytes > keptLimit {
		oldest := ""
		for dir, s := range kept {
			if oldest == "" || s.used < kept[oldest].used {
				oldest = dir
			}
		}
		forget(oldest)
	}
}

// Dir is the folder of an operator's partition in a checkpoint.
func Dir(checkpoint string, operator, partition int) string {
	return filepath.Join(strings.TrimPrefix(checkpoint, "file:"), "state", strconv.Itoa(operator), strconv.Itoa(partition))
}

// Open loads the state as version left it; 0 is empty. Later versions, which
// no batch has committed, are overwritten by the next Commit. It blocks on the disk.
func Open(dir string, version int64) (*Store, error) {
	mu.Lock()
	s := kept[dir]
	forget(dir)
	mu.Unlock()
	if s != nil && s.version == version {
		return s, nil
	}
	s = &Store{dir: dir, version: version, data: map[string][]byte{}, undo: map[string][]byte{}}
	from := version
	for ; from > 0; from-- {
		_, err := os.Stat(s.file(from, "snapshot"))
		if err == nil {
			if err := s.load(s.file(from, "snapshot")); err != nil {
				return nil, err
			}
			break
		}
		if !os.IsNotExist(err) {
			return nil, broken(s.file(from, "snapshot"), err)
		}
	}
	for v := from + 1; v <= version; v++ {
		if err := s.load(s.file(v, "delta")); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Forget drops what is kept in memory of a checkpoint: its query has ended.
func Forget(checkpoint string) {
	prefix := filepath.Join(strings.TrimPrefix(checkpoint, "file:"), "state") + string(filepath.Separator)
	mu.Lock()
	defer mu.Unlock()
	for dir := range kept {
		if strings.HasPrefix(dir, prefix) {
			forget(dir)
		}
	}
}

// ForgetAll drops all that is kept in memory.
func ForgetAll() {
	mu.Lock()
	defer mu.Unlock()
	clear(kept)
	keptBytes = 0
}

func (s *Store) file(v int64, kind string) string {
	return filepath.Join(s.dir, strconv.FormatInt(v, 10)+"."+kind)
}

func broken(path string, err error) error {
	e := errs.New(errs.Execution, "CANNOT_LOAD_STATE_STORE.UNCATEGORIZED")
	e.State = "58030"
	e.Text = fmt.Sprintf("The streaming state in %s can't be read: %v.", path, err)
	return e.Because(err)
}

func (s *Store) load(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return broken(path, err)
	}
	if len(b) < len(magic)+12 || string(b[:len(magic)]) != magic ||
		crc32.Checksum(b[:len(b)-4], castagnoli) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return broken(path, fmt.Errorf("it is damaged (its checksum is wrong)"))
	}
	n := binary.LittleEndian.Uint64(b[len(magic):])
	b = b[len(magic)+8 : len(b)-4]
	part := func() ([]byte, bool) {
		if len(b) < 4 {
			return nil, false
		}
		l := binary.LittleEndian.Uint32(b)
		b = b[4:]
		if l == removed {
			return nil, true
		}
		if uint64(l) > uint64(len(b)) {
			return nil, false
		}
		out := b[:l:l]
		b = b[l:]
		if out == nil {
			out = []byte{}
		}
		return out, true
	}
	for range n {
		k, ok := part()
		v, ok2 := part()
		if !ok || !ok2 {
			return broken(path, fmt.Errorf("it ends too early"))
		}
		s.set(string(k), v)
	}
	return nil
}

func (s *Store) set(k string, v []byte) {
	if old, ok := s.data[k]; ok {
		s.size -= int64(len(k) + len(old))
	}
	if v == nil {
		delete(s.data, k)
		return
	}
	s.data[k] = v
	s.size += int64(len(k) + len(v))
}

// Get returns a key's value, nil if there is none. It must not be changed.
func (s *Store) Get(k []byte) []byte { return s.data[string(k)] }

// Put sets a key's value; the store keeps v.
func (s *Store) Put(k, v []byte) {
	if v == nil {
		v = []byte{}
	}
	s.note(string(k))
	s.set(string(k), v)
	s.changed++
}

// Remove forgets a key.
func (s *Store) Remove(k []byte) {
	s.note(string(k))
	s.set(string(k), nil)
	s.gone++
}

func (s *Store) note(k string) {
	if _, ok := s.undo[k]; !ok {
		s.undo[k] = s.data[k]
	}
}

// Each visits all keys and values in no order, until f returns an error. f may Remove the key it is given.
func (s *Store) Each(f func(k, v []byte) error) error {
	for k, v := range s.data {
		if err := f([]byte(k), v); err != nil {
			return err
		}
	}
	return nil
}

// Len is the number of keys; Size their bytes and their values'.
func (s *Store) Len() int    { return len(s.data) }
func (s *Store) Size() int64 { return s.size }

// Changes are how often Put and Remove were called since the store was opened.
func (s *Store) Changes() (put, removed int64) { return s.changed, s.gone }

// Commit makes what was changed version v, durably, and closes the store. It blocks on the disk.
func (s *Store) Commit(v int64) error {
	if v != s.version+1 {
		return errs.Internalf("state of version %d committed as %d", s.version, v)
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return broken(s.dir, err)
	}
	delta := make(map[string][]byte, len(s.undo))
	for k := range s.undo {
		delta[k] = s.data[k]
	}
	if err := write(s.file(v, "delta"), delta); err != nil {
		return err
	}
	// A snapshot of the same number may be left of a run that was rolled back.
	if err := os.Remove(s.file(v, "snapshot")); err != nil && !os.IsNotExist(err) {
		return broken(s.dir, err)
	}
	if v%snapshotEvery == 0 {
		if err := write(s.file(v, "snapshot"), s.data); err != nil {
			return err
		}
		s.clean(v)
	}
	s.version = v
	s.changed, s.gone = 0, 0
	clear(s.undo)
	mu.Lock()
	forget(s.dir)
	clock++
	s.keptAs, s.used = s.Memory(), clock
	kept[s.dir] = s
	keptBytes += s.keptAs
	shrink()
	mu.Unlock()
	return nil
}

// clean removes files that no version worth keeping needs; what can't be removed stays.
func (s *Store) clean(v int64) {
	oldest := (v - Retain) / snapshotEvery * snapshotEvery
	for x := oldest - snapshotEvery; x >= 0 && x < oldest; x++ {
		os.Remove(s.file(x, "delta"))
		os.Remove(s.file(x, "snapshot"))
	}
}

func write(path string, data map[string][]byte) error {
	b := binary.LittleEndian.AppendUint64([]byte(magic), uint64(len(data)))
	for k, v := range data {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(k))), k...)
		if v == nil {
			b = binary.LittleEndian.AppendUint32(b, removed)
			continue
		}
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(v))), v...)
	}
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-")
	if err != nil {
		return broken(path, err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return broken(path, err)
	}
	if d, e := os.Open(filepath.Dir(path)); e == nil {
		err = d.Sync()
		d.Close()
	}
	if err != nil {
		return broken(path, err)
	}
	return nil
}
