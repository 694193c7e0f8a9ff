#include "node/world.h"

namespace godwit::sim {
namespace {

namespace r = kube::resources;
using testing::HasSubstr;
using Ports = standalone::Ports;

class AddressTest : public World {
 protected:
  void service(const std::string& name, const char* type = "ClusterIP", int port = 22) {
    create(r::kServices,
           {{"metadata", {{"name", name}}},
            {"spec", {{"type", type}, {"selector", {{"app", name}}}, {"ports", {{{"name", "ssh"}, {"port", port}}}}}}});
    settle();
  }
  std::string note(const std::string& name, const char* key) {
    return text(get(r::kServices, name), "metadata", "annotations", key);
  }
  standalone::ContainerSpec run(const std::string& name, Json env, const std::string& app = "") {
    create(r::kPods, {{"metadata", {{"name", name}, {"labels", {{"app", app}}}}},
                      {"spec",
                       {{"restartPolicy", "Never"},
                        {"containers", {{{"name", "c"}, {"command", {"true"}}, {"env", std::move(env)}}}}}}});
    settle();
    return runner.running.empty() ? standalone::ContainerSpec{} : runner.running.back()->spec;
  }
  static std::string env(const standalone::ContainerSpec& spec, const std::string& name) {
    for (const auto& [key, value] : spec.env) {
      if (key == name) return value;
    }
    return "";
  }
  static Json destination(const std::string& address, const char* port = "22") {
    return Json::array(
        {{{"name", "DESTINATION_ADDRESS"}, {"value", address}}, {{"name", "DESTINATION_PORT"}, {"value", port}}});
  }
};

TEST_F(AddressTest, ManyDestinationsSharePort22) {
  service("a");
  service("b");
  EXPECT_THAT(text(get(r::kServices, "a"), "spec", "clusterIP"), HasSubstr("10."));
  EXPECT_NE(text(get(r::kServices, "a"), "spec", "clusterIP"), text(get(r::kServices, "b"), "spec", "clusterIP"));
  EXPECT_NE(note("a", "godwit/port"), note("b", "godwit/port"));
  const auto listener = run("dst", Json::array(), "a");
  EXPECT_EQ(env(listener, "GODWIT_LISTEN"), "127.0.0.1:" + note("a", "godwit/port"));
  for (const std::string& address :
       {text(get(r::kServices, "a"), "spec", "clusterIP"), std::string("a.ns.svc"), std::string("a")}) {
    const auto source = run("src-" + std::to_string(runner.starts.size()), destination(address));
    EXPECT_EQ(env(source, "DESTINATION_ADDRESS"), "127.0.0.1") << address;
    EXPECT_EQ(env(source, "DESTINATION_PORT"), note("a", "godwit/port")) << address;
  }
}

TEST_F(AddressTest, AForeignAddressIsLeftAlone) {
  service("a");
  const auto spec = run("src", destination("203.0.113.9", "2222"));
  EXPECT_EQ(env(spec, "DESTINATION_ADDRESS"), "203.0.113.9");
  EXPECT_EQ(env(spec, "DESTINATION_PORT"), "2222");
}

TEST_F(AddressTest, ALoadBalancerTakesItsPortWhereItCan) {
  service("open", "LoadBalancer", 2222);
  EXPECT_EQ(note("open", "godwit/port"), "2222");
  EXPECT_EQ(note("open", "godwit/address-message"), "");
  const auto object = get(r::kServices, "open");
  EXPECT_EQ(object["status"]["loadBalancer"]["ingress"][0]["ip"], "192.0.2.7");
  EXPECT_GE(number(0, object["spec"]["ports"][0], "nodePort"), 30000);
  EXPECT_EQ(env(run("dst", Json::array(), "open"), "GODWIT_LISTEN"), "0.0.0.0:2222");
}

TEST_F(AddressTest, ANodePortIsReachedAtThisMachine) {
  service("open", "NodePort", 2222);
  EXPECT_EQ(note("open", "godwit/host"), "192.0.2.7");
  EXPECT_EQ(note("open", "godwit/port"), "2222");
  EXPECT_EQ(env(run("dst", Json::array(), "open"), "GODWIT_LISTEN"), "0.0.0.0:2222");
}

TEST_F(AddressTest, ATakenPortNamesItsHolderAndTheRemedy) {
  ports.states[22] = Ports::State::Held;
  service("open", "LoadBalancer");
  EXPECT_EQ(note("open", "godwit/port"), "31022");
  EXPECT_THAT(note("open", "godwit/address-message"),
              HasSubstr("port 22 is held by sshd (pid 812); listening on 31022"));
  EXPECT_EQ(env(run("src", destination("192.0.2.7")), "DESTINATION_PORT"), "31022");
  ports.states[80] = Ports::State::NotPermitted;
  service("low", "NodePort", 80);
  EXPECT_THAT(note("low", "godwit/address-message"), HasSubstr("not permitted"));
}

TEST_F(AddressTest, APortLostToAnotherProgramIsReplaced) {
  service("a");
  const auto before = note("a", "godwit/port");
  ports.states[std::stoi(before)] = Ports::State::Held;
  const auto listener = run("dst", Json::array(), "a");
  EXPECT_NE(note("a", "godwit/port"), before);
  EXPECT_EQ(env(listener, "GODWIT_LISTEN"), "127.0.0.1:" + note("a", "godwit/port"));
}

TEST_F(AddressTest, PortsStayAcrossARestart) {
  service("a");
  const auto before = note("a", "godwit/port");
  restart();
  EXPECT_EQ(note("a", "godwit/port"), before);
}

}  // namespace
}  // namespace godwit::sim
