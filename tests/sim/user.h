// The people of the simulated world: they set pairs up as the manual tells, copy Secrets and addresses from one cluster
// to the other, write to their volumes, and change their minds at any moment. Their calls never fail.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sim/site.h"

namespace godwit::sim {

struct Side {
  std::string ns;
  int site = 0;
  Json spec;                       // what is wanted
  std::optional<Duration> absent;  // deleted; comes back then
};

struct Pair {
  std::string name;
  Side source, destination;
  std::int64_t manual = 0;  // last value asked for
  bool gated = false;       // copies of the source wait for a trigger
};

class User {
 public:
  User(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  void inhabit(std::vector<Site*> sites) { sites_ = std::move(sites); }

  std::function<void(const std::string& line)> trace = [](const std::string&) {};

  void addPair();  // random methods, triggers and clusters
  void addPair(const std::string& sourceMethod, const std::string& destinationMethod, bool manual);
  bool tend();                                // what makes the two ends know each other; true if something changed
  bool write();                               // one more write to each source volume that exists
  void meddle();                              // one random change
  std::optional<Duration> nextDelay() const;  // until a deleted object comes back
  void calm();                                // nothing paused, everything there; manual pairs asked once more
  std::string unsettled();                    // why not every replica equals its source; empty: all do
  void leave();                               // deletes every replication
  std::string clutter();                      // what an iteration made and left behind; empty: nothing
  std::string leftovers();                    // what Godwit made and is still there; empty: nothing
  void attentive() { dirty_ = true; }

 private:
  Site& siteOf(const Side& side) { return *sites_[static_cast<std::size_t>(side.site)]; }
  const kube::ResourceType& typeOf(const Pair& pair, const Side& side) const;
  void prepare(Pair& pair);
  void makeClaim(Site& site, const std::string& ns, const std::string& name);
  bool comeBack(Pair& pair, Side& side);
  bool introduce(Pair& pair);  // the source learns the destination's address and keys
  void apply(Pair& pair, Side& side);
  void remove(Pair& pair, Side& side);
  void askByHand(Pair& pair);
  void retrigger(Pair& pair);
  void deleteJob(Pair& pair, Side& side);
  void chooseVolume(Json& rsync);  // at the destination: one of the user's, or one that is provisioned
  void moveService(Pair& pair);
  void gateCopies(Pair& pair, bool gated);
  std::string unsettled(Pair& pair);
  std::string clutter(Pair& pair);
  bool chance(double p) { return random_.unit() < p; }
  const char* oneOf(std::initializer_list<const char*> choices);

  std::vector<Site*> sites_;
  const Clock& clock_;
  Random& random_;
  std::vector<Pair> pairs_;
  bool dirty_ = true;
};

}  // namespace godwit::sim
