package box

import (
	"encoding/json"
	"io/fs"
)

// Root is where the repository is, for programs that want absolute paths. Nothing is above or beside it.
const Root = "/repository"

// Entry is a file or folder behind all symbolic links.
type Entry struct {
	// Path is where it really is, from Root on.
	Path   string `json:"path"`
	Folder bool   `json:"folder"`
}

// Stat finds what is at an absolute path. False where nothing is.
func Stat(path string) (Entry, bool) {
	answer, size := ask("stat", path)
	if size < 0 {
		return Entry{}, false
	}
	var entry Entry
	mustParse(answer, &entry)
	return entry, true
}

// ReadFile reads a file. Errors are fs.ErrNotExist and fs.ErrInvalid (a folder), in an fs.PathError.
func ReadFile(path string) ([]byte, error) {
	bytes, size := ask("read", path)
	switch size {
	case answerAbsent:
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	case answerFolder:
		return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrInvalid}
	}
	return bytes, nil
}

// List gives the names in a folder, sorted by their bytes. It fails as ReadFile does.
func List(path string) ([]string, error) {
	answer, size := ask("list", path)
	if size < 0 {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	var names []string
	mustParse(answer, &names)
	return names, nil
}

func mustParse(answer []byte, into any) {
	if err := json.Unmarshal(answer, into); err != nil {
		panic("the host's answer is malformed: " + err.Error())
	}
}
