package main

import (
	"context"
	"os"

	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/embedgw"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwokcmd "sigs.k8s.io/kwok/pkg/kwok/cmd"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	"github.com/spf13/pflag"
)

func main() {
	etcdmain.Main(os.Args)
	cli.Run(apiserver.NewAPIServerCommand())
	cli.Run(controllermanager.NewControllerManagerCommand())
	cli.Run(scheduler.NewSchedulerCommand())
	kwokcmd.NewCommand(context.Background())
	kwoklog.InitFlags(context.Background(), pflag.CommandLine)
	kwokconfig.InitFlags(context.Background(), pflag.CommandLine)
	embedgw.RunVersityGW(context.Background(), nil, nil)
	posix.New(meta.XattrMeta{}, "", posix.PosixOpts{})
}
