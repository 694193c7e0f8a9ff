# Block volumes through the CSI driver.
# shellcheck shell=bash disable=SC2154,SC2034

test_block_volume() {
  mode=Block
  volume src disk
  in_volume src disk 'head -c 20000000 /dev/urandom | dd of=/dev/v bs=1M seek=16 conv=notrunc; sync'
  destination there 'copyMethod: Snapshot, volumeMode: Block, capacity: 64Mi, accessModes: [ReadWriteOnce]'
  introduce there
  source_for there here disk 'copyMethod: Snapshot'
  synced here one
  imaged there
  restored there copy
  same src disk dst copy
  local first
  first=$(image_of there)
  [ "$(allocated)" -gt 18000 ]

  # What becomes zero at the source takes no room at the replica.
  in_volume src disk 'dd if=/dev/zero of=/dev/v bs=1M seek=17 count=20 conv=notrunc; sync'
  change here '{"spec": {"rsync": {"copyMethod": "Clone"}}}'
  sync here two
  imaged there "$first"
  restored there copy-two disk-wait
  same src disk dst copy-two
  [ "$(allocated)" -lt 5000 ]
}
# In KiB, of the destination's own volume: what is copied from it may be sparser than it is.
allocated() { "$here/exec" far du -k "$(directory_of dst volsync-there-dst)" | cut -f 1; }

test_block_volume_direct_while_it_is_used() {
  mode=Block
  volume src disk
  application src user disk 'head -c 5000000 /dev/urandom | dd of=/dev/v bs=1M conv=notrunc; sync; exec 3</dev/v; sleep 3600'
  until_true 30 'it is written' src exec user -- test -e /proc/1/fd/3
  volume dst mine
  destination there 'copyMethod: Direct, destinationPVC: mine'
  introduce there
  source_for there here disk 'copyMethod: Direct'
  synced here one
  src delete pod user
  same src disk dst mine
}
