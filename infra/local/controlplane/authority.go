package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	validity = 10 * 365 * 24 * time.Hour
	// A clock that was set back a little must not make a fresh certificate one of the future.
	clockSkew = 5 * time.Minute
)

// pair is a certificate (or public key) and its private key, both PEM.
type pair struct{ public, private []byte }

type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// The key is written before what says that it is there, and each under another name first: a crash leaves no half pair.
func (p pair) write(dir, name string) error {
	for _, file := range []struct {
		suffix string
		bytes  []byte
	}{{".key", p.private}, {".crt", p.public}} {
		path := filepath.Join(dir, name+file.suffix)
		if err := os.WriteFile(path+".new", file.bytes, 0o600); err != nil {
			return err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
	}
	return nil
}

func loadOrMakeAuthority(dir, name, commonName string) (*authority, error) {
	certificate, err := os.ReadFile(filepath.Join(dir, name+".crt"))
	if errors.Is(err, fs.ErrNotExist) {
		return makeAuthority(dir, name, commonName)
	}
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(filepath.Join(dir, name+".key"))
	if err != nil {
		return nil, err
	}
	return parseAuthority(filepath.Join(dir, name), certificate, key)
}

func makeAuthority(dir, name, commonName string) (*authority, error) {
	template := template(pkix.Name{CommonName: commonName})
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	p, err := (&authority{}).sign(template)
	if err != nil {
		return nil, err
	}
	if err := p.write(dir, name); err != nil {
		return nil, err
	}
	return parseAuthority(name, p.public, p.private)
}

func parseAuthority(name string, certificatePEM, keyPEM []byte) (*authority, error) {
	certificateBlock, _ := pem.Decode(certificatePEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certificateBlock == nil || keyBlock == nil {
		return nil, fmt.Errorf("%s: the certificate authority is damaged; remove the cluster's directory to start afresh", name)
	}
	certificate, err := x509.ParseCertificate(certificateBlock.Bytes)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s: the key cannot sign", name)
	}
	return &authority{certificate: certificate, key: signer}, nil
}

func (a *authority) issueServer(name string, dnsNames, addresses []string) (pair, error) {
	template := template(pkix.Name{CommonName: name})
	template.KeyUsage = x509.KeyUsageDigitalSignature
	// etcd dials itself with its server certificate, so it must do as a client's too.
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	template.DNSNames = dnsNames
	for _, address := range addresses {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(address))
	}
	return a.sign(template)
}

func (a *authority) issueClient(name string, groups []string) (pair, error) {
	template := template(pkix.Name{CommonName: name, Organization: groups})
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.sign(template)
}

// sign makes a key for the template and signs the two; an authority without a certificate signs itself.
func (a *authority) sign(template *x509.Certificate) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return pair{}, err
	}
	private, err := encodeKey(key)
	return pair{public: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), private: private}, err
}

func makeSigningKey() (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return pair{}, err
	}
	private, err := encodeKey(key)
	return pair{public: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), private: private}, err
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func template(subject pkix.Name) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		panic(err) // crypto/rand never fails on the systems that Go supports
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    now.Add(-clockSkew),
		NotAfter:     now.Add(validity),
	}
}
