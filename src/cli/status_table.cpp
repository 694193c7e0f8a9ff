#include "cli/status_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace godwit::cli {

namespace {

using namespace std::chrono;

struct Column {
  const char* header;
  std::string StatusRow::*field;
};
constexpr std::array<Column, 9> kColumns{{{"NAMESPACE", &StatusRow::ns},
                                          {"NAME", &StatusRow::name},
                                          {"ROLE", &StatusRow::role},
                                          {"STATE", &StatusRow::state},
                                          {"LAST-SYNC", &StatusRow::lastSync},
                                          {"DURATION", &StatusRow::duration},
                                          {"NEXT", &StatusRow::next},
                                          {"PROGRESS", &StatusRow::progress},
                                          {"MESSAGE", &StatusRow::message}}};

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

// A message comes from a cluster: its control characters must not reach the terminal.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

std::string stateOf(const api::Replication& object) {
  if (object.spec.paused) return "Paused";
  if (const auto* reconciled = object.status.condition("Reconciled"); reconciled && reconciled->status == "False")
    return "Error";
  const auto* synchronizing = object.status.condition("Synchronizing");
  if (!synchronizing) return "New";
  return synchronizing->reason == "SyncInProgress" ? "Syncing" : synchronizing->reason;
}

std::string messageOf(const api::Replication& object) {
  const auto* reconciled = object.status.condition("Reconciled");
  if (reconciled && reconciled->status == "False") return reconciled->message;
  const auto* synchronizing = object.status.condition("Synchronizing");
  return synchronizing ? synchronizing->message : "";
}

// The status names the port only where it is not the one that was asked for.
std::int64_t portOf(const api::Replication& object) {
  const auto asked = object.spec.rsync ? object.spec.rsync->port.value_or(22) : 22;
  return object.status.rsync ? object.status.rsync->port.value_or(asked) : asked;
}

std::string nextOf(const api::ReplicationStatus& status, TimePoint now) {
  if (!status.nextSyncTime) return "";
  return *status.nextSyncTime > now ? "in " + shortDuration(*status.nextSyncTime - now) : "due";
}

}  // namespace

std::string shortDuration(Duration d) {
  const auto s = std::max<std::int64_t>(0, floor<seconds>(d).count());
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return s % 60 ? fmt::format("{}m{}s", s / 60, s % 60) : fmt::format("{}m", s / 60);
  if (s < 86400) return s / 60 % 60 ? fmt::format("{}h{}m", s / 3600, s / 60 % 60) : fmt::format("{}h", s / 3600);
  return s / 3600 % 24 ? fmt::format("{}d{}h", s / 86400, s / 3600 % 24) : fmt::format("{}d", s / 86400);
}

std::string fit(const std::string& text, std::size_t width) {
  if (characters(text) <= width) return text;
  std::size_t end = 0, kept = 0;
  while (end < text.size() && kept + 1 < width) {
    ++end;
    while (end < text.size() && continues(text[end])) ++end;
    ++kept;
  }
  return text.substr(0, end) + (width ? "…" : "");
}

StatusRow statusRow(const api::Replication& object, TimePoint now, const std::string& progress) {
  const auto& status = object.status;
  StatusRow row{object.meta.ns, object.meta.name, api::name(object.role), stateOf(object)};
  if (status.lastSyncTime) row.lastSync = shortDuration(now - *status.lastSyncTime) + " ago";
  if (status.lastSyncDuration) {
    row.duration = fmt::format("{:.1f}s", duration<double>(*status.lastSyncDuration).count());
    if (*status.lastSyncDuration >= minutes(1)) row.duration = shortDuration(*status.lastSyncDuration);
  }
  row.next = nextOf(status, now);
  if (status.lastSyncStartTime) row.progress = printable(progress);
  row.message = printable(messageOf(object));
  if (status.rsync) row.address = status.rsync->address.value_or("");
  if (!row.address.empty()) row.port = std::to_string(portOf(object));
  if (status.latestImage) row.image = status.latestImage->name;
  return row;
}

std::string statusTable(const std::vector<StatusRow>& rows, bool withNamespace, std::size_t width) {
  std::vector<std::string> lines(rows.size() + 1);
  for (std::size_t i = withNamespace ? 0 : 1; i < kColumns.size(); ++i) {
    const auto& [header, field] = kColumns[i];
    const bool last = i + 1 == kColumns.size();
    std::size_t widest = std::string(header).size();
    for (const auto& row : rows) widest = std::max(widest, characters(row.*field));
    const auto append = [&](std::string& line, const std::string& cell) {
      line += cell;
      if (!last) line.append(widest + 3 - characters(cell), ' ');
    };
    append(lines[0], header);
    for (std::size_t r = 0; r < rows.size(); ++r) append(lines[r + 1], (rows[r].*field).empty() ? "-" : rows[r].*field);
  }
  std::string text;
  for (const auto& line : lines) text += (width ? fit(line, width) : line) + "\n";
  return text;
}

Json statusJson(const std::vector<StatusRow>& rows) {
  Json items = Json::array();
  for (const auto& row : rows) {
    items.push_back({{"namespace", row.ns},
                     {"name", row.name},
                     {"role", row.role},
                     {"state", row.state},
                     {"lastSync", row.lastSync},
                     {"duration", row.duration},
                     {"next", row.next},
                     {"progress", row.progress},
                     {"message", row.message},
                     {"address", row.address},
                     {"port", row.port},
                     {"latestImage", row.image}});
  }
  return {{"items", std::move(items)}};
}

}  // namespace godwit::cli
