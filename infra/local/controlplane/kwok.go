package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/pflag"
	"sigs.k8s.io/kwok/pkg/config"
	"sigs.k8s.io/kwok/pkg/kwok/cmd"
	"sigs.k8s.io/kwok/pkg/log"
)

//go:embed stages.yaml
var stages []byte

// runKwok simulates every node of the cluster and the pods on them, by the stages in stages.yaml.
func runKwok([]string) int {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	command, err := kwokCommand(ctx)
	if err == nil {
		err = command(ctx)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "controlplane kwok:", err)
		return 1
	}
	return 0
}

func kwokCommand(ctx context.Context) (func(context.Context) error, error) {
	dir, err := os.MkdirTemp("", "kwok-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "stages.yaml")
	if err := os.WriteFile(file, stages, 0o600); err != nil {
		return nil, err
	}
	// Without this, kwok would also load the configuration that the user keeps for other simulations.
	config.WorkDir = dir
	os.Args = append(os.Args, "--config="+file)

	flags := pflag.NewFlagSet("kwok", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}
	ctx, _ = log.InitFlags(ctx, flags)
	ctx, err = config.InitFlags(ctx, flags)
	if err != nil {
		return nil, err
	}
	command := cmd.NewCommand(ctx)
	command.Version = "" // cobra would add a --version that the Kubernetes packages have already added
	command.PersistentFlags().AddFlagSet(flags)
	return func(context.Context) error { return command.ExecuteContext(ctx) }, nil
}
