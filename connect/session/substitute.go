package session

import "strings"

// Substitution finds what ${key} in a SQL text stands for among a session's
// settings; nil where spark.sql.variable.substitute is off.
func Substitution(get func(string) (string, bool)) func(string) (string, bool) {
	if v, _ := get("spark.sql.variable.substitute"); strings.EqualFold(v, "false") {
		return nil
	}
	return func(key string) (string, bool) {
		v, ok := get(key)
		if !ok {
			v, ok = get("hivevar:" + key)
		}
		return v, ok
	}
}
