// Command helm renders charts inside the sandbox: what `helm template --include-crds` prints, by helm's own packages.
package main

import (
	"encoding/json"
	"log"
	"log/slog"
	"maps"
	"text/template"
	// Charts format times in zones by name, and there is no zone file in the sandbox.
	_ "time/tzdata"

	"drawbridge.dev/box"
)

type job struct {
	// Path is the chart's folder from the root of the repository.
	Path        string `json:"path"`
	ReleaseName string `json:"releaseName"`
	Namespace   string `json:"namespace"`
	IncludeCRDs bool   `json:"includeCrds"`
	// SkipSchemaValidation lets values pass that values.schema.json refuses.
	SkipSchemaValidation bool `json:"skipSchemaValidation"`
	// KubeVersion is the target cluster's; helm's own where it is empty.
	KubeVersion string   `json:"kubeVersion"`
	APIVersions []string `json:"apiVersions"`
	// ValueFiles are paths from the root of the repository; later ones win.
	ValueFiles []string `json:"valueFiles"`
	// Values win over all files.
	Values json.RawMessage `json:"values"`
}

//go:wasmexport render
func render() {
	slog.SetDefault(slog.New(warnings{}))
	log.SetFlags(0)
	log.SetOutput(warningWriter{})
	var todo job
	if err := json.Unmarshal(box.Job(), &todo); err != nil {
		panic(err)
	}
	if problem := renderChart(todo); problem != nil {
		box.TellProblem(problem)
	}
}

// ownFunctions take the place of helm's where the host has to know that they were called.
var ownFunctions = func() template.FuncMap {
	functions := clockFunctions()
	maps.Copy(functions, randomFunctions)
	return functions
}()

func main() {}
