#include "replication/clock_skew.h"

#include <fmt/core.h>

#include <cstdlib>

namespace godwit::replication {

std::string ClockSkew::remark() const {
  const std::int64_t seconds = seconds_;
  if (std::abs(seconds) < 60) return {};
  return fmt::format("the API server's clock is {} s {} the operator's, by which schedules run: set one of them right",
                     std::abs(seconds), seconds > 0 ? "ahead of" : "behind");
}

}  // namespace godwit::replication
