package box

import (
	"bytes"
	"encoding/json"
)

// Place says where something is: a file from the root of the repository, and a line that counts from 1.
type Place struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// Problem is why a render failed, in words for the author of the files.
type Problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Place
}

func (p *Problem) Error() string { return p.Message }

// TellObject hands out one rendered object. `value` is its JSON, digits and all.
func TellObject(place Place, value []byte) {
	header, err := json.Marshal(place)
	if err != nil {
		panic(err)
	}
	// The place on one line, the value on the next: so the value is never parsed to be read apart.
	var text bytes.Buffer
	text.Grow(len(header) + 1 + len(value))
	text.Write(header)
	text.WriteByte('\n')
	text.Write(value)
	hostTell("object", text.String())
}

// TellWarning hands out words that do not keep the render from being used.
func TellWarning(message string) { hostTell("warning", message) }

// TellProblem says why there is no render.
func TellProblem(problem *Problem) {
	text, err := json.Marshal(problem)
	if err != nil {
		panic(err)
	}
	hostTell("problem", string(text))
}

// TellClock says that what is rendered depends on the time.
func TellClock() { hostTell("clock", "") }

// TellSpent says that this instance must not render again: something of the render stays in the process.
func TellSpent() { hostTell("spent", "") }
