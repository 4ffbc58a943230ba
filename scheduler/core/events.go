package core

import (
	"time"

	"neptune/scheduler/policy"
)

// JobID numbers jobs in order of submission.
type JobID int64

// Event is something that happened.
type Event interface{ event() }

// Command is something to do.
type Command interface{ command() }

// The events.
type (
	// All is events that come together: slots are offered once, after the last.
	All []Event
	// Tick tells the time, since whatever origin. Send it before other events
	// when time has passed, and when Next's has come.
	Tick struct{ Now time.Duration }
	// ExecutorJoined adds an executor, or changes its slots, and ends its draining.
	ExecutorJoined struct {
		ID    policy.ExecutorID
		Host  string
		Slots int
		// Reserved: only stages whose home it is run there.
		Reserved bool
	}
	// ExecutorLost takes an executor, all its tasks and its outputs away.
	ExecutorLost struct{ ID policy.ExecutorID }
	// ExecutorDraining lets an executor finish what it has; nothing new goes there.
	ExecutorDraining struct{ ID policy.ExecutorID }
	// Heartbeat brings an executor's memory state.
	Heartbeat struct {
		ID       policy.ExecutorID
		Pressure policy.Pressure
	}
	// JobSubmitted brings a job: its stages, parents before children, the last one the result.
	JobSubmitted struct {
		Job      JobID
		Priority int // lower is more critical
		Parents  [][]int
		// Pool is the fair scheduling pool (mode fair); "" is default.
		Pool string
		// Keys name stages that other jobs may need too, one element a stage, ""
		// or nil: nobody. A stage whose key another live job has is run once, for
		// both, at the more critical one's priority.
		Keys []string
		// Gangs numbers the gang of each stage, 0 or nil: none. The stages of a gang
		// are planned together, and their tasks start all or none.
		Gangs []int
		// Deadline is when the job should be done (as Tick counts); 0: there is none.
		Deadline time.Duration
		// Estimate is how long the job takes alone, if known.
		Estimate time.Duration
	}
	// StagePlanned answers PlanStage: one element a task, its preferred executors, best first.
	// No element: those that read the stage do its work, and read what it would have read.
	StagePlanned struct {
		Job    JobID
		Stage  int
		Prefer [][]policy.ExecutorID
		// Home is the only executor that can run the stage; "": any that isn't reserved.
		Home policy.ExecutorID
	}
	// TaskChanged reports what a task does on its executor.
	TaskChanged struct {
		Task  policy.TaskID
		State TaskState
		Err   error // of Failed
		Retry bool  // Failed: another attempt may help
		// Seq numbers the reports of one task, from 1; older ones than the last seen
		// are ignored. 0: the reports come in order.
		Seq int64
		// Executor, when given, is told to kill a task that nobody knows any more.
		Executor policy.ExecutorID
		// Fetch says that Failed was for want of another stage's output.
		Fetch *FetchFailure
		// RetainedMB is, of Suspended and Running, the memory that the task holds.
		RetainedMB float64
	}
	// FetchFailure names outputs that can't be read: all of a stage's on an executor.
	FetchFailure struct {
		Stage    int
		Executor policy.ExecutorID
	}
	// JobCancelled ends a job from outside.
	JobCancelled struct {
		Job JobID
		Err error
	}
)

// The commands.
type (
	// PlanStage asks how many tasks a stage has, now that its parents are done.
	// The step that asks offers no slots: the answer's does.
	PlanStage struct {
		Job   JobID
		Stage int
	}
	// Launch starts a task on an executor. With Suspend it takes the slot of a less critical task.
	Launch struct {
		Task     policy.TaskID
		Job      JobID
		Stage    int
		Index    int // partition
		Attempt  int
		Priority int
		Executor policy.ExecutorID
		Suspend  bool
		// Victim is whom to suspend, 0: the executor chooses.
		Victim policy.TaskID
	}
	// Kill ends a task, in whatever state it is.
	Kill struct {
		Task     policy.TaskID
		Executor policy.ExecutorID
		// Evict: to make room (mode kill). The executor may let a task go on that can't start again.
		Evict bool
	}
	// Reprioritize changes the priority of a task that is on an executor.
	Reprioritize struct {
		Task     policy.TaskID
		Executor policy.ExecutorID
		Priority int
	}
	// Protect says that a task is no victim for a while: from now, or, if it is
	// suspended, from when it goes on.
	Protect struct {
		Task     policy.TaskID
		Executor policy.ExecutorID
		For      time.Duration
	}
	// StageFinished tells that all tasks of a stage are done.
	StageFinished struct {
		Job   JobID
		Stage int
	}
	// StageLost tells that outputs of a finished or running stage are gone, and
	// that the tasks that made them run again. StageFinished follows anew.
	StageLost struct {
		Job     JobID
		Stage   int
		Indexes []int
	}
	// JobFinished ends a job; no task of it runs any more, except those of stages that others share.
	JobFinished struct {
		Job JobID
		Err error
	}
	// JobReleased tells that nobody needs the job's outputs any more. It comes with JobFinished or after it.
	JobReleased struct{ Job JobID }
	// ExecutorDrained tells that a draining executor runs nothing any more.
	ExecutorDrained struct{ ID policy.ExecutorID }
)

func (All) event()              {}
func (Tick) event()             {}
func (ExecutorJoined) event()   {}
func (ExecutorLost) event()     {}
func (ExecutorDraining) event() {}
func (Heartbeat) event()        {}
func (JobSubmitted) event()     {}
func (StagePlanned) event()     {}
func (TaskChanged) event()      {}
func (JobCancelled) event()     {}

func (PlanStage) command()       {}
func (Launch) command()          {}
func (Kill) command()            {}
func (Reprioritize) command()    {}
func (Protect) command()         {}
func (StageFinished) command()   {}
func (StageLost) command()       {}
func (JobFinished) command()     {}
func (JobReleased) command()     {}
func (ExecutorDrained) command() {}

// TaskState is where a task is in its life.
type TaskState uint8

// The states. Blocked tasks wait for I/O without a slot.
const (
	Pending TaskState = iota
	Launching
	Running
	Suspended
	Blocked
	Finished
	Failed
	Killed
)

var stateNames = [...]string{"pending", "launching", "running", "suspended", "blocked", "finished", "failed", "killed"}

func (s TaskState) String() string { return stateNames[s] }

// Over reports whether the task has ended.
func (s TaskState) Over() bool { return s >= Finished }

// holdsSlot reports whether a task in that state counts against its executor's slots.
func (s TaskState) holdsSlot() bool { return s == Launching || s == Running }
