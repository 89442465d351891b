package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"drawbridge.dev/box"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// repository is the file system that kustomize sees: the files of one commit, read from the host.
type repository struct{}

var _ filesys.FileSystem = repository{}

var errReadOnly = errors.New("a render writes no files")

func (repository) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	entry, found := box.Stat(absolute(name))
	if !found {
		return "", "", fmt.Errorf("%s does not exist", name)
	}
	if entry.Folder {
		return filesys.ConfirmedDir(entry.Path), "", nil
	}
	return filesys.ConfirmedDir(path.Dir(entry.Path)), path.Base(entry.Path), nil
}

func (repository) Exists(name string) bool {
	_, found := box.Stat(absolute(name))
	return found
}

func (repository) IsDir(name string) bool {
	entry, found := box.Stat(absolute(name))
	return found && entry.Folder
}

func (repository) ReadDir(name string) ([]string, error)  { return box.List(absolute(name)) }
func (repository) ReadFile(name string) ([]byte, error)   { return box.ReadFile(absolute(name)) }
func (repository) Open(name string) (filesys.File, error) { return nil, readOnly("open", name) }
func (repository) Create(name string) (filesys.File, error) {
	return nil, readOnly("create", name)
}
func (repository) Mkdir(name string) error               { return readOnly("mkdir", name) }
func (repository) MkdirAll(name string) error            { return readOnly("mkdir", name) }
func (repository) RemoveAll(name string) error           { return readOnly("remove", name) }
func (repository) WriteFile(name string, _ []byte) error { return readOnly("write", name) }

// Glob and Walk serve helm and `kustomize localize`, which are not here.
func (repository) Glob(name string) ([]string, error)          { return nil, readOnly("glob", name) }
func (repository) Walk(name string, _ filepath.WalkFunc) error { return readOnly("walk", name) }

func readOnly(operation, name string) error {
	return &fs.PathError{Op: operation, Path: name, Err: errReadOnly}
}

func absolute(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(box.Root, name)
}
