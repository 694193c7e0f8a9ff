package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// publisher brings volumes to pods: a bind mount of the directory, or of a loop device over the image file.
type publisher struct {
	csi.UnimplementedNodeServer
	store *store
	node  string
}

func (p *publisher) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: p.node}, nil
}

func (p *publisher) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	return &csi.NodeGetCapabilitiesResponse{}, nil
}

func (p *publisher) NodePublishVolume(_ context.Context, request *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	p.store.mutex.Lock()
	defer p.store.mutex.Unlock()
	volume, err := p.store.find(request.VolumeId)
	switch {
	case err != nil:
		return nil, err
	case volume == nil:
		return nil, status.Errorf(codes.NotFound, "volume %s", request.VolumeId)
	case volume.Block != (request.GetVolumeCapability().GetBlock() != nil):
		return nil, status.Error(codes.InvalidArgument, "the volume has the other mode")
	case isMounted(request.TargetPath):
		return &csi.NodePublishVolumeResponse{}, nil
	}
	if err := p.publish(volume, request.TargetPath, request.Readonly); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.NodePublishVolumeResponse{}, nil
}

func (p *publisher) publish(volume *record, target string, readOnly bool) error {
	from := p.store.data(volume.ID)
	if volume.Block {
		device, err := loopDevice(from)
		if err != nil {
			return err
		}
		from = device
		place, err := os.OpenFile(target, os.O_CREATE|os.O_RDONLY, 0o600)
		if err != nil {
			return err
		}
		place.Close()
	} else if err := os.MkdirAll(target, 0o750); err != nil {
		return err
	}
	if err := syscall.Mount(from, target, "", syscall.MS_BIND, ""); err != nil {
		return err
	}
	if !readOnly {
		return nil
	}
	return syscall.Mount("", target, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
}

func (p *publisher) NodeUnpublishVolume(_ context.Context, request *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	p.store.mutex.Lock()
	defer p.store.mutex.Unlock()
	for isMounted(request.TargetPath) {
		if err := syscall.Unmount(request.TargetPath, 0); err != nil {
			return nil, status.Errorf(codes.Internal, "unmount %s: %v", request.TargetPath, err)
		}
	}
	if err := os.RemoveAll(request.TargetPath); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	for _, device := range loopDevicesOf(p.store.data(request.VolumeId)) {
		if isPublished(device) {
			continue // for another pod
		}
		if err := run("losetup", "--detach", device); err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

// loopDevice answers the device of the file, of another pod's mount or a new one.
func loopDevice(file string) (string, error) {
	if devices := loopDevicesOf(file); len(devices) > 0 {
		return devices[0], nil
	}
	output, err := exec.Command("losetup", "--find", "--show", file).Output()
	return strings.TrimSpace(string(output)), err
}

func loopDevicesOf(file string) []string {
	output, err := exec.Command("losetup", "--noheadings", "--output", "NAME", "--associated", file).Output()
	if err != nil {
		return nil
	}
	return strings.Fields(string(output))
}

// isMounted looks in the table of mounts, because a bind mount within one file system looks like nothing to stat.
func isMounted(path string) bool {
	table, err := os.ReadFile("/proc/self/mounts")
	return err == nil && strings.Contains(string(table), " "+filepath.Clean(path)+" ")
}

// isPublished tells a loop device that is bound to some place; the table names it by its path within /dev's file system.
func isPublished(device string) bool {
	table, err := os.ReadFile("/proc/self/mountinfo")
	return err == nil && strings.Contains(string(table), " /"+filepath.Base(device)+" ")
}
