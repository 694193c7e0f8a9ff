#include "standalone/human_duration.h"

#include <fmt/core.h>

namespace godwit::standalone {

// "<a>A<b>B", without the second part when it is zero.
static std::string two(std::int64_t a, char unitA, std::int64_t b, char unitB) {
  return b == 0 ? fmt::format("{}{}", a, unitA) : fmt::format("{}{}{}{}", a, unitA, b, unitB);
}

std::string humanDuration(Duration d) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(d).count();
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return fmt::format("{}s", seconds);
  const auto minutes = seconds / 60;
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return fmt::format("{}m", minutes);
  const auto hours = minutes / 60;
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return fmt::format("{}h", hours);
  if (hours < 192) return two(hours / 24, 'd', hours % 24, 'h');
  const auto days = hours / 24;
  if (days < 730) return fmt::format("{}d", days);
  if (days < 2920) return two(days / 365, 'y', days % 365, 'd');
  return fmt::format("{}y", days / 365);
}

}  // namespace godwit::standalone
