// Where a server listens, written as Kubernetes components write it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace godwit::cli {

struct BindAddress {
  std::string host;  // an IP literal; "::" for all
  std::uint16_t port = 0;
};

// ":8081" (all addresses), "127.0.0.1:8080", "[::1]:0". "0" and "": do not listen, nullopt. Invalid otherwise.
Result<std::optional<BindAddress>> parseBindAddress(const std::string& text);

}  // namespace godwit::cli
