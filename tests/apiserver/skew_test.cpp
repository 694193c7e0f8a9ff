// Operators whose clocks are an hour off, either way, before a real API server whose clock is right.
#include <filesystem>

#include "api/meta.h"
#include "apiserver/fixture.h"

namespace godwit::apiserver {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;

// Empty: not installed.
std::string libfaketime() {
  std::error_code none;
  for (const auto& each : std::filesystem::directory_iterator("/usr/lib", none)) {
    const auto path = each.path() / "faketime" / "libfaketimeMT.so.1";
    if (std::filesystem::exists(path, none)) return path;
  }
  return {};
}

class ClockSkew : public OperatorTest {
 protected:
  void SetUp() override {
    OperatorTest::SetUp();
    if (!IsSkipped() && libfaketime().empty())
      GTEST_SKIP() << "SKIPPED: libfaketime is not installed, clock skew is NOT tested";
  }

  // By `offset`, such as "+1h"; what it measures times with is left alone.
  std::unique_ptr<OperatorProcess> startSkewed(const std::string& offset) {
    return startOperator({}, kubeconfig_,
                         {"env", "DONT_FAKE_MONOTONIC=1", "FAKETIME=" + offset, "LD_PRELOAD=" + libfaketime()});
  }

  // To the operator that is behind, a certificate made just now is not valid yet.
  void trustAnyServer() {
    kubectl({"create", "serviceaccount", "admin"});
    kubectl({"create", "clusterrolebinding", "admin-" + ns, "--clusterrole=cluster-admin",
             "--serviceaccount=" + ns + ":admin"});
    kubeconfig_ = kubeconfigOf("admin");
    kubectl({"--kubeconfig", kubeconfig_, "config", "set-cluster", "test", "--insecure-skip-tls-verify=true"});
  }

  // Of `object`, the reasons of its warnings, and what they say.
  std::string warnings(const std::string& object, const std::string& field) const {
    return kubectl({"get", "events", "--field-selector", "type=Warning,involvedObject.name=" + object, "-o",
                    "jsonpath={.items[*]." + field + "}"});
  }
  Json awaitDestination(const std::string& manual) { return awaitSync(r::kReplicationDestinations, "d", manual); }
  static std::string imageOf(const Json& destination) { return text(destination, "status", "latestImage", "name"); }
  static std::string lastSyncOf(const Json& destination) { return text(destination, "status", "lastSyncTime"); }
  static std::string fromNow(Duration offset) { return api::formatTime(SystemClock().now() + offset); }

 private:
  std::string kubeconfig_;
};

TEST_F(ClockSkew, OfAnHourEitherWayNeitherStopsNorConfusesAnything) {
  trustAnyServer();
  auto ahead = startSkewed("+1h");
  ASSERT_NE(ahead, nullptr);
  makeSource("s", "Snapshot", "one");
  makeDestination("d", "Snapshot", {{"manual", "one"}});
  awaitSync(r::kReplicationSources, "s", "one");
  const auto first = awaitDestination("one");
  EXPECT_GT(lastSyncOf(first), fromNow(59min)) << "its clock is another than ours";
  EXPECT_THAT(synchronizing(first), HasSubstr("the API server's clock is 36"));

  // A Lease whose renewal is two hours in the future, or in the past, is held as long as it is renewed.
  const auto leader = awaitHolder("");
  const auto behind = startSkewed("-1h");
  ASSERT_NE(behind, nullptr);
  trigger(r::kReplicationDestinations, "d", "two");
  const auto second = awaitDestination("two");
  EXPECT_EQ(awaitHolder(""), leader);
  ahead->kill();
  EXPECT_NE(awaitHolder(leader, 20s), leader);

  trigger(r::kReplicationSources, "s", "three");
  trigger(r::kReplicationDestinations, "d", "three");
  awaitSync(r::kReplicationSources, "s", "three");
  const auto third = awaitDestination("three");
  EXPECT_LT(lastSyncOf(third), fromNow(-59min));
  EXPECT_LT(imageOf(first), imageOf(second));
  EXPECT_LT(imageOf(second), imageOf(third)) << "an image is later than the one before, also by its name";
  for (const char* object : {"s", "d"}) {
    EXPECT_THAT(warnings(object, "reason"), MatchesRegex("ClockSkew( ClockSkew)*"));
    EXPECT_THAT(warnings(object, "message"), AllOf(HasSubstr(" s behind the"), HasSubstr(" s ahead of the")));
  }
}

}  // namespace
}  // namespace godwit::apiserver
