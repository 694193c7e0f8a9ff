package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// record describes a volume or a snapshot; it is kept as JSON beside the data.
type record struct {
	ID      string
	Source  string // ID of what it was copied from; empty for a new volume
	Size    int64  // bytes asked for; only a block volume is held to it
	Block   bool
	Created time.Time
}

// store keeps every record in a directory of its own: <ID>/record.json and <ID>/data. One lock serialises all changes:
// calls may be repeated and overlap, and every one must see the whole effect of another or none.
type store struct {
	mutex     sync.Mutex
	directory string
}

func openStore(directory string) (*store, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	return &store{directory: directory}, nil
}

// identifier is the same for the same name, so that a repeated request finds what the first one made.
func identifier(kind, name string) string {
	return fmt.Sprintf("%s-%x", kind, sha256.Sum256([]byte(name)))[:24]
}

// path of an ID that came from outside: Base keeps it inside the directory.
func (s *store) path(id string) string { return filepath.Join(s.directory, filepath.Base(id)) }
func (s *store) data(id string) string { return filepath.Join(s.path(id), "data") }

// find answers nil for an ID that names nothing.
func (s *store) find(id string) (*record, error) {
	if id == "" {
		return nil, nil
	}
	text, err := os.ReadFile(filepath.Join(s.path(id), "record.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	found := &record{}
	if err := json.Unmarshal(text, found); err != nil {
		return nil, status.Errorf(codes.Internal, "record of %s: %v", id, err)
	}
	return found, nil
}

// create makes the data, copied from the record's source if it has one, and puts it in place complete or not at all.
func (s *store) create(r record) error {
	staging := s.path("new-" + r.ID)
	if err := os.RemoveAll(staging); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if err := s.fill(staging, r); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if err := os.Rename(staging, s.path(r.ID)); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	return nil
}

func (s *store) fill(staging string, r record) error {
	if err := os.Mkdir(staging, 0o755); err != nil {
		return err
	}
	data := filepath.Join(staging, "data")
	if r.Source != "" {
		if err := s.copy(r.Source, data); err != nil {
			return err
		}
	} else if !r.Block {
		if err := os.Mkdir(data, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(data, 0o777); err != nil { // a new volume is for any user, whatever our umask
			return err
		}
	}
	if r.Block {
		if err := extend(data, r.Size); err != nil {
			return err
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(staging, "record.json"), text, 0o600)
}

// copy leaves a snapshot's data alone; a volume's must not change while it is read.
func (s *store) copy(id, to string) error {
	act := func() error { return run("cp", "--archive", "--reflink=auto", "--sparse=always", s.data(id), to) }
	if !strings.HasPrefix(id, "volume-") {
		return act()
	}
	return whileFrozen(func() error {
		return errors.Join(flush(s.data(id)), act())
	})
}

// flush brings what was written to loop devices into the file below them.
func flush(file string) error {
	for _, path := range loopDevicesOf(file) {
		device, err := os.Open(path)
		if err != nil {
			return err
		}
		err = device.Sync()
		device.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *store) remove(id string) error {
	if err := os.RemoveAll(s.path(id)); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	return nil
}

func extend(path string, size int64) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Truncate(size)
}

func run(program string, arguments ...string) error {
	if output, err := exec.Command(program, arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %v: %s", program, arguments, err, output)
	}
	return nil
}
