// What this room's tests share.
#pragma once
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "standalone/store.h"

namespace godwit::cli {

class TempDir {
 public:
  TempDir() {
    std::string name = std::filesystem::temp_directory_path() / "godwit-cli-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// An API server in memory with the namespace "default".
class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto store = standalone::Store::open({}, clock_, random_);
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    const auto& existing = store_->get(kube::resources::kNamespaces, {"", "default"});
    if (!existing) {
      ASSERT_TRUE(store_->create(kube::resources::kNamespaces,
                                 {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "default"}}}}));
    }
  }
  kube::Api& api() { return *store_; }

  SystemClock clock_;
  Random random_{1};
  std::unique_ptr<standalone::Store> store_;
};

}  // namespace godwit::cli
