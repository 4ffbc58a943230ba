package sqlparse

import (
	"fmt"
	"strconv"
	"strings"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// numbered is the key of the nth entry of a list in a command's Args.
func numbered(key string, n int) string { return key + strconv.Itoa(n) }

// quoted writes a multi-part name so that ParseIdentifier reads it back.
func quoted(parts []string) string {
	q := make([]string, len(parts))
	for i, p := range parts {
		q[i] = types.QuoteIfNeeded(p)
	}
	return strings.Join(q, ".")
}

// quotedList writes several names, separated by commas.
func quotedList(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = types.QuoteIfNeeded(n)
	}
	return strings.Join(q, ",")
}

// offsetName is the zone of an offset in seconds: +01:30.
func offsetName(sec int64) string {
	sign := '+'
	if sec < 0 {
		sign, sec = '-', -sec
	}
	if sec%60 != 0 {
		return fmt.Sprintf("%c%02d:%02d:%02d", sign, sec/3600, sec/60%60, sec%60)
	}
	return fmt.Sprintf("%c%02d:%02d", sign, sec/3600, sec/60%60)
}

// zoneInterval writes an offset that is out of range as Spark does: whole days,
// or hours when it is their number that is too big, or seconds.
func zoneInterval(l *plan.Literal, us int64) string {
	switch {
	case l != nil && l.T.Kind == types.DayTimeInterval && l.T.End == types.Day:
		us /= microsPerDay
	case us > 18*microsPerHour || us < -18*microsPerHour:
		us /= microsPerHour
	default:
		us /= microsPerSecond
	}
	return strconv.FormatInt(us, 10)
}
