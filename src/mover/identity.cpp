#include "mover/identity.h"

#include <sstream>

#include "base/fd.h"

namespace godwit::mover {

bool knowsOneIdOnly(std::string_view uidMap) {
  std::istringstream fields{std::string(uidMap)};
  unsigned long inside = 0, outside = 0, count = 0, more = 0;
  return fields >> inside >> outside >> count && count == 1 && !(fields >> more);
}

bool knowsOneIdOnly() {
  const auto map = readFile("/proc/self/uid_map", 4096);
  return map.ok() && knowsOneIdOnly(*map);
}

}  // namespace godwit::mover
