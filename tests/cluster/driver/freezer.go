package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// freezer stops the node's pods for the time of a copy: no file changes meanwhile, which makes the copy one of a single
// point in time, as that of a real driver is.
type freezer struct {
	file, freeze, thaw string
	state, frozen      string // where to read that the freeze is complete, and what it says then
}

// Both versions of cgroups; what is missing, as before the first pod, needs no freezing.
var freezers = []freezer{
	{file: "/sys/fs/cgroup/freezer/kubepods/freezer.state", freeze: "FROZEN", thaw: "THAWED",
		state: "freezer.state", frozen: "FROZEN\n"},
	{file: "/sys/fs/cgroup/kubepods/cgroup.freeze", freeze: "1", thaw: "0",
		state: "cgroup.events", frozen: "frozen 1"},
}

func whileFrozen(act func() error) error {
	for _, f := range freezers {
		err := os.WriteFile(f.file, []byte(f.freeze), 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		return errors.Join(f.run(act), os.WriteFile(f.file, []byte(f.thaw), 0))
	}
	return act()
}

// run waits for the freeze, which nothing announces, and acts.
func (f freezer) run(act func() error) error {
	state := filepath.Join(filepath.Dir(f.file), f.state)
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(time.Millisecond) {
		if text, err := os.ReadFile(state); err != nil {
			return err
		} else if strings.Contains(string(text), f.frozen) {
			return act()
		}
	}
	return fmt.Errorf("%s: the pods did not stop", f.file)
}

// thawAll is for a start after a driver that was killed in the middle.
func thawAll() {
	for _, f := range freezers {
		if _, err := os.Stat(f.file); err == nil {
			_ = os.WriteFile(f.file, []byte(f.thaw), 0)
		}
	}
}
