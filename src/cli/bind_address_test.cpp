#include "cli/bind_address.h"

#include <gtest/gtest.h>

namespace godwit::cli {

TEST(BindAddress, Forms) {
  const auto at = [](const std::string& text) {
    const auto parsed = parseBindAddress(text);
    return parsed.ok() && *parsed ? (*parsed)->host + " " + std::to_string((*parsed)->port) : "none";
  };
  EXPECT_EQ(at(":8081"), ":: 8081");
  EXPECT_EQ(at("127.0.0.1:8080"), "127.0.0.1 8080");
  EXPECT_EQ(at("0.0.0.0:0"), "0.0.0.0 0");
  EXPECT_EQ(at("[::1]:443"), "::1 443");
  for (const char* none : {"0", ""}) {
    const auto parsed = parseBindAddress(none);
    EXPECT_TRUE(parsed.ok() && !*parsed) << none;
  }
}

TEST(BindAddress, NonsenseIsRefused) {
  for (const char* bad :
       {"8080", ":", ":x", ":70000", ":-1", "host:80", "::1:80", "[::1]", "[::1:80", "1.2.3:80", ":80 "}) {
    EXPECT_TRUE(parseBindAddress(bad).is(Errc::Invalid)) << bad;
  }
}

}  // namespace godwit::cli
