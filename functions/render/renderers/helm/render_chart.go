package main

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"drawbridge.dev/box"
	"drawbridge.dev/manifests"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
)

// renderChart does what `helm template` does with a chart on disk: helm's install action in client-only mode (pkg/action/install.go),
// whose package has parts that cannot be compiled for the sandbox.
func renderChart(todo job) *box.Problem {
	if err := chartutil.ValidateReleaseName(todo.ReleaseName); err != nil {
		return failed(fmt.Errorf("release name %q: %w", todo.ReleaseName, err))
	}
	loaded, err := loadChart(todo.Path)
	if err != nil {
		return failed(err)
	}
	values, problem := mergeValues(todo)
	if problem != nil {
		return problem
	}
	if err := checkInstallable(loaded); err != nil {
		return &box.Problem{Code: "RENDER_FAILED", Message: err.Error(), Place: box.Place{File: path.Join(todo.Path, "Chart.yaml")}}
	}
	if loaded.Metadata.Deprecated {
		box.TellWarning("this chart is deprecated")
	}
	files, err := execute(todo, loaded, values)
	if err != nil {
		return failed(err)
	}
	hooks, objects, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return failed(err)
	}
	if todo.IncludeCRDs {
		for _, crd := range loaded.CRDObjects() {
			if problem := tell(todo, crd.Filename, crd.File.Data); problem != nil {
				return problem
			}
		}
	}
	for _, object := range objects {
		if problem := tell(todo, object.Name, []byte(object.Content)); problem != nil {
			return problem
		}
	}
	for _, hook := range hooks {
		if problem := tell(todo, hook.Path, []byte(hook.Manifest)); problem != nil {
			return problem
		}
	}
	return nil
}

// execute runs the templates. What it gives is named by the chart's name first, without notes.
func execute(todo job, loaded *chart.Chart, values map[string]any) (map[string]string, error) {
	if err := chartutil.ProcessDependencies(loaded, values); err != nil {
		return nil, fmt.Errorf("chart dependencies processing failed: %w", err)
	}
	capabilities, err := capabilitiesOf(todo)
	if err != nil {
		return nil, err
	}
	options := common.ReleaseOptions{Name: todo.ReleaseName, Namespace: todo.Namespace, Revision: 1, IsInstall: true}
	input, err := util.ToRenderValuesWithSchemaValidation(loaded, values, options, capabilities, todo.SkipSchemaValidation)
	if err != nil {
		return nil, err
	}
	if wanted := loaded.Metadata.KubeVersion; wanted != "" {
		if have := capabilities.KubeVersion; !chartutil.IsCompatibleRange(wanted, have.String()) {
			return nil, fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", wanted, have.Version)
		}
	}
	files, err := engine.Engine{CustomTemplateFuncs: ownFunctions}.Render(loaded, input)
	if err != nil {
		return nil, err
	}
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
	}
	return files, nil
}

func capabilitiesOf(todo job) (*common.Capabilities, error) {
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.HelmVersion.Version = helmVersion
	if todo.KubeVersion != "" {
		version, err := common.ParseKubeVersion(todo.KubeVersion)
		if err != nil {
			return nil, fmt.Errorf("invalid kube version '%s': %w", todo.KubeVersion, err)
		}
		capabilities.KubeVersion = *version
	}
	capabilities.APIVersions = append(slices.Clone(capabilities.APIVersions), todo.APIVersions...)
	return capabilities, nil
}

func mergeValues(todo job) (map[string]any, *box.Problem) {
	merged := map[string]any{}
	for _, file := range todo.ValueFiles {
		place := box.Place{File: file}
		text, err := box.ReadFile(path.Join(box.Root, file))
		if err != nil {
			return nil, &box.Problem{Code: "PATH_NOT_FOUND", Message: fmt.Sprintf("there is no values file %s", file), Place: place}
		}
		values, err := loader.LoadValues(bytes.NewReader(text))
		if err != nil {
			message, line := manifests.Words(err)
			place.Line = line
			return nil, &box.Problem{Code: "YAML_INVALID", Message: message, Place: place}
		}
		merged = loader.MergeMaps(merged, values)
	}
	if len(todo.Values) == 0 {
		return merged, nil
	}
	values, err := loader.LoadValues(bytes.NewReader(todo.Values))
	if err != nil {
		return nil, failed(err)
	}
	return loader.MergeMaps(merged, values), nil
}

// tell hands out the documents of a rendered file. Charts in use repeat keys, which Kubernetes' own reader lets pass.
func tell(todo job, name string, text []byte) *box.Problem {
	_, inChart, _ := strings.Cut(name, "/")
	return manifests.Read(text, box.Place{File: path.Join(todo.Path, inChart)}, manifests.LastKeyWins)
}

func failed(err error) *box.Problem {
	return &box.Problem{Code: "RENDER_FAILED", Message: err.Error()}
}
