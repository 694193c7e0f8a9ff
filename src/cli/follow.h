// Waiting for an object to become what one hopes for, by watching it.
#pragma once
#include <functional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "kube/api.h"

namespace godwit::cli {

struct Following {
  std::function<bool(const Json& object)> ready;     // as wanted
  std::function<void(const Json& object)> tick;      // about every 250 ms while waiting, for what moves on the screen
  std::function<std::string(const Json&)> obstacle;  // for the message of a timeout: what the object complains about
  Duration timeout = std::chrono::minutes(10);
  std::stop_token stop;
};

// The object once it is ready. Timeout: the message carries the obstacle. Cancelled: `stop` was requested.
Result<Json> follow(kube::Api& api, const kube::ResourceType& type, const kube::NamespacedName& key,
                    const Following& how);

}  // namespace godwit::cli
