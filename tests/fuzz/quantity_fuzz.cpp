#include "api/quantity.h"
#include "fuzz/fuzz.h"

using namespace godwit;

GODWIT_FUZZ_TARGET(quantity, "10Gi", "1.5G", "1e3", "500m", "9223372036854775807", ".5Ki", "0.000000001n", "1E",
                   "7.99Ei") {
  const auto bytes = api::parseBytes(input);
  if (!bytes) return;
  fuzz::require(*bytes >= 0, "a negative size");
  const auto again = api::parseBytes(api::formatBytes(*bytes));
  fuzz::require(again.ok() && *again == *bytes, "formatBytes changes the size");
}
