// Kubernetes quantities ("10Gi", "1.5G", "1e3", "500m") and Go durations ("31.333710313s", "1m2.5s").
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace godwit::api {

// Whole bytes, rounded up. Invalid: bad syntax, negative, or over 2^63-1.
Result<std::int64_t> parseBytes(std::string_view quantity);
std::string formatBytes(std::int64_t bytes);  // canonical: the largest binary suffix without a remainder ("10Gi")

// As Go's time.Duration.String and time.ParseDuration do.
std::string formatDuration(Duration d);
Result<Duration> parseDuration(std::string_view text);

}  // namespace godwit::api
