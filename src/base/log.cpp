#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

namespace godwit::log {

namespace {

std::atomic<Level> g_level{Level::Info};
std::atomic<Format> g_format{Format::Text};
std::atomic<int> g_fd{2};

constexpr const char* kNames[] = {"DEBUG", "INFO", "WARN", "ERROR"};
constexpr const char* kLower[] = {"debug", "info", "warn", "error"};

std::string timestamp() {
  timespec ts{};
  clock_gettime(CLOCK_REALTIME, &ts);
  tm utc{};
  gmtime_r(&ts.tv_sec, &utc);
  char text[32];
  const auto n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:03}Z", std::string_view(text, n), ts.tv_nsec / 1000000);
}

// A message is one line: control characters that a peer smuggled in would forge others.
std::string oneLine(std::string_view message) {
  std::string out;
  out.reserve(message.size());
  for (const char c : message) {
    if (static_cast<unsigned char>(c) >= 0x20 || c == '\t')
      out += c;
    else
      out += c == '\n' ? std::string(" | ") : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string render(Level level, std::string_view room, std::string_view message) {
  const auto i = static_cast<std::size_t>(level);
  if (g_format == Format::Text) {
    return fmt::format("{} {:<5} {}: {}\n", timestamp(), kNames[i], room, oneLine(message));
  }
  const nlohmann::json line = {{"ts", timestamp()}, {"level", kLower[i]}, {"logger", room}, {"msg", message}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

void configure(const Settings& settings) {
  g_level = settings.level;
  g_format = settings.format;
  g_fd = settings.fd;
}

bool enabled(Level level) {
  return level >= g_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view room, std::string_view message) {
  const auto line = render(level, room, message);
  // One write a line, so that lines of several threads and processes stay whole. Nobody can help where logging fails.
  [[maybe_unused]] const auto n = ::write(g_fd, line.data(), line.size());
}

bool parse(std::string_view text, Level& level) {
  for (std::size_t i = 0; i < std::size(kLower); ++i) {
    if (text == kLower[i]) {
      level = static_cast<Level>(i);
      return true;
    }
  }
  return false;
}

}  // namespace godwit::log
