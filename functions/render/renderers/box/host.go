// Package box is what a renderer inside the sandbox may ask of its host: its job, the files of the repository, and nothing else.
//
// The host is functions/render/box/program.ts. An answer of the host waits there until it is taken, so that this side
// can make room for it first.
package box

import (
	"runtime/debug"
	"unsafe"
)

// Answers of ask that are no sizes.
const (
	answerAbsent = -1
	answerFolder = -2
)

//go:wasmimport box ask
func hostAsk(operation, argument string) int32

//go:wasmimport box take
func hostTake(into unsafe.Pointer)

//go:wasmimport box tell
func hostTell(kind, text string)

// Below the memory that the module may have, so that it is collected more often instead of ended.
const softMemoryLimit = 512 << 20

func init() { debug.SetMemoryLimit(softMemoryLimit) }

func ask(operation, argument string) ([]byte, int32) {
	size := hostAsk(operation, argument)
	if size < 0 {
		return nil, size
	}
	// One byte more, so that there is a place to point to where the answer is empty.
	answer := make([]byte, int(size)+1)
	hostTake(unsafe.Pointer(&answer[0]))
	return answer[:size:size], size
}

// Job is what is to be rendered, as JSON.
func Job() []byte {
	job, _ := ask("job", "")
	return job
}
