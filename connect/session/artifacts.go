package session

// Artifacts are the files and cached data that the client uploaded.
type Artifacts struct{}
