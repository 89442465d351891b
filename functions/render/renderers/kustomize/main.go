// Command kustomize renders kustomizations, and plain manifests, inside the sandbox: `kubectl kustomize` and the YAML reader of
// `kubectl apply -f`, by their own libraries.
package main

import (
	"encoding/json"

	"drawbridge.dev/box"
	"drawbridge.dev/manifests"
)

type job struct {
	// Renderer is "kustomize", "yaml" or, for tests and tools, "text": one stream of manifests.
	Renderer string `json:"renderer"`
	// Path is the kustomization's folder from the root of the repository.
	Path string `json:"path"`
	// Files are the plain manifests, in their order.
	Files []string `json:"files"`
	// Text is the stream of manifests.
	Text string `json:"text"`
}

//go:wasmexport render
func render() {
	var todo job
	if err := json.Unmarshal(box.Job(), &todo); err != nil {
		panic(err)
	}
	var problem *box.Problem
	switch todo.Renderer {
	case "kustomize":
		problem = build(todo.Path)
	case "yaml":
		problem = readFiles(todo.Files)
	case "text":
		problem = manifests.Read([]byte(todo.Text), box.Place{}, manifests.LastKeyWins)
	default:
		panic("no renderer is called " + todo.Renderer)
	}
	if problem != nil {
		box.TellProblem(problem)
	}
}

func readFiles(files []string) *box.Problem {
	for _, file := range files {
		bytes, err := box.ReadFile(box.Root + "/" + file)
		if err != nil {
			return &box.Problem{Code: "PATH_NOT_FOUND", Message: err.Error(), Place: box.Place{File: file}}
		}
		if problem := manifests.Read(bytes, box.Place{File: file}, manifests.UniqueKeys); problem != nil {
			return problem
		}
	}
	return nil
}

func main() {}
