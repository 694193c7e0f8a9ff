#include "mover/rsync_output.h"

#include <charconv>
#include <cstdio>

namespace godwit::mover {

namespace {

// "1,234,567" or "1234567" at the start of `text`.
std::optional<std::int64_t> leadingNumber(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c == ',') continue;
    if (c < '0' || c > '9') break;
    digits += c;
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc()) return std::nullopt;
  return value;
}

std::int64_t scaled(double value, std::string_view unit) {
  const char c = unit.empty() ? 'B' : unit[0];
  const double factor = c == 'k' || c == 'K' ? 1024.0
                        : c == 'M'           ? 1024.0 * 1024
                        : c == 'G'           ? 1024.0 * 1024 * 1024
                                             : 1.0;
  const double out = value * factor;
  return out > 0 && out < 9e18 ? static_cast<std::int64_t>(out) : 0;
}

// At a file's end rsync shows the time that has passed in place of the time that is left.
std::int64_t timeLeft(const Progress& progress) {
  if (progress.percent <= 0 || progress.percent >= 100 || progress.rate <= 0) return 0;
  const auto total = static_cast<double>(progress.bytes) * 100 / progress.percent;
  const auto seconds = (total - static_cast<double>(progress.bytes)) / static_cast<double>(progress.rate);
  return seconds > 0 && seconds < 9e18 ? static_cast<std::int64_t>(seconds) : 0;
}

}  // namespace

std::optional<Progress> parseProgress(std::string_view line) {
  const std::string text(line);
  long long bytes = 0, hours = 0, xfr = 0, left = 0, known = 0;
  int percent = 0, minutes = 0, seconds = 0;
  double rate = 0;
  char unit[8] = {};
  if (std::sscanf(text.c_str(), " %lld %d%% %lf%7[a-zA-Z]/s %lld:%d:%d", &bytes, &percent, &rate, unit, &hours,
                  &minutes, &seconds) != 7) {
    return std::nullopt;
  }
  constexpr long long kMaxHours = 1'000'000;  // rsync shows no more, and a hostile peer can write here
  if (hours < 0 || hours > kMaxHours || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) return std::nullopt;
  Progress out{bytes, percent, scaled(rate, unit), hours * 3600 + minutes * 60 + seconds, 0, 0, 0};
  const auto at = text.find("(xfr#");
  if (at != std::string::npos) out.etaSeconds = timeLeft(out);
  if (at != std::string::npos &&
      std::sscanf(text.c_str() + at, "(xfr#%lld, %*[a-z]-chk=%lld/%lld)", &xfr, &left, &known) == 3) {
    out.filesTransferred = xfr;
    out.filesLeft = left;
    out.filesKnown = known;
  }
  return out;
}

bool takeStatistic(std::string_view line, api::MoverResult& result) {
  constexpr struct {
    std::string_view prefix;
    std::int64_t api::MoverResult::*member;
  } kLines[] = {
      {"Number of files: ", &api::MoverResult::files},
      {"Number of deleted files: ", &api::MoverResult::deletions},
      {"Number of regular files transferred: ", &api::MoverResult::filesTransferred},
      {"Total file size: ", &api::MoverResult::bytesTotal},
      {"Total bytes sent: ", &api::MoverResult::bytesSent},
  };
  for (const auto& known : kLines) {
    if (line.substr(0, known.prefix.size()) != known.prefix) continue;
    const auto value = leadingNumber(line.substr(known.prefix.size()));
    if (value) result.*known.member = *value;
    return value.has_value();
  }
  return false;
}

void ErrorDigest::take(std::string_view line) {
  if (line.find("No space left on device") != std::string_view::npos ||
      line.find("Disk quota exceeded") != std::string_view::npos) {
    noSpace_ = true;
  }
  if (line.find("has vanished: ") != std::string_view::npos) {
    ++vanished_;
    return;
  }
  // The closing "rsync error: ... (code N)" is a summary; it is the cause only when nothing better came before.
  const bool summary = line.substr(0, 12) == "rsync error:" || line.substr(0, 14) == "rsync warning:";
  const bool firstIsSummary = first_.substr(0, 12) == "rsync error:" || first_.substr(0, 14) == "rsync warning:";
  if (first_.empty() || (firstIsSummary && !summary)) first_ = line;
}

}  // namespace godwit::mover
