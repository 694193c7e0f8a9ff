// What `godwit status` shows of each side of each pair: pure, from objects to text.
#pragma once
#include <string>
#include <vector>

#include "api/replication.h"

namespace godwit::cli {

struct StatusRow {
  std::string ns, name, role;
  std::string state;  // Paused, New, Syncing, Error, or the reason Synchronizing is False (WaitingForSchedule, ...)
  std::string lastSync, duration, next, progress, message;
  std::string address, port, image;  // for programs: only statusJson shows them
};

// `progress` is what the running mover says; shown only while a sync is in progress.
StatusRow statusRow(const api::Replication& object, TimePoint now, const std::string& progress);

// Header and one line per row, columns padded as kubectl pads; lines are cut at `width` characters (0: never).
std::string statusTable(const std::vector<StatusRow>& rows, bool withNamespace, std::size_t width = 0);

Json statusJson(const std::vector<StatusRow>& rows);  // {"items": [...]}

// "12s", "3m20s", "5h10m", "3d4h": the two largest units, as kubectl's AGE. Negative counts as zero.
std::string shortDuration(Duration d);

// At most `width` characters of UTF-8 text; what is cut is marked by an ellipsis.
std::string fit(const std::string& text, std::size_t width);

}  // namespace godwit::cli
