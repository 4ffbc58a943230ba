package catalog

import "strings"

// VariableName is the plain name of a session variable that is called name,
// session.name or system.session.name; ok is false for other names.
func VariableName(parts []string) (name string, ok bool) {
	n := len(parts)
	switch {
	case n == 1,
		n == 2 && strings.EqualFold(parts[0], "session"),
		n == 3 && strings.EqualFold(parts[0], "system") && strings.EqualFold(parts[1], "session"):
		return parts[n-1], true
	}
	return "", false
}

// FindVariable finds the session variable of that plain name.
func (s *Session) FindVariable(name string) (Variable, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.vars[strings.ToLower(name)]
	return v, ok
}
