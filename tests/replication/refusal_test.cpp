// What is wrong is said in the condition, with the field and the remedy, and heals once the cause is gone.
#include "replication/mini_world.h"

namespace godwit::replication {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class Refusal : public MiniWorld {
 protected:
  void expectSourceError(const std::string& part) {
    settle();
    EXPECT_THAT(synchronizing(source()), AllOf(StartsWith("False Error "), HasSubstr(part)));
    EXPECT_THAT(reconciled(source()), AllOf(StartsWith("False ReconcileError "), HasSubstr(part)));
  }
};

TEST_F(Refusal, AMissingSourceVolumeAndItsCure) {
  makeKeys(Role::Source, "keys");
  makeSource({{"copyMethod", "Clone"}}, kManual);
  expectSourceError("spec.sourcePVC: PersistentVolumeClaim data not found");
  makePvc("data");
  settle();
  EXPECT_THAT(synchronizing(source()), StartsWith("True SyncInProgress"));
}

TEST_F(Refusal, AMissingSecretAndItsCure) {
  makePvc("data");
  makeSource({{"copyMethod", "Direct"}}, kManual);
  expectSourceError("spec.rsync.sshKeys: Secret keys not found");
  makeKeys(Role::Source, "keys");
  advance(5min);
  EXPECT_THAT(synchronizing(source()), StartsWith("True SyncInProgress"));
}

TEST_F(Refusal, AMoverWhosePodMayNotBeMade) {
  startSource("Direct");
  const auto job = get(kinds::kJobs, "volsync-rsync-src-s");
  const auto refused = [&](const char* name, const char* at, const char* why) {
    put(kinds::kEvents,
        {{"metadata", {{"name", name}}},
         {"involvedObject", {{"kind", "Job"}, {"name", "volsync-rsync-src-s"}, {"uid", text(job, "metadata", "uid")}}},
         {"reason", "FailedCreate"},
         {"lastTimestamp", at},
         {"message", fmt::format("Error creating: pods \"volsync-rsync-src-s-{}\" is forbidden: {}", name, why)}});
  };
  refused("new", "2021-01-14T19:00:12Z", "violates PodSecurity \"restricted:latest\"");
  refused("old", "2021-01-14T19:00:02Z", "exceeded quota");
  advance(9s);
  EXPECT_EQ(synchronizing(source()), "True SyncInProgress Synchronization in-progress");
  advance(1s);
  EXPECT_EQ(synchronizing(source()),
            "True SyncInProgress Synchronization in-progress; no pod could be made for Job "
            "volsync-rsync-src-s yet: violates PodSecurity \"restricted:latest\"");
  EXPECT_THAT(events(), Contains("MoverPodNotCreated"));
  endMover(Role::Source, true, resultMessage(true));
  settle();
  EXPECT_EQ(source().status.lastManualSync, "one");
  EXPECT_EQ(synchronizing(source()), "False WaitingForManual Waiting for manual trigger");
}

TEST_F(Refusal, AMoverThatWaitsIsToldInTheConditionAndByAnEvent) {
  startSource("Direct");
  const auto pod = makePod(get(kinds::kJobs, "volsync-rsync-src-s"));
  const auto waits = [&](const Json& why) {
    edit(kinds::kPods, pod,
         {{"status",
           {{"phase", "Pending"},
            {"containerStatuses", Json::array({{{"name", "rsync"}, {"state", {{"waiting", why}}}}})}}}},
         kube::Subresource::Status);
    settle();
  };
  waits({{"reason", "ContainerCreating"}});
  advance(119s);
  EXPECT_EQ(synchronizing(source()), "True SyncInProgress Synchronization in-progress");
  EXPECT_THAT(events(), Not(Contains("MoverPodWaiting")));
  advance(1s);
  EXPECT_THAT(synchronizing(source()),
              HasSubstr(fmt::format("; mover {}: still being created; kubectl describe pod", pod)));
  EXPECT_THAT(events(), Contains("MoverPodWaiting"));
  waits({{"reason", "ImagePullBackOff"}, {"message", "no such image"}});
  EXPECT_THAT(synchronizing(source()), HasSubstr(fmt::format("; mover {}: ImagePullBackOff: no such image", pod)));
}

TEST_F(Refusal, AVolumeThatIsNeverBoundIsToldBesideThePodThatWaitsForIt) {
  storageRespond = false;
  startSource("Clone");
  const auto pod = makePod(get(kinds::kJobs, "volsync-rsync-src-s"));
  const Json unschedulable = {{"type", "PodScheduled"},
                              {"status", "False"},
                              {"reason", "Unschedulable"},
                              {"message", "pod has unbound immediate PersistentVolumeClaims"}};
  edit(kinds::kPods, pod, {{"status", {{"phase", "Pending"}, {"conditions", Json::array({unschedulable})}}}},
       kube::Subresource::Status);
  settle();
  advance(2min);
  EXPECT_THAT(
      synchronizing(source()),
      AllOf(HasSubstr("waiting for PersistentVolumeClaim volsync-s-src to bind; check capacity and storage class"),
            HasSubstr("; mover " + pod + ": pod has unbound immediate PersistentVolumeClaims")));
  EXPECT_THAT(events(), AllOf(Contains("PersistentVolumeClaimNotBound"), Contains("MoverPodWaiting")));
}

TEST_F(Refusal, AMoverOfADeletedNamesakeIsAwaited) {
  startSource("Direct");
  const auto job = get(kinds::kJobs, "volsync-rsync-src-s");
  const auto pod = makePod(job);
  const Json held = {{"metadata", {{"finalizers", {"test/held"}}}}}, free = {{"metadata", {{"finalizers", nullptr}}}};
  edit(kinds::kJobs, "volsync-rsync-src-s", held);
  edit(kinds::kPods, pod, held);
  ASSERT_TRUE(store->remove(kinds::kReplicationSources, {"ns", "s"}, {}).ok());
  makeSource({{"copyMethod", "Direct"}}, kManual);
  settle();
  EXPECT_THAT(synchronizing(source()), AllOf(StartsWith("False Error Job"),
                                             HasSubstr("still belongs to an earlier ReplicationSource of this name")));
  EXPECT_THAT(events(), Contains("ReconcileError"));
  edit(kinds::kJobs, "volsync-rsync-src-s", free);
  advance(10min);
  EXPECT_THAT(synchronizing(source()), HasSubstr("; waiting for the previous mover " + pod + " to end"));
  advance(10s);
  EXPECT_THAT(events(), Contains("PreviousMoverRuns"));
  edit(kinds::kPods, pod, free);
  advance(10min);
  EXPECT_EQ(synchronizing(source()), "True SyncInProgress Synchronization in-progress");
  EXPECT_NE(text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid"), text(job, "metadata", "uid"));
}

TEST_F(Refusal, ASnapshotThatIsNeverReadyIsToldInTheCondition) {
  storageRespond = false;
  startSource("Snapshot");
  advance(1h);
  EXPECT_THAT(synchronizing(source()), HasSubstr("; waiting for VolumeSnapshot volsync-s-src; check"));
  EXPECT_THAT(events(), Contains("VolumeSnapshotNotBound"));
}

// Without the right to write the status nothing can be said there.
TEST_F(Refusal, AStatusThatMayNotBeWritten) {
  makePvc("data");
  makeKeys(Role::Source, "keys");
  faulty->forbidden = {"patch replicationsources/status"};
  makeSource({{"copyMethod", "Direct"}}, kManual);
  settle();
  EXPECT_THAT(events(), Contains("ReconcileError"));
  EXPECT_THAT(names(kinds::kJobs), IsEmpty());
  faulty->forbidden.clear();
  advance(10min);
  EXPECT_THAT(synchronizing(source()), StartsWith("True SyncInProgress"));
}

TEST_F(Refusal, ALogThatMayNotBeRead) {
  startSource("Direct");
  faulty->forbidden = {"get pods/log"};
  endMover(Role::Source, false);
  settle();
  ASSERT_TRUE(source().status.latestMoverStatus);
  EXPECT_THAT(source().status.latestMoverStatus->logs,
              HasSubstr("its log cannot be read: pods/log is forbidden: cannot get resource"));
}

TEST_F(Refusal, EventsThatMayNotBeRead) {
  startSource("Direct");
  faulty->unreadable = {{"events", "ns"}};
  advance(10s);
  EXPECT_THAT(synchronizing(source()),
              HasSubstr("no pod could be made for Job volsync-rsync-src-s yet: the events that "
                        "tell why cannot be read: events is forbidden"));
}

TEST_F(Refusal, KeysAreReadOncePerMoverThatWorksAndAgainForOneThatDoesNotStart) {
  startSource("Direct");
  endMover(Role::Source, true, resultMessage(true));
  settle();
  counted->requests.clear();
  edit(kinds::kReplicationSources, "s", {{"spec", {{"trigger", {{"manual", "two"}}}}}});
  settle();
  EXPECT_THAT(counted->requests, Not(Contains("get secrets")));
  ASSERT_TRUE(store->remove(kinds::kSecrets, {"ns", "keys"}, {}).ok());
  const auto job = get(kinds::kJobs, "volsync-rsync-src-s");
  Json pod = {{"metadata",
               {{"name", "waiting"},
                {"labels", *find(job, "spec", "template", "metadata", "labels")},
                {"ownerReferences", Json::array({{{"apiVersion", "batch/v1"},
                                                  {"kind", "Job"},
                                                  {"name", "volsync-rsync-src-s"},
                                                  {"uid", text(job, "metadata", "uid")},
                                                  {"controller", true}}})}}},
              {"spec", *find(job, "spec", "template", "spec")}};
  put(kinds::kPods, pod);
  edit(kinds::kPods, "waiting", {{"status", {{"phase", "Pending"}}}}, kube::Subresource::Status);
  settle();
  EXPECT_THAT(synchronizing(source()), StartsWith("True SyncInProgress"));
  advance(31s);
  expectSourceError("spec.rsync.sshKeys: Secret keys not found");
  makeKeys(Role::Source, "keys");
  advance(16s);
  EXPECT_THAT(synchronizing(source()), StartsWith("True SyncInProgress"));
}

TEST_F(Refusal, ASecretOfTheWrongSide) {
  makePvc("data");
  makeKeys(Role::Destination, "keys");
  makeSource({{"copyMethod", "Direct"}}, kManual);
  expectSourceError("Secret keys: field source is missing");
}

TEST_F(Refusal, ABadSchedule) {
  makePvc("data");
  makeSource({{"copyMethod", "Direct"}}, {{"trigger", {{"schedule", "every tuesday"}}}});
  expectSourceError("spec.trigger.schedule");
}

TEST_F(Refusal, ASourceWithoutAnAddressPublishesItsOwnAndSaysSo) {
  makePvc("data");
  makeSource({{"copyMethod", "Clone"}, {"address", nullptr}, {"sshKeys", nullptr}}, kManual);
  expectSourceError("no address");
  EXPECT_EQ(source().status.rsync->sshKeys, "volsync-rsync-src-dest-s");
  EXPECT_THAT(names(kinds::kServices), Contains("volsync-rsync-src-s"));
  EXPECT_THAT(names(kinds::kJobs), IsEmpty());
  EXPECT_THAT(names(kinds::kPersistentVolumeClaims), testing::ElementsAre("data")) << "nothing is copied for nobody";
}

TEST_F(Refusal, AChildThatBelongsToSomebodyElse) {
  const Json owner = {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", "other"}, {"controller", true}};
  put(kinds::kConfigMaps, {{"metadata", {{"name", "other"}}}});
  Json reference = owner;
  reference["uid"] = text(get(kinds::kConfigMaps, "other"), "metadata", "uid");
  makePvc("data");
  makeKeys(Role::Source, "keys");
  put(kinds::kJobs,
      {{"metadata", {{"name", "volsync-rsync-src-s"}, {"ownerReferences", Json::array({reference})}}},
       {"spec",
        {{"template",
          {{"spec", {{"restartPolicy", "Never"}, {"containers", Json::array({{{"name", "c"}, {"image", "i"}}})}}}}}}}});
  makeSource({{"copyMethod", "Direct"}}, kManual);
  expectSourceError("Job volsync-rsync-src-s is in the way: it belongs to ConfigMap other");
}

TEST_F(Refusal, WhatVolSyncIgnoredNeedsConsent) {
  makePvc("data");
  makeKeys(Role::Source, "keys");
  makeSource({{"copyMethod", "Direct"}, {"path", "/sub"}}, {{"trigger", {{"manual", "two"}}}});
  edit(kinds::kReplicationSources, "s",
       {{"status", {{"lastSyncTime", "2021-01-14T18:00:00Z"}, {"lastManualSync", "one"}}}}, kube::Subresource::Status);
  settle();
  EXPECT_THAT(synchronizing(source()), AllOf(StartsWith("False Error spec.rsync.path was ignored by VolSync"),
                                             HasSubstr("godwit/accept-path-and-user")));
  EXPECT_THAT(names(kinds::kJobs), IsEmpty());
  start();
  settle();
  EXPECT_THAT(synchronizing(source()), StartsWith("False Error"));
  edit(kinds::kReplicationSources, "s", {{"metadata", {{"annotations", {{"godwit/accept-path-and-user", ""}}}}}});
  settle();
  EXPECT_THAT(synchronizing(source()), StartsWith("True SyncInProgress"));
}

TEST_F(Refusal, ForeignMoversAreNamedOrIgnored) {
  put(kinds::kReplicationSources,
      {{"metadata", {{"name", "s"}}}, {"spec", {{"sourcePVC", "data"}, {"restic", {{"repository", "r"}}}}}});
  config.foreignMovers = ControllerConfig::ForeignMovers::Ignore;
  settle();
  EXPECT_EQ(synchronizing(source()), "absent");
  config.foreignMovers = ControllerConfig::ForeignMovers::Report;
  start();
  expectSourceError("restic");
  EXPECT_THAT(events(), Contains("ReconcileError"));
  makePvc("data");
  makeKeys(Role::Source, "keys");
  edit(kinds::kReplicationSources, "s",
       {{"spec", {{"restic", nullptr}, {"rsync", {{"copyMethod", "Direct"}, {"address", "a"}, {"sshKeys", "keys"}}}}}});
  settle();
  EXPECT_THAT(synchronizing(source()), StartsWith("True SyncInProgress"));
}

TEST_F(Refusal, AnotherControllersConditionStays) {
  put(kinds::kReplicationSources,
      {{"metadata", {{"name", "s"}}}, {"spec", {{"sourcePVC", "data"}, {"restic", {{"repository", "r"}}}}}});
  const Json theirs = {{"type", "Synchronizing"},
                       {"status", "True"},
                       {"reason", "SyncInProgress"},
                       {"message", "theirs"},
                       {"lastTransitionTime", "2021-01-14T18:00:00Z"}};
  edit(kinds::kReplicationSources, "s", {{"status", {{"conditions", Json::array({theirs})}}}},
       kube::Subresource::Status);
  settle();
  EXPECT_EQ(synchronizing(source()), "True SyncInProgress theirs");
}

// Without a method of ours or with several the object is VolSync's to judge, where VolSync still serves.
TEST_F(Refusal, NoneOrSeveralMoversAreIgnoredWhereAnotherControllerServes) {
  config.foreignMovers = ControllerConfig::ForeignMovers::Ignore;
  for (const Json& spec :
       {Json{{"sourcePVC", "data"}},
        Json{{"sourcePVC", "data"}, {"rsync", {{"copyMethod", "Direct"}}}, {"rclone", Json::object()}},
        Json{{"sourcePVC", "data"}, {"rsync", {{"copyMethod", "Direct"}}}, {"external", Json::object()}}}) {
    put(kinds::kReplicationSources, {{"metadata", {{"name", "s"}}}, {"spec", spec}});
    settle();
    EXPECT_EQ(synchronizing(source()), "absent") << spec.dump();
    ASSERT_TRUE(store->remove(kinds::kReplicationSources, {"ns", "s"}, {}).ok());
  }
}

TEST_F(Refusal, AnotherControllersConditionStaysWhereNoMoverIsSelected) {
  put(kinds::kReplicationSources, {{"metadata", {{"name", "s"}}}, {"spec", {{"sourcePVC", "data"}}}});
  const Json theirs = {{"type", "Synchronizing"},
                       {"status", "False"},
                       {"reason", "Error"},
                       {"message", "theirs"},
                       {"lastTransitionTime", "2021-01-14T18:00:00Z"}};
  edit(kinds::kReplicationSources, "s", {{"status", {{"conditions", Json::array({theirs})}}}},
       kube::Subresource::Status);
  settle();
  EXPECT_EQ(synchronizing(source()), "False Error theirs");
}

// Ours once, theirs now.
TEST_F(Refusal, AConditionThatAnotherControllerTookOverStays) {
  startSource("Direct");
  edit(kinds::kReplicationSources, "s", {{"spec", {{"rsync", nullptr}, {"restic", {{"repository", "r"}}}}}});
  expectSourceError("restic");
  EXPECT_THAT(metrics.render(), HasSubstr("obj_name=\"s\""));
  Json conditions = *find(get(kinds::kReplicationSources, "s"), "status", "conditions");
  for (auto& condition : conditions) {
    if (text(condition, "type") != "Synchronizing") continue;
    condition["status"] = "True";
    condition["reason"] = "SyncInProgress";
    condition["message"] = "theirs";
    condition.erase("observedGeneration");
  }
  edit(kinds::kReplicationSources, "s", {{"status", {{"conditions", conditions}}}}, kube::Subresource::Status);
  settle();
  EXPECT_EQ(synchronizing(source()), "True SyncInProgress theirs");
  EXPECT_THAT(metrics.render(), Not(HasSubstr("obj_name=\"s\"")));  // its gauge would alarm for ever
}

TEST_F(Refusal, ExternalObjectsAreLeftAlone) {
  put(kinds::kReplicationSources, {{"metadata", {{"name", "s"}}}, {"spec", {{"external", {{"provider", "x/y"}}}}}});
  settle();
  EXPECT_EQ(find(get(kinds::kReplicationSources, "s"), "status"), nullptr);
}

TEST_F(Refusal, ALoadBalancerWithoutAProvider) {
  makeDestination({{"serviceType", "LoadBalancer"}}, kManual);
  settle();
  advance(15s);
  EXPECT_THAT(events(), Contains("NoServiceAddressAssigned"));
  EXPECT_THAT(synchronizing(destination()), HasSubstr("has no address yet"));
  EXPECT_THAT(names(kinds::kJobs), IsEmpty());
  edit(kinds::kServices, "volsync-rsync-dst-d",
       {{"status", {{"loadBalancer", {{"ingress", Json::array({{{"hostname", "lb.example"}}})}}}}}},
       kube::Subresource::Status);
  settle();
  EXPECT_EQ(destination().status.rsync->address, "lb.example");
  EXPECT_THAT(events(), Contains("ServiceAddressAssigned"));
}

static const Json kPortTaken = {
    {"metadata", {{"annotations", {{"godwit/port", "31022"}, {"godwit/address-message", "port 22 is held by sshd"}}}}}};

TEST_F(Refusal, AnotherPortThanAskedForIsPublishedWithItsReason) {
  makeDestination({{"serviceType", "LoadBalancer"}}, kManual);
  settle();
  edit(kinds::kServices, "volsync-rsync-dst-d", kPortTaken);
  edit(kinds::kServices, "volsync-rsync-dst-d",
       {{"status", {{"loadBalancer", {{"ingress", Json::array({{{"ip", "192.0.2.7"}}})}}}}}},
       kube::Subresource::Status);
  settle();
  EXPECT_EQ(destination().status.rsync->port, 31022);
  EXPECT_THAT(synchronizing(destination()), HasSubstr("port 22 is held by sshd"));
}

// The documentation has people copy it to the source.
TEST_F(Refusal, APortThatASourceMustNameIsPublishedAlsoWhenItIsTheOneAskedFor) {
  makeDestination({{"serviceType", "LoadBalancer"}, {"port", 8522}}, kManual);
  settle();
  edit(kinds::kServices, "volsync-rsync-dst-d", {{"metadata", {{"annotations", {{"godwit/port", "8522"}}}}}});
  edit(kinds::kServices, "volsync-rsync-dst-d",
       {{"status", {{"loadBalancer", {{"ingress", Json::array({{{"ip", "192.0.2.7"}}})}}}}}},
       kube::Subresource::Status);
  settle();
  EXPECT_EQ(destination().status.rsync->port, 8522);
}

TEST_F(Refusal, WhereAClusterAddressIsListenedForIsNobodysBusiness) {
  makeDestination({}, kManual);
  settle();
  edit(kinds::kServices, "volsync-rsync-dst-d", kPortTaken);
  settle();
  EXPECT_FALSE(destination().status.rsync->port);
}

}  // namespace
}  // namespace godwit::replication
