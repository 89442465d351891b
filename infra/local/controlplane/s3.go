package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

const maxConcurrentRequests = 1024

// runS3 serves the objects under --data over the S3 protocol, to the root user named in the environment and to the
// users made through the admin API, each of whom may do what a bucket policy allows.
func runS3(args []string) int {
	flags := flag.NewFlagSet("s3", flag.ContinueOnError)
	address := flags.String("address", "", "loopback address to listen on, host:port")
	data := flags.String("data", "", "directory for objects, their metadata and users; made if absent")
	region := flags.String("region", "us-east-1", "AWS region to answer as")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if err := serveS3(ctx, *address, *data, *region); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "controlplane s3:", err)
		return 1
	}
	return 0
}

func serveS3(ctx context.Context, address, data, region string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("--address: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("--address: %q is not a loopback address", host)
	}
	access, secret := takeEnv("DRAWBRIDGE_S3_ROOT_ACCESS_KEY_ID"), takeEnv("DRAWBRIDGE_S3_ROOT_SECRET_ACCESS_KEY")
	if access == "" || secret == "" {
		return errors.New("set DRAWBRIDGE_S3_ROOT_ACCESS_KEY_ID and DRAWBRIDGE_S3_ROOT_SECRET_ACCESS_KEY in the environment")
	}
	if data, err = filepath.Abs(data); err != nil {
		return err
	}
	objects, users := filepath.Join(data, "objects"), filepath.Join(data, "users")
	for _, dir := range []string{objects, users} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	store, options, err := metadataStore(objects, filepath.Join(data, "metadata"), filepath.Join(data, "policies"))
	if err != nil {
		return err
	}
	backend, err := posix.New(objects, store, options)
	if err != nil {
		return err
	}
	return embedgw.RunVersityGW(ctx, backend, &embedgw.Config{
		RootUserAccess:    access,
		RootUserSecret:    secret,
		Region:            region,
		Ports:             []string{address},
		MaxConnections:    maxConcurrentRequests,
		MaxRequests:       maxConcurrentRequests,
		MultipartMaxParts: 10000,
		KeepAlive:         true,
		DisableACLs:       true,
		Quiet:             true,
		HealthPath:        "/_health", // no bucket's name may have an underscore
		IAMDir:            users,
		IAMCacheDisable:   true, // a user is good, and gone, from the next request on
	})
}

// metadataStore keeps objects' metadata in extended attributes, or beside the objects where the filesystem has none.
func metadataStore(objects, sidecar, policies string) (meta.MetadataStorer, posix.PosixOpts, error) {
	_, err := os.Stat(sidecar)
	if err != nil && (meta.XattrMeta{}).Test(objects) == nil {
		return policyInFile{dir: policies}, posix.PosixOpts{}, nil
	}
	if err := os.MkdirAll(sidecar, 0o700); err != nil {
		return nil, posix.PosixOpts{}, err
	}
	store, err := meta.NewSideCar(sidecar)
	return store, posix.PosixOpts{SideCarDir: sidecar}, err
}

func takeEnv(name string) string {
	defer os.Unsetenv(name)
	return os.Getenv(name)
}
