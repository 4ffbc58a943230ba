package session

import (
	"fmt"
	"hash/crc32"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"neptune/internal/errs"
)

// Artifacts are the files that a client uploaded: "jars/x.jar",
// "pyfiles/m.py", "classes/A.class", "files/f", "archives/a.zip", and blocks
// of local relations as "cache/<sha256>". They lie in a folder that goes with
// the session.
type Artifacts struct {
	dir string

	mu    sync.Mutex
	made  bool
	names map[string]bool
}

func newArtifacts(dir string) *Artifacts {
	return &Artifacts{dir: dir, names: map[string]bool{}}
}

// Dir is the folder; it exists once something was added.
func (a *Artifacts) Dir() string { return a.dir }

// Path is where the artifact of that name lies.
func (a *Artifacts) Path(name string) string { return filepath.Join(a.dir, filepath.FromSlash(name)) }

// Has reports whether the artifact was uploaded completely.
func (a *Artifacts) Has(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.names[name]
}

// List returns the names that start with prefix, sorted.
func (a *Artifacts) List(prefix string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var l []string
	for n := range a.names {
		if strings.HasPrefix(n, prefix) {
			l = append(l, n)
		}
	}
	slices.Sort(l)
	return l
}

// Cached returns a block of a local relation by its hash, false if it was never sent.
func (a *Artifacts) Cached(hash string) ([]byte, bool, error) {
	name := "cache/" + hash
	if !a.Has(name) {
		return nil, false, nil
	}
	data, err := os.ReadFile(a.Path(name))
	if err != nil {
		return nil, false, fmt.Errorf("reading a cached block: %w", err)
	}
	return data, true, nil
}

// Upload is an artifact under way: Write its chunks, then Commit or Abort.
type Upload struct {
	a    *Artifacts
	name string
	f    *os.File
	bad  bool
}

// Begin starts an upload. The name must be a relative path that stays inside
// the folder: INVALID_ARTIFACT_PATH.
func (a *Artifacts) Begin(name string) (*Upload, error) {
	clean := path.Clean(name)
	if name == "" || clean == "." || path.IsAbs(name) || strings.HasPrefix(clean, "..") || strings.ContainsAny(name, "\x00\\") {
		return nil, errs.New(errs.IllegalArgument, "INVALID_ARTIFACT_PATH", "name", name)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.made {
		if err := os.MkdirAll(a.dir, 0o700); err != nil {
			return nil, fmt.Errorf("making a folder for artifacts: %w", err)
		}
		a.made = true
	}
	f, err := os.CreateTemp(a.dir, ".upload-")
	if err != nil {
		return nil, fmt.Errorf("storing an artifact: %w", err)
	}
	return &Upload{a: a, name: clean, f: f}, nil
}

// Write adds a chunk, and checks it against its CRC-32.
func (u *Upload) Write(chunk []byte, crc int64) error {
	if int64(crc32.ChecksumIEEE(chunk)) != crc {
		u.bad = true
	}
	if u.bad {
		return nil
	}
	if _, err := u.f.Write(chunk); err != nil {
		return fmt.Errorf("storing an artifact: %w", err)
	}
	return nil
}

// Abort forgets the upload. It is legal after Commit.
func (u *Upload) Abort() {
	if u.f != nil {
		u.f.Close()
		os.Remove(u.f.Name())
		u.f = nil
	}
}

// Commit makes the artifact visible, if all checksums were right, which it
// reports. Files other than classes and cached blocks can't be replaced by different
// ones: ARTIFACT_ALREADY_EXISTS.
func (u *Upload) Commit() (crcOK bool, err error) {
	defer u.Abort()
	if u.bad {
		return false, nil
	}
	if err := u.f.Close(); err != nil {
		return true, fmt.Errorf("storing an artifact: %w", err)
	}
	a := u.a
	a.mu.Lock()
	defer a.mu.Unlock()
	to := a.Path(u.name)
	if a.names[u.name] && !strings.HasPrefix(u.name, "classes/") && !strings.HasPrefix(u.name, "cache/") {
		same, err := sameFile(to, u.f.Name())
		if err != nil {
			return true, err
		}
		if !same {
			return true, errs.New(errs.Runtime, "ARTIFACT_ALREADY_EXISTS", "normalizedRemoteRelativePath", u.name)
		}
		return true, nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return true, fmt.Errorf("storing an artifact: %w", err)
	}
	if err := os.Rename(u.f.Name(), to); err != nil {
		return true, fmt.Errorf("storing an artifact: %w", err)
	}
	a.names[u.name] = true
	return true, nil
}

func sameFile(x, y string) (bool, error) {
	fx, err := os.ReadFile(x)
	if err != nil {
		return false, fmt.Errorf("comparing artifacts: %w", err)
	}
	fy, err := os.ReadFile(y)
	if err != nil {
		return false, fmt.Errorf("comparing artifacts: %w", err)
	}
	return string(fx) == string(fy), nil
}

// cloneTo links all artifacts into another session's folder.
func (a *Artifacts) cloneTo(b *Artifacts) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	for n := range a.names {
		to := b.Path(n)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return fmt.Errorf("cloning artifacts: %w", err)
		}
		// Files are only ever replaced, never changed in place, so that a link is as good as a copy.
		if err := os.Link(a.Path(n), to); err != nil {
			return fmt.Errorf("cloning artifacts: %w", err)
		}
		b.names[n] = true
		b.made = true
	}
	return nil
}

func (a *Artifacts) remove() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.names)
	a.made = false
	err := os.RemoveAll(a.dir)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("removing artifacts: %w", err)
	}
	return nil
}
