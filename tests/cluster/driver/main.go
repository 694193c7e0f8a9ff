// csi-driver: a CSI driver for one node, for tests. A volume or snapshot is a directory or, for block mode, an image
// file; a snapshot, a restore and a clone are copies of one (by reflink where the file system can). It registers itself
// with the kubelet, so no registrar runs beside it.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"os"
	"path/filepath"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

const driverName = "disk.godwit.test"

func main() {
	socket := flag.String("socket", "", "where to serve CSI")
	registry := flag.String("registry", "", "the kubelet's directory of plugin sockets")
	directory := flag.String("directory", "", "where volumes and snapshots are kept")
	node := flag.String("node", "", "name of this node")
	flag.Parse()
	if *socket == "" || *registry == "" || *directory == "" || *node == "" {
		log.Fatal("-socket, -registry, -directory and -node are needed")
	}
	volumes, err := openStore(*directory)
	if err != nil {
		log.Fatal(err)
	}
	thawAll()
	go serve(*socket, func(server *grpc.Server) {
		csi.RegisterIdentityServer(server, identity{})
		csi.RegisterControllerServer(server, &controller{store: volumes})
		csi.RegisterNodeServer(server, &publisher{store: volumes, node: *node})
	})
	serve(filepath.Join(*registry, driverName+"-reg.sock"), func(server *grpc.Server) {
		registration.RegisterRegistrationServer(server, registrar{endpoint: *socket})
	})
}

func serve(path string, register func(*grpc.Server)) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		log.Fatal(err)
	}
	os.Remove(path) // of a driver that was killed
	listener, err := net.Listen("unix", path)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(logged))
	register(server)
	log.Fatal(server.Serve(listener))
}

func logged(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	answer, err := handler(ctx, request)
	if err != nil {
		log.Printf("%s: %v (asked: %v)", info.FullMethod, err, request)
	}
	return answer, err
}

type registrar struct {
	registration.UnimplementedRegistrationServer
	endpoint string
}

func (r registrar) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{Type: registration.CSIPlugin, Name: driverName, Endpoint: r.endpoint, SupportedVersions: []string{"1.0.0"}}, nil
}

func (registrar) NotifyRegistrationStatus(_ context.Context, status *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	log.Printf("registered: %v %s", status.PluginRegistered, status.Error)
	return &registration.RegistrationStatusResponse{}, nil
}
