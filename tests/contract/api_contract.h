// What every implementation of kube::Api must do. The suite knows nothing of what is behind the door: each test works
// in a namespace of its own, waits for events instead of sleeping, and leaves other objects alone, so that it can run
// against the store in memory as well as against a real kube-apiserver that others use.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "kube/api.h"

namespace godwit::contract {

// An Api together with what a test may need to know of its server.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual kube::Api& api() = 0;
  // A resourceVersion the server had once and has forgotten. Empty: this server cannot be made to forget.
  virtual std::string forgottenVersion() = 0;
  // Gives background work (garbage collection) a push, where nobody else does it.
  virtual void settle() {}
};

struct SubjectKind {
  std::string name;
  std::function<std::unique_ptr<Subject>()> make;
};

class ApiContract : public ::testing::TestWithParam<SubjectKind> {
 protected:
  void SetUp() override;
  void TearDown() override;

  kube::NamespacedName key(const std::string& name) const { return {ns, name}; }
  Json configMap(const std::string& name, Json extra = Json::object()) const;
  // Creates and expects success.
  Json make(const kube::ResourceType& type, const Json& object);
  Json makeConfigMap(const std::string& name, Json extra = Json::object());
  std::string currentVersion();  // of the list of ConfigMaps

  std::unique_ptr<kube::Watch> watchFrom(const std::string& version, const std::string& labels = {});
  // The next event that is no bookmark, or a failure of the test.
  kube::WatchEvent nextEvent(kube::Watch& watch);
  // "Added a", "Modified b", ...
  std::string nextText(kube::Watch& watch);
  // Until the object is gone; false after a generous time. Must be called with a live object or after its end.
  bool awaitEnd(const kube::ResourceType& type, const std::string& name);

  std::unique_ptr<Subject> subject;
  kube::Api* api = nullptr;
  std::string ns;
};

Json ownerReference(const Json& owner, bool block = false);
std::string versionOf(const Json& object);
Json labels(Json values);                      // {"metadata": {"labels": values}}
Json finalizers(Json names);                   // {"metadata": {"finalizers": names}}
Json lockedBy(const Json& seen, Json change);  // `change` that only applies to the version seen

}  // namespace godwit::contract
