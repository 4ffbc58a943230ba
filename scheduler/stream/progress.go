package stream

import (
	"encoding/json"
	"time"
)

// Progress is StreamingQueryProgress; its JSON is what the clients parse.
type Progress struct {
	ID              string                 `json:"id"`
	RunID           string                 `json:"runId"`
	Name            *string                `json:"name"`
	Timestamp       string                 `json:"timestamp"`
	BatchID         int64                  `json:"batchId"`
	BatchDuration   int64                  `json:"batchDuration"` // ms
	NumInputRows    int64                  `json:"numInputRows"`
	InputRate       float64                `json:"inputRowsPerSecond"`
	ProcessedRate   float64                `json:"processedRowsPerSecond"`
	DurationMs      map[string]int64       `json:"durationMs"`
	EventTime       map[string]string      `json:"eventTime"`
	StateOperators  []StateProgress        `json:"stateOperators"`
	Sources         []SourceProgress       `json:"sources"`
	Sink            SinkProgress           `json:"sink"`
	ObservedMetrics map[string]ObservedRow `json:"observedMetrics"`
	// Neptune's own, beside Spark's: what the scheduler did for the batch.
	JobType     string `json:"neptuneJobType,omitempty"`
	JobOrigin   string `json:"neptuneJobOrigin,omitempty"` // where the type came from
	Suspensions int64  `json:"neptuneSuspensions"`         // of the batch's tasks
}

// SourceProgress is one source's part.
type SourceProgress struct {
	Description   string            `json:"description"`
	StartOffset   json.RawMessage   `json:"startOffset"`
	EndOffset     json.RawMessage   `json:"endOffset"`
	LatestOffset  json.RawMessage   `json:"latestOffset"`
	NumInputRows  int64             `json:"numInputRows"`
	InputRate     float64           `json:"inputRowsPerSecond"`
	ProcessedRate float64           `json:"processedRowsPerSecond"`
	Metrics       map[string]string `json:"metrics,omitempty"`
}

// SinkProgress is the sink's part; NumOutputRows -1 is unknown.
type SinkProgress struct {
	Description   string            `json:"description"`
	NumOutputRows int64             `json:"numOutputRows"`
	Metrics       map[string]string `json:"metrics,omitempty"`
}

// StateProgress is one stateful operator's part.
type StateProgress struct {
	OperatorName        string           `json:"operatorName"`
	NumRowsTotal        int64            `json:"numRowsTotal"`
	NumRowsUpdated      int64            `json:"numRowsUpdated"`
	AllUpdatesTimeMs    int64            `json:"allUpdatesTimeMs"`
	NumRowsRemoved      int64            `json:"numRowsRemoved"`
	AllRemovalsTimeMs   int64            `json:"allRemovalsTimeMs"`
	CommitTimeMs        int64            `json:"commitTimeMs"`
	MemoryUsedBytes     int64            `json:"memoryUsedBytes"`
	DroppedByWatermark  int64            `json:"numRowsDroppedByWatermark"`
	NumShufflePartition int64            `json:"numShufflePartitions"`
	NumStateStores      int64            `json:"numStateStoreInstances"`
	CustomMetrics       map[string]int64 `json:"customMetrics"`
}

func offsetJSON(o Offset) json.RawMessage {
	if o == "" {
		return json.RawMessage("null")
	}
	if json.Valid([]byte(o)) {
		return json.RawMessage(o)
	}
	raw, _ := json.Marshal(string(o)) // a string always encodes
	return raw
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func stampMs(ms int64) string { return stamp(time.UnixMilli(ms)) }
