#include "cli/terminal.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "base/fd.h"
#include "cli/status_table.h"

namespace godwit::cli {

namespace {

bool isLive(int fd) {
  const char* term = std::getenv("TERM");
  return ::isatty(fd) && term && std::string_view(term) != "dumb";
}

}  // namespace

Terminal::Terminal(int fd) : fd_(fd), live_(isLive(fd)) {}

Terminal::~Terminal() = default;

std::size_t Terminal::width() const {
  winsize size{};
  return live_ && ::ioctl(fd_, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// A reader that went away (| head) is no reason to stop the work that is shown.
void Terminal::put(const std::string& text) const {
  static_cast<void>(writeAll(fd_, text));
}

void Terminal::line(const std::string& text) {
  draw("");
  put(text + "\n");
}

void Terminal::draw(const std::string& text) {
  if (!live_) return;
  std::string out = drawn_ ? fmt::format("\033[{}A\r\033[J", drawn_) : "";
  drawn_ = 0;
  const auto columns = width();
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    out += (columns ? fit(line, columns - 1) : line) + "\n";
    ++drawn_;
    at = end + 1;
  }
  put(out);
}

std::string progressBar(double fraction, std::size_t width) {
  const double f = std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0;
  const auto full = static_cast<std::size_t>(f * static_cast<double>(width));
  return fmt::format("[{}{}] {:3.0f}%", std::string(full, '#'), std::string(width - full, '.'), std::floor(f * 100));
}

std::string humanBytes(std::int64_t bytes) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return unit ? fmt::format("{:.1f} {}", value, kUnits[unit]) : fmt::format("{} B", bytes);
}

std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

}  // namespace godwit::cli
