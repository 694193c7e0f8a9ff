#include "writer.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/fd.h"

namespace godwit::e2e {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kMark = 100;

std::string targetOf(const std::string& link) {
  std::error_code failed;
  return fs::read_symlink(link, failed).string();
}

std::string contents(int fd) {
  std::string out;
  char buffer[1 << 16];
  for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<std::size_t>(n));
  return out;
}

Found numbersIn(const std::string& text) {
  Found found;
  if (!text.empty() && text.back() != '\n') found.wrong = "the last line is torn";
  std::istringstream lines(text);
  for (std::int64_t number; lines >> number; found.holds = number) {
    if (number == found.holds + 1) continue;
    found.wrong = fmt::format("{} follows {}", number, found.holds);
    return found;
  }
  return found;
}

// at-N is made after N and before N + 1 is written.
std::string wrongMarks(int dir, std::int64_t holds) {
  const auto there = [dir](std::int64_t n) { return ::faccessat(dir, fmt::format("at-{}", n).c_str(), F_OK, 0) == 0; };
  for (std::int64_t n = kMark; n < holds; n += kMark) {
    if (!there(n)) return fmt::format("at-{} is missing, yet {} is there", n, holds);
  }
  const auto next = (holds / kMark + 1) * kMark;
  return there(next) ? fmt::format("at-{} is there, yet {} is the last number", next, holds) : "";
}

}  // namespace

Writer::Writer(std::string dir) : dir_(std::move(dir)), thread_([this](std::stop_token stop) { run(stop); }) {}

void Writer::run(const std::stop_token& stop) {
  const UniqueFd file(::open((dir_ + "/numbers").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  for (std::int64_t next = 1; !stop.stop_requested() && writeAll(file.get(), fmt::format("{}\n", next)).ok(); ++next) {
    if (next % kMark == 0) {
      (void)::fdatasync(file.get());
      std::ofstream(fmt::format("{}/at-{}", dir_, next)) << next;
    }
    std::unique_lock lock(mutex_);
    written_ = next;
    changed_.notify_all();
    changed_.wait_for(lock, stop, 2ms, [] { return false; });
  }
}

void Writer::awaitMore(std::int64_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this, until = written_ + count] { return written_ >= until; });
}

std::int64_t Writer::end() {
  thread_.request_stop();
  thread_.join();
  return written_;
}

Found inspect(const std::string& link) {
  const auto target = targetOf(link);
  const UniqueFd dir(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd file(::openat(dir.get(), "numbers", O_RDONLY | O_CLOEXEC));
  Found found;
  if (file.valid())
    found = numbersIn(contents(file.get()));
  else
    found.wrong = "numbers cannot be read";
  if (found.wrong.empty()) found.wrong = wrongMarks(dir.get(), found.holds);
  if (targetOf(link) != target) found.wrong.clear();  // it may have been removed meanwhile
  if (!found.wrong.empty()) found.wrong = target + ": " + found.wrong;
  return found;
}

ImageWatch::ImageWatch(std::string link)
    : link_(std::move(link)), thread_([this](std::stop_token stop) { run(stop); }) {}

void ImageWatch::run(const std::stop_token& stop) {
  const UniqueFd changes(::inotify_init1(IN_CLOEXEC));
  ::inotify_add_watch(changes.get(), fs::path(link_).parent_path().c_str(), IN_MOVED_TO | IN_CREATE);
  while (!stop.stop_requested()) {
    look();
    pollfd event{changes.get(), POLLIN, 0};
    char drained[4096];
    if (::poll(&event, 1, 200) > 0 && ::read(changes.get(), drained, sizeof drained) < 0) return;
  }
}

void ImageWatch::look() {
  const auto target = targetOf(link_);
  if (target == seen_) return;
  seen_ = target;
  const auto found = inspect(link_);
  const std::lock_guard lock(mutex_);
  ++images_;
  if (sum_.wrong.empty()) sum_.wrong = found.wrong;
  if (sum_.wrong.empty() && found.holds < sum_.holds && targetOf(link_) == target) {
    sum_.wrong = fmt::format("{}: ends at {}, an earlier image at {}", target, found.holds, sum_.holds);
  }
  sum_.holds = std::max(sum_.holds, found.holds);
  changed_.notify_all();
}

bool ImageWatch::awaitHolds(std::int64_t number, std::chrono::seconds most) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, most, [&] { return sum_.holds >= number || !sum_.wrong.empty(); });
}

Found ImageWatch::sum() {
  const std::lock_guard lock(mutex_);
  return sum_;
}

int ImageWatch::images() {
  const std::lock_guard lock(mutex_);
  return images_;
}

}  // namespace godwit::e2e
