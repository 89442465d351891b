package main

import (
	"path"

	"drawbridge.dev/box"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

var builtInSchema = openapi.GetSchemaVersion()

// build renders a kustomization as `kubectl kustomize` does: files from below each kustomization only, plugins and functions off.
func build(folder string) *box.Problem {
	defer func() {
		// A schema of the kustomization's own is state of the process, and must not reach another app.
		if openapi.GetSchemaVersion() != builtInSchema {
			box.TellSpent()
		}
	}()
	objects, err := krusty.MakeKustomizer(options()).Run(repository{}, path.Join(box.Root, folder))
	if err != nil {
		return failed(err)
	}
	for _, object := range objects.Resources() {
		value, err := object.MarshalJSON()
		if err != nil {
			return failed(err)
		}
		box.TellObject(box.Place{}, value)
	}
	return nil
}

func failed(err error) *box.Problem {
	return &box.Problem{Code: "RENDER_FAILED", Message: err.Error()}
}

// options are those of `kubectl kustomize` without flags.
func options() *krusty.Options {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified
	options.LoadRestrictions = types.LoadRestrictionsRootOnly
	options.PluginConfig = types.DisabledPluginConfig()
	return options
}
