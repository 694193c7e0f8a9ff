// The rows of the control plane's table, measured one after the other on one API server.
#include <fmt/core.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "bench/control_plane/site.h"
#include "bench/report.h"
#include "kube/resource.h"

namespace godwit::bench {
namespace {

namespace r = kube::resources;
using namespace std::chrono_literals;

constexpr int kUsers = 8;  // who ask at once

double scale() {
  const char* text = std::getenv("GODWIT_BENCH_SCALE");
  const double value = text ? std::atof(text) : 1.0;
  return value > 0.001 && value <= 10 ? value : 1.0;
}
int scaled(int count) {
  return std::max(2, static_cast<int>(count * scale()));
}

double percentile(std::vector<double> samples, double q) {
  if (samples.empty()) return NAN;
  std::sort(samples.begin(), samples.end());
  return samples[std::min(samples.size() - 1, static_cast<std::size_t>(q * static_cast<double>(samples.size())))];
}

double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}
double mebibytes(std::int64_t kibibytes) {
  return static_cast<double>(kibibytes) / 1024;
}

// Events of one kind in all namespaces from now on.
class Follower {
 public:
  static Result<Follower> open(kube::Api& api, const kube::ResourceType& type) {
    GODWIT_ASSIGN(const auto list, api.list(type, {.limit = 1}));
    GODWIT_ASSIGN(auto watch, api.watch(type, {.resourceVersion = list.resourceVersion}));
    Follower out;
    out.watch_ = std::move(watch);
    return out;
  }
  Result<Json> until(const std::function<bool(const kube::WatchEvent&)>& wanted) {
    const auto end = now() + Duration(60s);
    while (now() < end) {
      GODWIT_ASSIGN(auto event, watch_->next(1s));
      if (event && event->type != kube::WatchEvent::Type::Bookmark && wanted(*event)) return std::move(event->object);
    }
    return Error{Errc::Timeout, "nothing came for a minute"};
  }

 private:
  std::unique_ptr<kube::Watch> watch_;
};

bool added(const kube::WatchEvent& event) {
  return event.type == kube::WatchEvent::Type::Added;
}

Result<void> measureStart(Site& site) {
  GODWIT_TRY(site.startOperator());
  std::this_thread::sleep_for(10s);  // the figure is that of rest
  addRow({"resident memory, no objects", mebibytes(site.godwit->residentKiB()), "MiB", 12});
  site.stopOperator();
  std::vector<double> samples;
  for (int i = 0; i < 5; ++i) {
    GODWIT_TRY(site.makeSources(90000 + i, 1, "Direct", "0"));
    GODWIT_ASSIGN(auto sources, Follower::open(site.api(), r::kReplicationSources));
    const auto start = now();
    GODWIT_TRY(site.startOperator());
    GODWIT_TRY(
        sources.until([&](const auto& event) { return find(event.object, "status", "lastSyncStartTime") != nullptr; }));
    samples.push_back(millisecondsSince(start));
    GODWIT_TRY(site.awaitSynced(r::kReplicationSources, i + 1, "0"));
    GODWIT_TRY(site.awaitNoJobs());
    site.stopOperator();
  }
  addRow({"start to first status write", median(samples), "ms", 150});
  return {};
}

// What several people do at once, `count` times in all; returns when they have done it. The first error, if any.
Result<void> byUsers(int count, const std::function<Result<void>(int)>& act) {
  std::mutex mutex;
  Result<void> out;
  std::vector<std::jthread> users;
  for (int user = 0; user < kUsers; ++user) {
    users.emplace_back([&, user] {
      for (int i = user; i < count; i += kUsers) {
        const auto done = act(i);
        std::lock_guard lock(mutex);
        if (out.ok() && !done.ok()) out = done;
      }
    });
  }
  users.clear();
  return out;
}

Result<void> measureKeys(Site& site) {
  const int count = scaled(50);
  GODWIT_TRY(site.makeDestinations(scaled(50), 1, "Snapshot", "0"));  // namespaces are there, caches are full
  GODWIT_TRY(site.awaitSynced(r::kReplicationDestinations, 1, "0"));
  GODWIT_ASSIGN(auto secrets, Follower::open(site.api(), r::kSecrets));
  GODWIT_TRY(site.prepareFor(0));
  const auto start = now();
  GODWIT_TRY(byUsers(count, [&](int i) { return site.makeDestinations(i, 1, "Snapshot", "0"); }));
  int made = 0;  // three for each
  GODWIT_TRY(secrets.until([&](const auto& event) {
    made += added(event) && text(event.object, "metadata", "name").starts_with("volsync-rsync-dst-");
    return made == 3 * count;
  }));
  addRow({fmt::format("key Secrets for {} new destinations at once", count), millisecondsSince(start) / 1000, "s", 1});
  return site.awaitSynced(r::kReplicationDestinations, count + 1, "0");
}

Result<void> measureOneAtATime(Site& site) {
  std::vector<double> jobSeen, statusSeen;
  site.simulator->hold(true);
  for (int i = 0; i < scaled(100); ++i) {
    GODWIT_ASSIGN(auto jobs, Follower::open(site.api(), r::kJobs));
    GODWIT_ASSIGN(auto sources, Follower::open(site.api(), r::kReplicationSources));
    const auto manual = fmt::format("single-{}", i);
    GODWIT_TRY(site.trigger(i % scaled(200), manual));
    auto start = now();
    GODWIT_ASSIGN(const auto job, jobs.until(added));
    jobSeen.push_back(millisecondsSince(start));
    GODWIT_TRY(site.simulator->finish(job));
    start = now();
    GODWIT_TRY(
        sources.until([&](const auto& event) { return text(event.object, "status", "lastManualSync") == manual; }));
    statusSeen.push_back(millisecondsSince(start));
    GODWIT_TRY(jobs.until([](const auto& event) { return event.type == kube::WatchEvent::Type::Deleted; }));
  }
  site.simulator->hold(false);
  addRow({"PATCH answered to mover Job seen, one at a time, p50", percentile(jobSeen, 0.5), "ms", 15});
  addRow({"  p99", percentile(jobSeen, 0.99), "ms", 40});
  addRow({"Job succeeded to status written, p50", percentile(statusSeen, 0.5), "ms"});
  addRow({"  p99", percentile(statusSeen, 0.99), "ms", 20});
  return {};
}

Result<void> measureBurst(Site& site) {
  const int count = scaled(200);
  GODWIT_ASSIGN(auto jobs, Follower::open(site.api(), r::kJobs));
  std::map<std::string, Duration> answered, seen;  // by the Job's name
  std::thread watcher([&] {
    (void)jobs.until([&](const auto& event) {
      if (added(event)) seen.emplace(text(event.object, "metadata", "name"), now());
      return static_cast<int>(seen.size()) == count;
    });
  });
  for (int i = 0; i < count; ++i) {
    if (const auto done = site.trigger(i, "burst"); !done) {
      watcher.join();
      return done;
    }
    answered["volsync-rsync-src-" + sourceKey(i).name] = now();
  }
  watcher.join();
  std::vector<double> samples;
  for (const auto& [name, at] : answered) {
    if (seen.contains(name)) samples.push_back(std::chrono::duration<double>(seen[name] - at).count());
  }
  addRow({fmt::format("same, burst of {}, p50", count), percentile(samples, 0.5), "s", 0.5});
  addRow({"  p99", percentile(samples, 0.99), "s", 1.2});
  return site.awaitSynced(r::kReplicationSources, count, "burst");
}

Result<void> measureRequests(Site& site, const std::string& copyMethod, double aim) {
  const int first = copyMethod == "Direct" ? 10000 : 11000, count = scaled(20);
  GODWIT_TRY(site.makeSources(first, count, copyMethod, "r0"));
  GODWIT_TRY(site.awaitSynced(r::kReplicationSources, count, "r0"));
  GODWIT_TRY(site.awaitNoJobs());
  std::this_thread::sleep_for(1s);  // what follows a Job's end has no event of its own
  GODWIT_ASSIGN(const auto before, site.godwit->requests());
  for (int i = first; i < first + count; ++i) {
    GODWIT_TRY(site.trigger(i, "r1" + copyMethod));
    GODWIT_TRY(site.awaitSynced(r::kReplicationSources, i - first + 1, "r1" + copyMethod));
  }
  GODWIT_TRY(site.awaitNoJobs());
  std::this_thread::sleep_for(1s);
  GODWIT_ASSIGN(const auto after, site.godwit->requests());
  const double each = static_cast<double>(apiserver::total(apiserver::since(before, after))) / count;
  std::string what;
  for (const auto& [request, times] : apiserver::since(before, after))
    what += fmt::format("{}{} {}", what.empty() ? "" : ", ", times, request);
  addRow({"API requests per iteration, " + copyMethod, each, "", aim, false,
          fmt::format("{} iterations: {}", count, what)});
  return {};
}

Result<void> measureThousand(Site& site) {
  const int sources = scaled(1000) - scaled(200), destinations = scaled(100) - scaled(50);
  const auto cpu = site.godwit->cpuTime(), server = site.server->cpuTime();
  GODWIT_TRY(site.makeSources(scaled(200), sources, "Direct", "burst"));
  GODWIT_TRY(site.makeDestinations(scaled(50) + 1, destinations - 1, "Snapshot", "0"));
  GODWIT_TRY(site.awaitSynced(r::kReplicationSources, sources, "burst"));
  GODWIT_TRY(site.awaitSynced(r::kReplicationDestinations, destinations - 1, "0"));
  GODWIT_TRY(site.awaitNoJobs());
  const double share = 1000 * scale() / (sources + destinations - 1);
  addRow({"CPU while 1,000 first syncs settle", seconds(site.godwit->cpuTime() - cpu) * share, "s", 3 * scale(), false,
          fmt::format("scaled from {} sources and {} destinations", sources, destinations - 1)});
  addRow({"  in API server and etcd", seconds(site.server->cpuTime() - server) * share, "s", 15 * scale(), false,
          "requests of users and simulator among them"});
  return {};
}

// How much of that is no operator's doing.
Result<void> measureBare(Site& site) {
  site.stopOperator();
  const auto server = site.server->cpuTime();
  const int count = scaled(400);
  GODWIT_TRY(site.bareSyncs(15000, count));
  addRow({"the same without an operator: API server and etcd",
          seconds(site.server->cpuTime() - server) * 1000 * scale() / count, "s", 0, false,
          fmt::format("scaled from {}", count)});
  for (int i = 15000; i < 15000 + count; ++i) GODWIT_TRY(site.api().remove(r::kReplicationSources, sourceKey(i), {}));
  return site.startOperator();
}

Result<void> measureRest(Site& site) {
  std::this_thread::sleep_for(65s);  // its housekeeping has run
  addRow({"resident memory, 1,000 sources + 100 destinations", mebibytes(site.godwit->residentKiB()), "MiB", 25});
  const auto idle = site.godwit->cpuTime();
  std::this_thread::sleep_for(60s);
  addRow({"idle CPU in 60 s, 1,000 objects", seconds(site.godwit->cpuTime() - idle), "s", 0.05});
  return {};
}

Result<void> measureRestart(Site& site) {
  site.stopOperator();
  GODWIT_TRY(site.startOperator());
  std::this_thread::sleep_for(10s);
  GODWIT_ASSIGN(const auto requests, site.godwit->requests());
  addRow({"restart over 1,000 settled objects, CPU", seconds(site.godwit->cpuTime()), "s", 0.2});
  addRow({"  requests", static_cast<double>(apiserver::total(requests)), "", 30});
  addRow({"  resident memory after", mebibytes(site.godwit->residentKiB()), "MiB", 25});
  return {};
}

Result<void> measureKills(Site& site) {
  const int count = scaled(200);
  const auto start = now();
  GODWIT_TRY(byUsers(count, [&](int i) { return site.trigger(i, "unharmed"); }));
  GODWIT_TRY(site.awaitSynced(r::kReplicationSources, count, "unharmed"));
  addRow({fmt::format("a burst of {}, from the first PATCH to all done", count), millisecondsSince(start) / 1000, "s"});
  std::vector<double> samples;
  for (int round = 0; round < 10; ++round) {
    const auto manual = fmt::format("kill-{}", round);
    (void)byUsers(count, [&](int i) { return site.trigger(i, manual); });
    GODWIT_TRY(site.server->kill());
    std::optional<Duration> serving;
    std::jthread probe([&](std::stop_token stop) {
      while (!stop.stop_requested() && !site.api().get(r::kReplicationSources, sourceKey(0)))
        std::this_thread::sleep_for(5ms);
      serving = now();
    });
    GODWIT_TRY(site.server->restart());
    GODWIT_TRY(site.awaitSynced(r::kReplicationSources, count, manual));
    const auto done = now();
    probe.join();
    samples.push_back(std::chrono::duration<double>(done - *serving).count());
    fmt::print(stderr, "killed {} times: all done after {:.2f} s\n", round + 1, samples.back());
  }
  addRow({"API server killed in it: from serving again to all done", median(samples), "s", 4});
  addRow({"  slowest of ten", *std::max_element(samples.begin(), samples.end()), "s", 4});
  addRow({"  the tenth", samples.back(), "s", 4});
  return {};
}

// Settled sources with a claim each, as a cluster that has run for long has them.
Result<void> measureLarge(Site& site) {
  const int count = scaled(9000);
  const auto small = site.godwit->residentKiB();
  GODWIT_TRY(site.makeSources(20000, 1, "Direct", "large"));
  GODWIT_TRY(site.awaitSynced(r::kReplicationSources, 1, "large"));
  GODWIT_ASSIGN(const auto model, site.api().get(r::kReplicationSources, sourceKey(20000)));
  site.stopOperator();
  for (int i = 1; i < count; ++i) {
    auto source = sourceOf(20000 + i, "Direct", "large");
    const auto key = sourceKey(20000 + i);
    source["spec"]["sourcePVC"] = key.name;
    if (i % 50 == 0) (void)site.api().create(r::kNamespaces, {{"metadata", {{"name", key.ns}}}});
    GODWIT_TRY(
        site.api().create(r::kPersistentVolumeClaims, {{"metadata", {{"namespace", key.ns}, {"name", key.name}}},
                                                       {"spec",
                                                        {{"accessModes", {"ReadWriteOnce"}},
                                                         {"storageClassName", "none"},
                                                         {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}}));
    GODWIT_TRY(site.api().create(r::kReplicationSources, source));
    GODWIT_TRY(site.api().patch(r::kReplicationSources, key, {{"status", model["status"]}}, kube::Subresource::Status));
  }
  GODWIT_TRY(site.startOperator());
  std::this_thread::sleep_for(90s);
  addRow({"10,000 sources: each one more", static_cast<double>(site.godwit->residentKiB() - small) / count, "KiB", 10});
  return {};
}

void measureSize() {
  struct stat file {};
  if (::stat(GODWIT_BINARY, &file) != 0) return;
  addRow(
      {"operator binary, as built", static_cast<double>(file.st_size) / (1 << 20), "MiB", 10, false, "not stripped"});
}

struct Measure {
  const char* name;
  Result<void> (*run)(Site&);
};
// In this order: later ones find the objects of those before.
constexpr Measure kMeasures[] = {
    {"keys", measureKeys},
    {"latency", measureOneAtATime},
    {"burst", measureBurst},
    {"requests",
     [](Site& site) -> Result<void> {
       GODWIT_TRY(measureRequests(site, "Direct", 7));
       return measureRequests(site, "Snapshot", 11);
     }},
    {"thousand", measureThousand},
    {"rest", measureRest},
    {"restart", measureRestart},
    {"bare", measureBare},
    {"large", measureLarge},
    {"kills", measureKills},
};

// `only` empty: all but large.
Result<void> measure(const std::set<std::string>& only) {
  const auto wanted = [&](const std::string& name) { return only.empty() ? name != "large" : only.contains(name); };
  GODWIT_ASSIGN(const auto site, Site::open());
  measureSize();
  if (wanted("start")) GODWIT_TRY(measureStart(*site));
  GODWIT_TRY(site->startOperator());
  GODWIT_TRY(site->makeSources(0, scaled(200), "Direct", "0"));
  GODWIT_TRY(site->awaitSynced(r::kReplicationSources, scaled(200), "0"));
  GODWIT_TRY(site->awaitNoJobs());
  for (const auto& each : kMeasures) {
    if (wanted(each.name)) GODWIT_TRY(each.run(*site));
  }
  return {};
}

}  // namespace
}  // namespace godwit::bench

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto done = godwit::bench::measure({argv + 1, argv + argc});
  godwit::bench::printTable();
  if (!done) fmt::print(stderr, "control-plane: {}\n", done.error().message);
  return done ? 0 : 1;
}
