// Command controlplane is every server that Drawbridge's local stack needs, in one program:
// the parts of a Kubernetes control plane, simulated nodes, and an S3 gateway over a directory.
//
//	controlplane [--until-stdin-closes] COMPONENT [flags]
//
// With --until-stdin-closes it ends when its standard input does, so that no server outlives the program that started it.
package main

import (
	"fmt"
	"os"
	_ "time/tzdata" // CronJobs name time zones, and the machine may have no database of them

	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubeversion "k8s.io/component-base/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

var components = map[string]func(args []string) int{
	"etcd":                    runEtcd,
	"kube-apiserver":          func([]string) int { return cli.Run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func([]string) int { return cli.Run(controllermanager.NewControllerManagerCommand()) },
	"kube-scheduler":          func([]string) int { return cli.Run(scheduler.NewSchedulerCommand()) },
	"kwok":                    runKwok,
	"s3":                      runS3,
	"certs":                   runCerts,
	"exec":                    runExec,
	"version":                 runVersion,
}

const usage = `usage: controlplane [--until-stdin-closes] COMPONENT [flags]
components: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok, s3, certs, exec, version
`

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--until-stdin-closes" {
		endWithParent()
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	run, known := components[args[0]]
	if !known {
		fmt.Fprintf(os.Stderr, "controlplane: no component is called %q\n%s", args[0], usage)
		os.Exit(2)
	}
	// Each component parses os.Args as if it were a program of its own.
	os.Args = args
	os.Exit(run(args[1:]))
}

func runEtcd([]string) int {
	etcdmain.Main(os.Args)
	return 0
}

func runVersion([]string) int {
	fmt.Printf("kubernetes %s\netcd v%s\n", kubeversion.Get().GitVersion, version.Version)
	return 0
}
