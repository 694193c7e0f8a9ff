#include "api/quantity.h"
#include "fuzz/fuzz.h"

using namespace godwit;

GODWIT_FUZZ_TARGET(duration, "31.333710313s", "1m2.5s", "-1.5h", "2562047h47m16.854775807s", "1.5\u00b5s", "100ns", "0",
                   ".5ms") {
  const auto duration = api::parseDuration(input);
  if (!duration) return;
  const auto again = api::parseDuration(api::formatDuration(*duration));
  fuzz::require(again.ok() && *again == *duration, "formatDuration changes the duration");
}
