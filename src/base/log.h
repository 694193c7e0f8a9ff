// One line a fact, on stderr or as told: `2026-01-02T03:04:05.678Z INFO  room: message` or a JSON object a line.
// Never pass a Secret's content.
#pragma once
#include <fmt/core.h>

#include <string>
#include <string_view>

namespace godwit::log {

enum class Level { Debug, Info, Warn, Error };
enum class Format { Text, Json };

struct Settings {
  Level level = Level::Info;
  Format format = Format::Text;
  int fd = 2;
};

void configure(const Settings& settings);
bool enabled(Level level);
void write(Level level, std::string_view room, std::string_view message);

template <class... Args>
void debug(std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::Debug)) write(Level::Debug, room, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::Info)) write(Level::Info, room, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warn(std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::Warn)) write(Level::Warn, room, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::Error)) write(Level::Error, room, fmt::format(format, std::forward<Args>(args)...));
}

// "debug", "info", "warn" or "error"; false for anything else.
bool parse(std::string_view text, Level& level);

}  // namespace godwit::log
