// Ages as kubectl users read them: "45s", "3m12s", "5h", "2d4h".
#pragma once
#include <string>

#include "base/clock.h"

namespace godwit::standalone {

// k8s.io/apimachinery's duration.HumanDuration: about two significant units. "<invalid>" when negative.
std::string humanDuration(Duration d);

}  // namespace godwit::standalone
