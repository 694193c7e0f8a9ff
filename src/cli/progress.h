// What a running mover says about how far it is.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/replication.h"
#include "kube/api.h"

namespace godwit::cli {

struct MoverProgress {
  int percent = 0;  // of what rsync has found so far
  std::int64_t bytes = 0, files = 0, bytesPerSecond = 0, secondsLeft = 0;
};

// From a line of a mover's log; nullopt when the line says something else.
std::optional<MoverProgress> parseMoverProgress(std::string_view logLine);

// Of the object's mover, from its pod's log; nullopt when none runs or it has not said anything yet.
std::optional<MoverProgress> moverProgress(kube::Api& api, const api::Replication& object);

std::string shortProgress(const std::optional<MoverProgress>& progress);  // "93%"; empty when there is none
std::string longProgress(const MoverProgress& progress);                  // a bar and all figures

}  // namespace godwit::cli
