package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"drawbridge.dev/box"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/ignore"
)

var byteOrderMark = []byte("\ufeff")

// loadChart reads a chart's folder as helm's directory loader does (pkg/chart/v2/loader/directory.go), which reads from a disk.
func loadChart(folder string) (*chart.Chart, error) {
	rules := ignore.Empty()
	root := path.Join(box.Root, folder)
	text, err := box.ReadFile(path.Join(root, ignore.HelmIgnore))
	switch {
	case err == nil:
		if rules, err = ignore.Parse(bytes.NewReader(text)); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	rules.AddDefaults()
	files, err := walk(root, "", rules)
	if err != nil {
		return nil, err
	}
	return loader.LoadFiles(files)
}

func walk(root, folder string, rules *ignore.Rules) ([]*archive.BufferedFile, error) {
	names, err := box.List(path.Join(root, folder))
	if err != nil {
		return nil, err
	}
	var files []*archive.BufferedFile
	for _, name := range names {
		file := path.Join(folder, name)
		entry, found := box.Stat(path.Join(root, file))
		if !found {
			return nil, fmt.Errorf("%s is a symbolic link that leads to nothing", file)
		}
		if rules.Ignore(file, fileInfo{name: name, folder: entry.Folder}) {
			continue
		}
		if entry.Folder {
			below, err := walk(root, file, rules)
			if err != nil {
				return nil, err
			}
			files = append(files, below...)
			continue
		}
		data, err := box.ReadFile(path.Join(root, file))
		if err != nil {
			return nil, err
		}
		if int64(len(data)) > archive.MaxDecompressedFileSize {
			return nil, fmt.Errorf("chart file %q is larger than the maximum file size %d", name, archive.MaxDecompressedFileSize)
		}
		files = append(files, &archive.BufferedFile{Name: file, Data: bytes.TrimPrefix(data, byteOrderMark)})
	}
	return files, nil
}

// fileInfo is all that .helmignore rules ask of a file.
type fileInfo struct {
	name   string
	folder bool
}

func (f fileInfo) Name() string       { return f.name }
func (f fileInfo) Size() int64        { return 0 }
func (f fileInfo) ModTime() time.Time { return time.Time{} }
func (f fileInfo) IsDir() bool        { return f.folder }
func (f fileInfo) Sys() any           { return nil }
func (f fileInfo) Mode() fs.FileMode {
	if f.folder {
		return fs.ModeDir
	}
	return 0
}

// checkInstallable refuses what `helm template` refuses of a chart before it renders it.
func checkInstallable(loaded *chart.Chart) error {
	if version := loaded.Metadata.APIVersion; version != chart.APIVersionV1 && version != chart.APIVersionV2 {
		return fmt.Errorf("the chart's apiVersion is %q; charts of v1 and v2 are rendered", version)
	}
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return fmt.Errorf("%s charts are not installable", kind)
	}
	present := map[string]bool{}
	for _, dependency := range loaded.Dependencies() {
		present[dependency.Name()] = true
	}
	var missing []string
	for _, wanted := range loaded.Metadata.Dependencies {
		if !present[wanted.Name] {
			missing = append(missing, wanted.Name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf(
			"found in Chart.yaml, but missing in charts/ directory: %s. Run `helm dependency build` and commit the charts folder",
			strings.Join(missing, ", "),
		)
	}
	return nil
}
