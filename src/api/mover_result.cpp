#include "api/mover_result.h"

#include "base/utf8.h"

namespace godwit::api {

namespace {

// One table says how the members are called on the wire, for both directions.
constexpr struct {
  const char* key;
  std::string MoverResult::*member;
} kTexts[] = {
    {"engine", &MoverResult::engine},
    {"digest", &MoverResult::digest},
    {"error", &MoverResult::error},
    {"warning", &MoverResult::warning},
};
constexpr struct {
  const char* key;
  std::int64_t MoverResult::*member;
} kCounts[] = {
    {"bytesSent", &MoverResult::bytesSent}, {"bytesTotal", &MoverResult::bytesTotal},
    {"files", &MoverResult::files},         {"filesTransferred", &MoverResult::filesTransferred},
    {"deletions", &MoverResult::deletions}, {"vanished", &MoverResult::vanished},
};
constexpr const char* kMark = "godwit";  // our version of this format; what lacks it is not ours
constexpr std::size_t kKubeletLimit = 4096;

// Text fit for a line of JSON: bytes that are no UTF-8 and control characters become \xHH; at most `limit` bytes, cut
// at a character with "..." to show it.
std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  std::size_t cut = 0;  // where the text must end if it turns out too long
  while (!text.empty()) {
    const std::size_t length = utf8Length(text);
    const auto lead = static_cast<unsigned char>(text[0]);
    const bool plain = length > 0 && lead >= 0x20 && lead != 0x7F;
    out += plain ? std::string(text.substr(0, length)) : fmt::format("\\x{:02x}", lead);
    text.remove_prefix(plain ? length : 1);
    if (out.size() + 3 <= limit) cut = out.size();
    if (out.size() > limit) return out.substr(0, cut) + (limit >= 3 ? "..." : "");
  }
  return out;
}

std::string encodeWithin(const MoverResult& result, std::size_t textLimit) {
  Json json = {{kMark, 1}, {"ok", result.ok}, {"durationNs", result.duration.count()}};
  for (const auto& [key, member] : kCounts)
    if (result.*member != 0) json[key] = result.*member;
  for (const auto& [key, member] : kTexts)
    if (!(result.*member).empty()) json[key] = printable(result.*member, textLimit);
  return dumpJson(json);
}

Error notOurs(const std::string& why) {
  return {Errc::Invalid, "termination message: " + why};
}

std::string grouped(std::int64_t n) {
  auto digits = std::to_string(n);
  const std::ptrdiff_t first = digits[0] == '-' ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > first; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

std::string bytesForPeople(std::int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  const bool whole = unit == 0 || value == static_cast<double>(static_cast<std::int64_t>(value));
  return fmt::format("{:.{}f} {}", value, whole ? 0 : 1, kUnits[unit]);
}

}  // namespace

std::string encode(const MoverResult& result) {
  std::string encoded;
  for (std::size_t limit = 2048; limit > 0; limit /= 2) {
    encoded = encodeWithin(result, limit);
    if (encoded.size() <= kMaxResultBytes) break;
  }
  return encoded;
}

Result<MoverResult> decodeMoverResult(std::string_view message) {
  if (message.empty()) return notOurs("absent");
  if (message.size() > kKubeletLimit) return notOurs("longer than 4096 bytes");
  auto json = parseJson(message);
  if (!json) return notOurs(json.error().message);
  if (number(0, *json, kMark) < 1) return notOurs("not written by a Godwit mover");
  MoverResult result;
  const Json* ok = find(*json, "ok");
  if (!ok || !ok->is_boolean()) return notOurs("ok: expected true or false");
  result.ok = ok->get<bool>();
  for (const auto& [key, member] : kCounts) {
    result.*member = number(find(*json, key) ? -1 : 0, *json, key);
    if (result.*member < 0) return notOurs(fmt::format("{}: expected a count", key));
  }
  for (const auto& [key, member] : kTexts) {
    const Json* value = find(*json, key);
    if (value && !value->is_string()) return notOurs(fmt::format("{}: expected text", key));
    result.*member = printable(text(*json, key), kKubeletLimit);
  }
  result.duration = Duration(number(0, *json, "durationNs"));
  if (result.duration < Duration(0)) return notOurs("durationNs: expected a count");
  return result;
}

// A destination counts nothing, nor does a source that was never let in.
static bool counted(const MoverResult& r) {
  return r.bytesSent > 0 || r.bytesTotal > 0 || r.files > 0;
}

static std::string counts(const MoverResult& r) {
  const double seconds = std::chrono::duration<double>(r.duration).count();
  auto line =
      fmt::format("sent {} of {} in {:.1f} s", bytesForPeople(r.bytesSent), bytesForPeople(r.bytesTotal), seconds);
  if (r.engine != "block")  // which knows no files
    line += fmt::format(", {} of {} files, {} deleted", grouped(r.filesTransferred), grouped(r.files),
                        grouped(r.deletions));
  if (r.vanished) line += fmt::format(", {} vanished", grouped(r.vanished));
  return line;
}

std::string summary(const MoverResult& r) {
  std::string line = r.ok ? "" : fmt::format("failed: {}", r.error.empty() ? "no cause given" : r.error);
  if (counted(r)) line += (line.empty() ? "" : "; ") + counts(r);
  if (line.empty()) line = "the replica is complete";
  if (!r.engine.empty()) line += fmt::format(" ({})", r.engine);
  if (!r.warning.empty()) line += "; warning: " + r.warning;
  return line;
}

}  // namespace godwit::api
