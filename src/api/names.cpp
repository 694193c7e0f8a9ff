#include "api/names.h"

#include <array>

namespace godwit::api {

namespace {

constexpr std::size_t kLabelLimit = 63;    // DNS labels and label values
constexpr std::size_t kObjectLimit = 253;  // DNS subdomains

std::string fit(std::size_t limit, std::string_view prefix, std::string_view owner, std::string_view suffix = "") {
  auto name = fmt::format("{}{}{}", prefix, owner, suffix);
  return name.size() <= limit ? name : fmt::format("{}{}{}", prefix, crc32(owner), suffix);
}

const char* side(Role role) {
  return role == Role::Source ? "src" : "dst";
}

}  // namespace

// What is summed is short, names and the template of one pod: a table would cost more than it saves.
std::string crc32(std::string_view text) {
  std::uint32_t crc = ~0u;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0u);
  }
  return fmt::format("{:08x}", ~crc);
}

std::string jobName(Role role, std::string_view owner) {
  return fit(kLabelLimit, fmt::format("volsync-rsync-{}-", side(role)), owner);
}

// A Service's name is one DNS label: an owner's name with dots is hashed as one that is too long.
std::string serviceName(Role role, std::string_view owner) {
  const auto prefix = fmt::format("volsync-rsync-{}-", side(role));
  return owner.find('.') == owner.npos ? fit(kLabelLimit, prefix, owner) : prefix + crc32(owner);
}

std::string mainSecretName(Role role, std::string_view owner) {
  return fit(kObjectLimit, fmt::format("volsync-rsync-{}-main-", side(role)), owner);
}

std::string sourceSecretName(Role role, std::string_view owner) {
  return fit(kObjectLimit, fmt::format("volsync-rsync-{}-src-", side(role)), owner);
}

std::string destSecretName(Role role, std::string_view owner) {
  return fit(kObjectLimit, fmt::format("volsync-rsync-{}-dest-", side(role)), owner);
}

std::string volumeName(Role role, std::string_view owner) {
  return fit(kObjectLimit, "volsync-", owner, fmt::format("-{}", side(role)));
}

std::string accountName(Role role, std::string_view owner) {
  return fit(kObjectLimit, fmt::format("volsync-{}-", side(role)), owner);
}

std::string podNameLabel(Role role, std::string_view owner) {
  return fit(kLabelLimit, fmt::format("{}-", side(role)), owner);
}

std::string imageName(std::string_view pvc, TimePoint at) {
  std::string stamp = "-";
  for (const char c : formatTime(at))
    if (c >= '0' && c <= '9') stamp += c;
  auto name = fmt::format("{}{}", pvc, stamp);
  return name.size() <= kObjectLimit ? name : fmt::format("volsync-{}{}", crc32(pvc), stamp);
}

}  // namespace godwit::api
