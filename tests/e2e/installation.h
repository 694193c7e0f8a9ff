// A real `godwit standalone` on a directory of its own, its API, and the processes it has started.
#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/process.h"
#include "kube/api.h"

namespace godwit::e2e {

class Installation {
 public:
  Installation();   // a fresh directory; nothing runs yet
  ~Installation();  // ends what it started; the directory stays when the test has failed

  std::string at(const std::string& name) const { return root_ + "/" + name; }
  std::string log() const;

  // Before start(): the machine has no bubblewrap that works; Godwit runs as this user (false: that cannot be here).
  void breakBubblewrap();
  bool runAs(unsigned uid);

  void start();  // returns when the API answers
  int stop();    // SIGTERM; the exit code
  void kill();   // SIGKILL, and waits
  bool running() const { return process_.has_value(); }
  pid_t pid() const { return process_ ? process_->pid() : 0; }
  RunOutput godwit(std::vector<std::string> arguments,
                   std::string_view input = {}) const;  // the command, with our kubeconfig
  // A second `godwit standalone` beside this one, to its end.
  RunOutput standalone(std::vector<std::string> arguments) const;

  kube::Api& api() { return *api_; }
  void apply(const std::string& yaml);                                                       // as `godwit apply -f -`
  void hostVolume(const std::string& ns, const std::string& claim, const std::string& dir);  // PV with hostPath + PVC
  std::string poolVolume(const std::string& ns,
                         const std::string& claim);  // a claim of class my-sc; where its files lie
  using Condition = std::function<bool(const Json&)>;
  // Waits by watch until the object fulfils the condition; null and a failure of the test after `most`.
  Json until(const kube::ResourceType& type, const kube::NamespacedName& key, const Condition& condition,
             Duration most = std::chrono::seconds(60));
  // Waits until the image link exists and points to something that does.
  void untilLink(const std::string& link) const;
  // Waits until there is no object of the kind, of that name's beginning, that Godwit made (seeded ones do not count).
  void untilNone(const kube::ResourceType& type, const std::string& prefix = "");
  // Processes below ours whose command line contains every word.
  std::vector<pid_t> children(const std::vector<std::string>& words) const;
  void end(pid_t child) const;  // SIGKILL, if it is still one of them

 private:
  ProcessSpec spec(std::vector<std::string> arguments) const;
  std::vector<std::string> wrapper_;  // what the binary is started with
  std::string path_;                  // put before PATH
  std::string root_ = "/tmp/godwit-e2e-XXXXXX";
  std::optional<Process> process_;
  std::unique_ptr<kube::Api> api_;
  SystemClock clock_;
};

// The message of a condition, empty when there is none.
std::string conditionMessage(const Json& object, const char* type);

// Everything a volume can hold that a careless copy loses; what needs root is left out for ordinary users.
void makeNastyTree(const std::string& dir);
// What `rsync -anAHXSc --delete --itemize-changes --exclude=/lost+found` prints: nothing when they are equal.
std::string difference(const std::string& from, const std::string& to);

}  // namespace godwit::e2e
