package conf

import (
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

func parseInt(s string) (int64, error) { return strconv.ParseInt(strings.TrimSpace(s), 10, 64) }

// ParseBool reads true and false, in any case.
func ParseBool(s string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", s)
}

// ParseBytes reads a size as Spark does: 512m, 4g, 10kb; bytes without a suffix.
func ParseBytes(s string) (int64, error) {
	t := strings.ToLower(strings.TrimSpace(s))
	t = strings.TrimSuffix(t, "b")
	shift := 0
	if n := len(t); n > 0 {
		if i := strings.IndexByte("kmgtp", t[n-1]); i >= 0 {
			shift = 10 * (i + 1)
			t = t[:n-1]
		}
	}
	n, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no size", s)
	}
	if n < 0 || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is out of range", s)
	}
	return n << shift, nil
}

// ParseDuration reads a duration as Spark and Go do: 250ms, 10s, 5m, 5min, 1h, 2d; milliseconds without a unit.
func ParseDuration(s string) (time.Duration, error) {
	t := strings.ToLower(strings.TrimSpace(s))
	if n, err := strconv.ParseInt(t, 10, 64); err == nil {
		return time.Duration(n) * time.Millisecond, nil
	}
	if d, ok := strings.CutSuffix(t, "d"); ok {
		n, err := strconv.ParseInt(d, 10, 64)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(strings.Replace(t, "min", "m", 1))
}

// machineMemory is the container's limit if there is one, else the machine's memory, in bytes.
func machineMemory() int64 {
	best := int64(4 << 30)
	if raw, err := os.ReadFile("/proc/meminfo"); err == nil {
		for _, line := range strings.Split(string(raw), "\n") {
			if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemTotal:" {
				if kb, err := strconv.ParseInt(f[1], 10, 64); err == nil {
					best = kb << 10
				}
			}
		}
	}
	if n := ContainerMemory("/"); n > 0 && n < best {
		best = n
	}
	return best
}

// ContainerMemory is the least memory limit, in bytes, of the control groups
// that the process is in, version 1 or 2; 0: there is none. root is "/" but in tests.
func ContainerMemory(root string) int64 {
	raw, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0
	}
	least := int64(0)
	look := func(dir, group, file string) {
		// A container may see its own group as the root of all; its limits are there then.
		for g := path.Clean("/" + group); ; g = path.Dir(g) {
			if raw, err := os.ReadFile(filepath.Join(root, dir, g, file)); err == nil {
				n, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
				if err == nil && n > 0 && n < 1<<60 && (least == 0 || n < least) { // version 1 says "none" by a huge number
					least = n
				}
			}
			if g == "/" {
				return
			}
		}
	}
	for _, line := range strings.Split(string(raw), "\n") {
		f := strings.SplitN(line, ":", 3) // hierarchy, controllers, group
		switch {
		case len(f) < 3:
		case f[0] == "0" && f[1] == "":
			look("sys/fs/cgroup", f[2], "memory.max")
		case slices.Contains(strings.Split(f[1], ","), "memory"):
			look("sys/fs/cgroup/memory", f[2], "memory.limit_in_bytes")
		}
	}
	return least
}
