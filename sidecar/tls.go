package sidecar

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"neptune/conf"
)

// tlsOf makes both ends of connections between the driver and executors: each
// shows the same certificate, and wants one of the authority from the other.
// Without neptune.tls.* both are nil.
func tlsOf(c *conf.Conf) (server, client *tls.Config, err error) {
	if c.TLSCert == "" {
		return nil, nil, nil
	}
	cert, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, nil, fmt.Errorf("neptune.tls.cert, neptune.tls.key: %w", err)
	}
	raw, err := os.ReadFile(c.TLSCA)
	if err != nil {
		return nil, nil, fmt.Errorf("neptune.tls.ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, nil, fmt.Errorf("neptune.tls.ca: there is no certificate in %s", c.TLSCA)
	}
	list := []tls.Certificate{cert}
	return &tls.Config{Certificates: list, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}},
		&tls.Config{Certificates: list, RootCAs: pool, ServerName: c.TLSName, MinVersion: tls.VersionTLS13}, nil
}
