package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/versity/versitygw/backend/meta"
)

// bucketPolicy is the name under which the gateway keeps a bucket's policy.
const bucketPolicy = "policy"

// policyInFile keeps objects' metadata in extended attributes, which move with their object in one rename, and a bucket's
// policy in a file: the policy grows with every user, and an attribute holds about 4 KiB on ext4.
type policyInFile struct {
	meta.XattrMeta
	dir string
}

func (m policyInFile) RetrieveAttribute(f *os.File, bucket, object, attribute string) ([]byte, error) {
	if object != "" || attribute != bucketPolicy {
		return m.XattrMeta.RetrieveAttribute(f, bucket, object, attribute)
	}
	value, err := os.ReadFile(m.file(bucket))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, meta.ErrNoSuchKey
	}
	return value, err
}

func (m policyInFile) StoreAttribute(f *os.File, bucket, object, attribute string, value []byte) error {
	if object != "" || attribute != bucketPolicy {
		return m.XattrMeta.StoreAttribute(f, bucket, object, attribute, value)
	}
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return err
	}
	draft := m.file(bucket) + ".new"
	if err := os.WriteFile(draft, value, 0o600); err != nil {
		return err
	}
	return os.Rename(draft, m.file(bucket))
}

func (m policyInFile) DeleteAttribute(bucket, object, attribute string) error {
	if object != "" || attribute != bucketPolicy {
		return m.XattrMeta.DeleteAttribute(bucket, object, attribute)
	}
	err := os.Remove(m.file(bucket))
	if errors.Is(err, fs.ErrNotExist) {
		return meta.ErrNoSuchKey
	}
	return err
}

func (m policyInFile) file(bucket string) string {
	return filepath.Join(m.dir, filepath.Base(bucket)+".json")
}
