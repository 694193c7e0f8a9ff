package main

import (
	"context"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const smallest = 1 << 20

type identity struct {
	csi.UnimplementedIdentityServer
}

func (identity) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: driverName, VendorVersion: "1"}, nil
}

func (identity) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{Ready: wrapperspb.Bool(true)}, nil
}

func (identity) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	service := &csi.PluginCapability_Service{Type: csi.PluginCapability_Service_CONTROLLER_SERVICE}
	return &csi.GetPluginCapabilitiesResponse{Capabilities: []*csi.PluginCapability{
		{Type: &csi.PluginCapability_Service_{Service: service}}}}, nil
}

type controller struct {
	csi.UnimplementedControllerServer
	store *store
}

func (*controller) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	answer := &csi.ControllerGetCapabilitiesResponse{}
	for _, kind := range []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT,
		csi.ControllerServiceCapability_RPC_CLONE_VOLUME,
	} {
		rpc := &csi.ControllerServiceCapability_RPC{Type: kind}
		answer.Capabilities = append(answer.Capabilities, &csi.ControllerServiceCapability{
			Type: &csi.ControllerServiceCapability_Rpc{Rpc: rpc}})
	}
	return answer, nil
}

func (c *controller) CreateVolume(_ context.Context, request *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	if request.Name == "" || len(request.VolumeCapabilities) == 0 {
		return nil, status.Error(codes.InvalidArgument, "a volume needs a name and capabilities")
	}
	wanted := volumeOf(request)
	c.store.mutex.Lock()
	defer c.store.mutex.Unlock()
	there, err := c.store.find(wanted.ID)
	if err != nil {
		return nil, err
	}
	if there == nil {
		if err := c.checkSource(wanted); err != nil {
			return nil, err
		}
		if err := c.store.create(wanted); err != nil {
			return nil, err
		}
	} else if there.Size != wanted.Size || there.Block != wanted.Block || there.Source != wanted.Source {
		return nil, status.Errorf(codes.AlreadyExists, "%s is there and differs from what is asked for", wanted.ID)
	}
	return &csi.CreateVolumeResponse{Volume: &csi.Volume{
		VolumeId: wanted.ID, CapacityBytes: wanted.Size, ContentSource: request.VolumeContentSource}}, nil
}

func volumeOf(request *csi.CreateVolumeRequest) record {
	source := request.GetVolumeContentSource()
	wanted := record{
		ID:      identifier("volume", request.Name),
		Source:  source.GetSnapshot().GetSnapshotId() + source.GetVolume().GetVolumeId(), // one of them
		Size:    max(request.GetCapacityRange().GetRequiredBytes(), smallest),
		Created: time.Now(),
	}
	for _, capability := range request.VolumeCapabilities {
		wanted.Block = wanted.Block || capability.GetBlock() != nil
	}
	return wanted
}

func (c *controller) checkSource(wanted record) error {
	if wanted.Source == "" {
		return nil
	}
	source, err := c.store.find(wanted.Source)
	switch {
	case err != nil:
		return err
	case source == nil:
		return status.Errorf(codes.NotFound, "source %s", wanted.Source)
	case source.Block != wanted.Block:
		return status.Error(codes.InvalidArgument, "the source has the other volume mode")
	case source.Size > wanted.Size:
		return status.Errorf(codes.OutOfRange, "the source has %d bytes, %d are asked for", source.Size, wanted.Size)
	}
	return nil
}

func (c *controller) DeleteVolume(_ context.Context, request *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	return &csi.DeleteVolumeResponse{}, c.remove(request.VolumeId)
}

func (c *controller) DeleteSnapshot(_ context.Context, request *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	return &csi.DeleteSnapshotResponse{}, c.remove(request.SnapshotId)
}

func (c *controller) remove(id string) error {
	if id == "" {
		return status.Error(codes.InvalidArgument, "no ID")
	}
	c.store.mutex.Lock()
	defer c.store.mutex.Unlock()
	return c.store.remove(id)
}

func (c *controller) CreateSnapshot(_ context.Context, request *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	if request.Name == "" || request.SourceVolumeId == "" {
		return nil, status.Error(codes.InvalidArgument, "a snapshot needs a name and a source")
	}
	c.store.mutex.Lock()
	defer c.store.mutex.Unlock()
	snapshot, err := c.store.find(identifier("snapshot", request.Name))
	if err != nil {
		return nil, err
	}
	if snapshot == nil {
		if snapshot, err = c.takeSnapshot(request); err != nil {
			return nil, err
		}
	} else if snapshot.Source != request.SourceVolumeId {
		return nil, status.Errorf(codes.AlreadyExists, "%s is there, of another volume", snapshot.ID)
	}
	return &csi.CreateSnapshotResponse{Snapshot: &csi.Snapshot{
		SnapshotId: snapshot.ID, SourceVolumeId: snapshot.Source, SizeBytes: snapshot.Size,
		CreationTime: timestamppb.New(snapshot.Created), ReadyToUse: true}}, nil
}

func (c *controller) takeSnapshot(request *csi.CreateSnapshotRequest) (*record, error) {
	volume, err := c.store.find(request.SourceVolumeId)
	if err != nil {
		return nil, err
	}
	if volume == nil {
		return nil, status.Errorf(codes.NotFound, "volume %s", request.SourceVolumeId)
	}
	snapshot := record{ID: identifier("snapshot", request.Name), Source: volume.ID, Size: volume.Size,
		Block: volume.Block, Created: time.Now()}
	return &snapshot, c.store.create(snapshot)
}

func (c *controller) ValidateVolumeCapabilities(_ context.Context, request *csi.ValidateVolumeCapabilitiesRequest) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	volume, err := c.store.find(request.VolumeId)
	if err != nil {
		return nil, err
	}
	if volume == nil {
		return nil, status.Errorf(codes.NotFound, "volume %s", request.VolumeId)
	}
	return &csi.ValidateVolumeCapabilitiesResponse{Confirmed: &csi.ValidateVolumeCapabilitiesResponse_Confirmed{
		VolumeCapabilities: request.VolumeCapabilities}}, nil
}
