package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
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
	walk := walk{root: root, rules: rules}
	files, err := walk.read("", nil)
	if err != nil {
		return nil, err
	}
	return loader.LoadFiles(files)
}

// maxFolders is more than any chart has. Symbolic links to folders that hold such links multiply: a few dozen make more paths than
// could ever be walked.
const maxFolders = 10_000

type walk struct {
	root    string
	rules   *ignore.Rules
	folders int
}

// read gives the files of a folder and all below. `above` is where the folders on the way to it really are.
func (w *walk) read(folder string, above []string) ([]*archive.BufferedFile, error) {
	if w.folders++; w.folders > maxFolders {
		return nil, fmt.Errorf("the chart holds more than %d folders", maxFolders)
	}
	here, _ := box.Stat(path.Join(w.root, folder))
	if slices.Contains(above, here.Path) {
		return nil, fmt.Errorf("folder %s leads back into itself by a symbolic link", folder)
	}
	above = append(slices.Clip(above), here.Path)
	names, err := box.List(path.Join(w.root, folder))
	if err != nil {
		return nil, err
	}
	var files []*archive.BufferedFile
	for _, name := range names {
		file := path.Join(folder, name)
		entry, found := box.Stat(path.Join(w.root, file))
		if !found {
			return nil, fmt.Errorf("%s is a symbolic link that leads to nothing", file)
		}
		if w.rules.Ignore(file, fileInfo{name: name, folder: entry.Folder}) {
			continue
		}
		if entry.Folder {
			below, err := w.read(file, above)
			if err != nil {
				return nil, err
			}
			files = append(files, below...)
			continue
		}
		data, err := box.ReadFile(path.Join(w.root, file))
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
