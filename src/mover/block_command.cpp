#include "mover/block_command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <charconv>

#include <fmt/core.h>

#include "base/json.h"
#include "mover/block_receive.h"
#include "mover/control.h"

namespace godwit::mover {

namespace {

using Words = std::vector<std::string>;

Error ending() {
  return {Errc::Cancelled, "the destination is ending, or a newer transfer takes the place of this one"};
}

Pulse whileWanted(int control) {
  return [control]() -> Result<void> {
    pollfd fd{control, POLLIN, 0};
    if (::poll(&fd, 1, 0) > 0) return ending();
    return {};
  };
}

ByteSource standardInput(int control) {
  return [control](char* to, std::size_t size) -> Result<std::size_t> {
    for (;;) {
      pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {control, POLLIN, 0}};
      if (::poll(fds, 2, -1) < 0 && errno != EINTR) return errnoError("poll");
      if (fds[1].revents) return ending();
      if (!fds[0].revents) continue;
      const auto n = ::read(STDIN_FILENO, to, size);
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno != EINTR && errno != EAGAIN) return errnoError("reading the block stream");
    }
  };
}

Result<std::uint64_t> sizeArgument(const Words& words) {
  std::uint64_t size = 0;
  const auto& text = words.size() == 2 ? words[1] : std::string();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error == std::errc() && end == text.data() + text.size() && size > 0 && size <= kMaxBlockSize) return size;
  return Error{Errc::Invalid, fmt::format("usage: {} SIZE, the bytes of the source's block device", words[0])};
}

// Held until this process ends. An older transfer that was told to end may still be writing what it has read.
Result<UniqueFd> waitForOlder(const Session& session) {
  const auto path = session.directory + "/block.lock";
  UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  while (!lock.valid() || ::flock(lock.get(), LOCK_EX) != 0) {
    if (!lock.valid() || errno != EINTR) return errnoError(path);
  }
  return lock;
}

Result<std::string> receive(const Session& session, std::uint64_t size) {
  GODWIT_ASSIGN(const auto lock, waitForOlder(session));
  GODWIT_ASSIGN(auto device, BlockDevice::openToWrite(session.data));
  device.forget(0, device.size());  // what an earlier transfer could not write still reads well from memory
  GODWIT_TRY(confineToVolume(session, VolumeUse::WriteDevice));
  const int control = session.control.get();
  BlockDecoder stream(standardInput(control));
  GODWIT_ASSIGN(const auto digest, receiveBlock(stream, size, device, whileWanted(control)));
  return hex(digest);
}

Result<int> runReceive(const Session& session, const Words& words) {
  GODWIT_ASSIGN(const auto size, sizeArgument(words));
  {
    GODWIT_ASSIGN(const auto device, BlockDevice::openToRead(session.data));
    GODWIT_TRY(checkFits(device.size(), size));
  }
  const int control = session.control.get();
  GODWIT_TRY(askControl(control, "begin push"));
  const auto digest = receive(session, size);
  if (!digest.ok()) {
    fmt::print(stderr, "godwit: {}\n", digest.error().message);
    (void)sendMessage(control, "note the block transfer failed: " + digest.error().message).ok();
  }
  (void)sendMessage(control, digest.ok() ? "end 0" : "end 1").ok();  // a destination that has ended needs no report
  if (!digest.ok()) return 1;
  GODWIT_TRY(writeAll(STDOUT_FILENO, dumpJson({{"digest", *digest}}) + "\n"));
  return 0;
}

Result<int> runZero(const Session& session, const Words& words) {
  GODWIT_ASSIGN(const auto size, sizeArgument(words));
  GODWIT_ASSIGN(const auto device, BlockDevice::openToRead(session.data));
  GODWIT_ASSIGN(const bool zero, device.readsZero(std::min(size, device.size()), whileWanted(session.control.get())));
  GODWIT_TRY(writeAll(STDOUT_FILENO, dumpJson({{"zero", zero}}) + "\n"));
  return 0;
}

// One line of JSON: version, the bytes of the device and whether we are root.
Result<int> runInfo(const Session& session) {
  GODWIT_ASSIGN(const auto device, BlockDevice::openToRead(session.data));
  const Json answer = {{"godwit", GODWIT_VERSION}, {"block", device.size()}, {"root", ::geteuid() == 0}};
  GODWIT_TRY(writeAll(STDOUT_FILENO, dumpJson(answer) + "\n"));
  return 0;
}

}  // namespace

Result<int> runBlockCommand(const Session& session, const Words& words) {
  const auto& command = words[0];
  if (command == "godwit-info") return runInfo(session);
  if (command == "godwit-block") return runReceive(session, words);
  if (command == "godwit-block-zero") return runZero(session, words);
  if (command == "rsync")
    return Error{Errc::Unsupported,
                 "rsync: this destination holds a block device, not a file system, and rsync cannot copy devices; make "
                 "the source's volume a block device and Godwit its mover, or replicate into a PVC of volumeMode "
                 "Filesystem"};
  if (command == "diskrsync")
    return Error{Errc::Unsupported,
                 "diskrsync: VolSync's way to copy block devices is not spoken here; a block volume needs Godwit at "
                 "both ends"};
  if (command == "godwit-prepare")
    return Error{Errc::Unsupported, "this destination holds a block device: it has no paths"};
  return Error{Errc::Forbidden, fmt::format("{}: only godwit-block SIZE and shutdown N can run here", command)};
}

std::optional<Error> refuseForFileSystem(const std::string& command) {
  if (command == "diskrsync")
    return Error{Errc::Unsupported,
                 "diskrsync: this destination holds a file system, not a block device; replicate a PVC of volumeMode "
                 "Filesystem. A block volume needs Godwit at both ends"};
  if (command == "godwit-block" || command == "godwit-block-zero")
    return Error{Errc::Unsupported,
                 command +
                     ": this destination holds a file system, not a block device; make both volumes of one "
                     "volumeMode"};
  return std::nullopt;
}

}  // namespace godwit::mover
