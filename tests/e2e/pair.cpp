#include "pair.h"

#include <fmt/core.h>

#include <filesystem>

namespace godwit::e2e {

namespace r = kube::resources;

Pair::Pair(Installation& on, PairSpec spec) : on_(on), spec_(std::move(spec)), data_(on.at(spec_.name + "-data")) {
  on_.apply(
      fmt::format("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {}}}\n---\napiVersion: v1\nkind: "
                  "Namespace\nmetadata: {{name: {}}}\n",
                  here(), there()));
  if (spec_.pool) {
    data_ = on_.poolVolume(here(), "data");
  } else {
    std::filesystem::create_directories(data_);
    on_.hostVolume(here(), "data", data_);
  }
  if (!spec_.receiver.empty()) on_.hostVolume(there(), "receiver", spec_.receiver);
  const std::string volume = spec_.receiver.empty() ? R"("capacity": "1Gi", "accessModes": ["ReadWriteOnce"])"
                                                    : R"("destinationPVC": "receiver")";
  const auto trigger = spec_.destinationTrigger.empty() ? "{}" : spec_.destinationTrigger;
  on_.apply(fmt::format(R"({{"apiVersion": "volsync.backube/v1alpha1", "kind": "ReplicationDestination",
    "metadata": {{"name": "{}", "namespace": "{}"}},
    "spec": {{"trigger": {}, "rsync": {{"copyMethod": "{}", {}{}{}}}}}}})",
                        spec_.name, there(), trigger, spec_.destinationMethod, volume,
                        spec_.moreDestination.empty() ? "" : ", ", spec_.moreDestination));
}

std::string Pair::image() const {
  return on_.at("data/images/" + there() + "/" + spec_.name + "/latest");
}

Json Pair::introduce() {
  const auto destination = on_.until(r::kReplicationDestinations, destinationKey(), [](const Json& object) {
    return !text(object, "status", "rsync", "address").empty() && !text(object, "status", "rsync", "sshKeys").empty();
  });
  address_ = text(destination, "status", "rsync", "address");
  port_ = number(22, destination, "status", "rsync", "port");
  const auto secret = on_.api().get(r::kSecrets, {there(), text(destination, "status", "rsync", "sshKeys")});
  EXPECT_TRUE(secret.ok()) << (secret.ok() ? "" : secret.error().message);
  if (!secret.ok()) return destination;
  const auto made = on_.api().create(r::kSecrets, {{"apiVersion", "v1"},
                                                   {"kind", "Secret"},
                                                   {"metadata", {{"name", keys_}, {"namespace", here()}}},
                                                   {"data", *find(*secret, "data")}});
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
  return destination;
}

void Pair::applySource(const std::string& address, std::int64_t port) {
  address_ = address;
  port_ = port;
  applySource();
}

void Pair::applySource() {
  const auto trigger = spec_.trigger.empty() ? "{}" : spec_.trigger;
  on_.apply(fmt::format(R"({{"apiVersion": "volsync.backube/v1alpha1", "kind": "ReplicationSource",
    "metadata": {{"name": "{}", "namespace": "{}"}},
    "spec": {{"sourcePVC": "data", "trigger": {}, "rsync": {{"copyMethod": "{}", "storageClassName": "godwit", "address": "{}",
      "port": {}, "sshKeys": "{}"{}{}}}}}}})",
                        spec_.name, here(), trigger, spec_.sourceMethod, address_, port_, keys_,
                        spec_.moreSource.empty() ? "" : ", ", spec_.moreSource));
}

Json Pair::synced(const std::string& manual, Duration most) {
  return on_.until(
      r::kReplicationSources, sourceKey(),
      [&](const Json& object) { return text(object, "status", "lastManualSync") == manual; }, most);
}

Json Pair::sync(const std::string& manual) {
  const auto before = latestImage();
  const auto patched =
      on_.api().patch(r::kReplicationSources, sourceKey(), {{"spec", {{"trigger", {{"manual", manual}}}}}});
  EXPECT_TRUE(patched.ok()) << (patched.ok() ? "" : patched.error().message);
  auto source = synced(manual);
  if (spec_.destinationMethod == "Snapshot") waitForImage(before);
  return source;
}

std::string Pair::latestImage() const {
  const auto destination = on_.api().get(r::kReplicationDestinations, destinationKey());
  return destination.ok() ? text(*destination, "status", "latestImage", "name") : "";
}

// And until the link to it has been switched, which the node does after the status says so.
void Pair::waitForImage(const std::string& otherThan) {
  on_.until(r::kReplicationDestinations, destinationKey(), [&](const Json& object) {
    const auto name = text(object, "status", "latestImage", "name");
    return !name.empty() && name != otherThan;
  });
  on_.untilLink(image());
}

}  // namespace godwit::e2e
