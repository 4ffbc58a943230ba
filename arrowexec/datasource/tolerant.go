package datasource

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"neptune/arrowexec/task"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// tolerance is what becomes of files that can't be read: the options
// ignoreCorruptFiles and ignoreMissingFiles, or the session's settings of
// these names.
func tolerance(o, conf map[string]string) error {
	for k, key := range map[string]string{"ignorecorruptfiles": "spark.sql.files.ignoreCorruptFiles", "ignoremissingfiles": "spark.sql.files.ignoreMissingFiles"} {
		v, ok := o[k]
		if !ok {
			v = conf[key]
		}
		on, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(v)))
		if err != nil && ok {
			return errs.New(errs.IllegalArgument, "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE", "optionName", k, "message", "it must be true or false, not "+v+".")
		}
		if delete(o, k); on {
			o[k] = "true"
		}
	}
	return nil
}

// passes reports whether the rest of a file is passed over after this error.
func (f *Files) passes(err error) bool {
	corrupt, missing := f.opts["ignorecorruptfiles"] != "", f.opts["ignoremissingfiles"] != ""
	if !corrupt && !missing || errors.Is(err, task.ErrKilled) || asMalformed(err) != nil {
		return false
	}
	if errors.Is(err, os.ErrNotExist) {
		return missing
	}
	if e, ok := errs.As(err); ok {
		if w := (*wrongSchema)(nil); errors.As(err, &w) {
			return false
		}
		switch e.Condition {
		case "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER", "FAILED_READ_FILE.NO_HINT", "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH":
			return corrupt
		}
		return false
	}
	return corrupt
}

// between keeps the files that were changed within the bounds of the options modifiedAfter and modifiedBefore, both exclusive.
func between(files []fileInfo, o map[string]string, zone *time.Location) ([]fileInfo, error) {
	for _, k := range []string{"modifiedAfter", "modifiedBefore"} {
		v, ok := o[strings.ToLower(k)]
		if !ok {
			continue
		}
		at, ok := types.ParseTimestamp(v, types.NewZoneCache(zone), nil)
		if !ok {
			return nil, errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_1294", "strategy", strings.ToLower(k), "timeString", v)
		}
		files = slices.DeleteFunc(files, func(f fileInfo) bool {
			if us := f.mtime / 1000; k == "modifiedAfter" {
				return us <= at
			} else {
				return us >= at
			}
		})
	}
	return files, nil
}
