package session

// Conf is a session's configuration.
type Conf struct{}
