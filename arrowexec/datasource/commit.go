package datasource

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

// move is a file or folder that Commit renamed.
type move struct{ from, to string }

// Commit puts the tasks' files into the target and leaves _SUCCESS. Where the
// mode is overwrite, what was there is set aside first and removed last: when
// anything fails, the target is as it was, and the staging folder is gone.
func (j *Job) Commit(ctx context.Context) error {
	if j.Skip {
		return nil
	}
	if err := ctx.Err(); err != nil {
		j.Abort()
		return err
	}
	aside := j.Staging + "-old"
	var moves []move
	if err := j.swap(aside, &moves); err != nil {
		for i := len(moves) - 1; i >= 0; i-- {
			if back := os.Rename(moves[i].to, moves[i].from); back != nil {
				err = errors.Join(err, back)
			}
		}
		j.Abort()
		os.Remove(aside) // only if all of it went back
		return errs.New(errs.Execution, "TASK_WRITE_FAILED", "path", j.target).Because(err)
	}
	// The new files are in place: what fails now is only left-overs, which readers pass over.
	return errors.Join(os.RemoveAll(aside), os.RemoveAll(j.Staging))
}

// swap renames the old files to aside and the new ones to the target, noting each.
func (j *Job) swap(aside string, moves *[]move) error {
	rename := func(from, to string) error {
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.Rename(from, to); err != nil {
			return err
		}
		*moves = append(*moves, move{from, to})
		return nil
	}
	var files []string // below the staging folder
	err := filepath.WalkDir(j.Staging, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(j.Staging, path)
		if j.counts(rel) {
			files = append(files, rel)
		}
		return err
	})
	if err != nil {
		return err
	}
	if j.overwrite {
		old, err := j.replaced(files)
		if err != nil {
			return err
		}
		for i, path := range old {
			rel, err := filepath.Rel(j.target, path)
			if err != nil || !filepath.IsLocal(rel) {
				rel = "elsewhere-" + strconv.Itoa(i)
			}
			if err := rename(path, filepath.Join(aside, rel)); err != nil {
				return err
			}
		}
	}
	for _, rel := range files {
		dir := filepath.Dir(rel)
		if !slices.Contains(j.folders, dir) {
			j.folders = append(j.folders, dir)
		}
		if err := rename(filepath.Join(j.Staging, rel), filepath.Join(j.folder(dir), filepath.Base(rel))); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(j.target, "_SUCCESS"), nil, 0o644)
}

// folder is where the files of a partition's folder go.
func (j *Job) folder(dir string) string {
	if at, ok := j.elsewhere[dir]; ok {
		return at
	}
	return filepath.Join(j.target, dir)
}

// replaced lists the paths that an overwrite removes: all of the target, the
// folders below one of its partitions, or those of the partitions that get new files.
func (j *Job) replaced(files []string) ([]string, error) {
	st, err := os.Stat(j.target)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return []string{j.target}, nil
	}
	var out []string
	add := func(path string) error {
		_, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !slices.Contains(out, path) {
			out = append(out, path)
		}
		return err
	}
	if j.dynamic {
		for _, rel := range files {
			if dir := filepath.Dir(rel); dir != "." {
				if err := add(j.folder(dir)); err != nil {
					return nil, err
				}
			}
		}
		return out, nil
	}
	for dir, at := range j.elsewhere {
		if j.below == "" || dir == j.below || strings.HasPrefix(dir, j.below+"/") {
			if err := add(at); err != nil {
				return nil, err
			}
		}
	}
	if j.below != "" {
		err := add(filepath.Join(j.target, j.below))
		return out, err
	}
	entries, err := os.ReadDir(j.target)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), stagingPrefix) {
			out = append(out, filepath.Join(j.target, e.Name()))
		}
	}
	return out, err
}

// Abort removes what the tasks wrote. What was at the target before stays.
func (j *Job) Abort() {
	if j.Staging != "" {
		os.RemoveAll(j.Staging)
	}
	if j.made {
		os.Remove(j.target) // only if it is empty
	}
}

// CheckOverwrite refuses to overwrite a path that src reads
// (UNSUPPORTED_OVERWRITE.PATH): rows would be read from what is being replaced.
func CheckOverwrite(src plan.Source, path string) error {
	f, ok := src.(*Files)
	if !ok {
		return nil
	}
	target, err := LocalPath(path)
	if err != nil {
		return err
	}
	for _, r := range f.roots {
		if r == target {
			return errs.New(errs.Analysis, "UNSUPPORTED_OVERWRITE.PATH", "path", "file:"+target)
		}
	}
	return nil
}
