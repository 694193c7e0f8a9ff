// cluster-init: the first process of a test cluster, and of each of its pods.
//
//	cluster-init launch TARGET   new namespaces with `init TARGET` as their first process; prints its pid and the port
//	                             on the host's loopback that leads to TARGET inside
//	cluster-init init TARGET     reaps orphans; passes connections of the listener (descriptor 3) on to TARGET
//	cluster-init pause           reaps orphans: what keeps a pod's namespaces
//	cluster-init ports COUNT     prints that many free ports of the loopback
//
// The listener is made before the namespaces are, so it belongs to the host's network while the connections it is
// passed on to belong to the cluster's: the API server can be reached from the host though no device joins the two.
package main

import (
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const (
	namespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWNET |
		syscall.CLONE_NEWPID | cloneNewCgroup
	cloneNewCgroup = 0x02000000 // not in package syscall
)

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "launch":
		launch(os.Args[2])
	case len(os.Args) == 3 && os.Args[1] == "init":
		go forward(os.Args[2])
		reap()
	case len(os.Args) == 2 && os.Args[1] == "pause":
		reap()
	case len(os.Args) == 3 && os.Args[1] == "ports":
		printPorts(os.Args[2])
	default:
		log.Fatalf("usage: %s launch TARGET | init TARGET | pause | ports COUNT", os.Args[0])
	}
}

// printPorts holds each port until all are known, so that they differ.
func printPorts(count string) {
	wanted, err := strconv.Atoi(count)
	if err != nil {
		log.Fatal(err)
	}
	// Below the ephemeral ones: a client that calls a server of the loopback that is just away could otherwise be given
	// the server's own port, connect to itself, and keep the server from ever getting it back.
	const lowest, span = 20000, 12000
	for found := 0; found < wanted; {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(span)))
		if err != nil {
			continue
		}
		defer listener.Close()
		found++
		fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	}
}

func launch(target string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	inherited, err := listener.(*net.TCPListener).File()
	if err != nil {
		log.Fatal(err)
	}
	child := exec.Command("/proc/self/exe", "init", target)
	child.ExtraFiles = []*os.File{inherited}
	child.Stderr = os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Setsid: true}
	if err := child.Start(); err != nil {
		log.Fatalf("new namespaces: %v (this needs root, and in a container --privileged)", err)
	}
	fmt.Println(child.Process.Pid, listener.Addr().(*net.TCPAddr).Port)
}

// reap waits for the children that others left behind until it is told to end. Nothing in this process starts any of
// its own, so nobody else waits for them.
func reap() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGCHLD, syscall.SIGTERM, syscall.SIGINT)
	for received := range signals {
		if received != syscall.SIGCHLD {
			os.Exit(0)
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 && err != syscall.EINTR {
				break
			}
		}
	}
}

func forward(target string) {
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		log.Fatal(err)
	}
	for {
		outer, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go connect(outer.(*net.TCPConn), target)
	}
}

// connect closes the outer connection at once when the target is down: its users see the API server being away as such.
func connect(outer *net.TCPConn, target string) {
	defer outer.Close()
	dialled, err := net.DialTimeout("tcp", target, 5*time.Second)
	if err != nil {
		return
	}
	inner := dialled.(*net.TCPConn)
	defer inner.Close()
	done := make(chan struct{})
	go func() {
		io.Copy(inner, outer)
		inner.CloseWrite()
		close(done)
	}()
	io.Copy(outer, inner)
	outer.CloseWrite()
	<-done
}
