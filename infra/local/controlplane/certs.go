package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

type userRequest struct {
	Name   string   `json:"name"`
	Groups []string `json:"groups"`
}

type issuedUser struct {
	Name        string `json:"name"`
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// runCerts makes what is missing of a cluster's certificate authorities, server certificates and signing key under
// --dir, then prints a JSON array with a client certificate for each --user.
func runCerts(args []string) int {
	flags := flag.NewFlagSet("certs", flag.ContinueOnError)
	dir := flags.String("dir", "", "directory of the certificates and keys; made if absent")
	var users []userRequest
	flags.Func("user", `{"name": NAME, "groups": [GROUP...]} to issue a client certificate for; repeatable`, func(s string) error {
		var user userRequest
		if err := json.Unmarshal([]byte(s), &user); err != nil {
			return err
		}
		if user.Name == "" {
			return fmt.Errorf("a user needs a name")
		}
		users = append(users, user)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return 2
	}
	issued, err := issueAll(*dir, users)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(issued)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "controlplane certs:", err)
		return 1
	}
	return 0
}

func issueAll(dir string, users []userRequest) ([]issuedUser, error) {
	if dir == "" {
		return nil, fmt.Errorf("--dir: a directory is needed")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ca, err := loadOrMakeAuthority(dir, "ca", "drawbridge local cluster")
	if err != nil {
		return nil, err
	}
	// etcd trusts whoever its authority signed, so cluster users must not be signed by the same one.
	etcdCA, err := loadOrMakeAuthority(dir, "etcd-ca", "drawbridge local etcd")
	if err != nil {
		return nil, err
	}
	apiNames := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	apiAddresses := []string{"127.0.0.1", "10.96.0.1"}
	if err := makeOnce(dir, "apiserver", func() (pair, error) { return ca.issueServer("kube-apiserver", apiNames, apiAddresses) }); err != nil {
		return nil, err
	}
	if err := makeOnce(dir, "etcd", func() (pair, error) {
		return etcdCA.issueServer("etcd", []string{"localhost"}, []string{"127.0.0.1"})
	}); err != nil {
		return nil, err
	}
	if err := makeOnce(dir, "apiserver-etcd-client", func() (pair, error) { return etcdCA.issueClient("kube-apiserver", nil) }); err != nil {
		return nil, err
	}
	if err := makeOnce(dir, "service-accounts", makeSigningKey); err != nil {
		return nil, err
	}
	issued := make([]issuedUser, 0, len(users))
	for _, user := range users {
		p, err := ca.issueClient(user.Name, user.Groups)
		if err != nil {
			return nil, err
		}
		issued = append(issued, issuedUser{Name: user.Name, Certificate: string(p.public), Key: string(p.private)})
	}
	return issued, nil
}

func makeOnce(dir, name string, make func() (pair, error)) error {
	if _, err := os.Stat(filepath.Join(dir, name+".crt")); err == nil {
		return nil
	}
	p, err := make()
	if err != nil {
		return err
	}
	return p.write(dir, name)
}
