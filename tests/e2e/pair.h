// One replication between two namespaces of an Installation, as the manual tells to set it up.
#pragma once
#include <string>

#include "installation.h"

namespace godwit::e2e {

struct PairSpec {
  std::string name = "pair";
  std::string sourceMethod = "Clone", destinationMethod = "Snapshot";
  std::string trigger = R"({"manual": "1"})";  // of the source, JSON; empty: none
  std::string destinationTrigger;
  std::string moreSource, moreDestination;  // JSON members of spec.rsync
  bool pool = false;                        // the source is a volume of the pool, else a directory of the host
  std::string receiver;                     // a directory of the host as spec.rsync.destinationPVC; empty: provisioned
};

class Pair {
 public:
  // Makes both namespaces, the source volume, and the destination.
  Pair(Installation& on, PairSpec spec);

  kube::NamespacedName sourceKey() const { return {here(), spec_.name}; }
  kube::NamespacedName destinationKey() const { return {there(), spec_.name}; }
  std::string here() const { return spec_.name + "-here"; }
  std::string there() const { return spec_.name + "-there"; }
  const std::string& data() const { return data_; }  // the source directory
  std::string image() const;                         // where the newest image can be read

  Json introduce();    // copies Secret and address; returns the destination
  void applySource();  // with what introduce() learnt
  void applySource(const std::string& address, std::int64_t port);
  // Waits until the source answers for the value.
  Json synced(const std::string& manual, Duration most = std::chrono::seconds(60));
  // Asks for another iteration and waits for it.
  Json sync(const std::string& manual);
  void waitForImage(const std::string& otherThan);
  std::string latestImage() const;

 private:
  Installation& on_;
  PairSpec spec_;
  std::string data_, address_ = "192.0.2.1", keys_ = "copied";
  std::int64_t port_ = 22;
};

}  // namespace godwit::e2e
