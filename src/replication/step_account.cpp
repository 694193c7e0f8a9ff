// The mover's identity: the user's, who then says what it may do, or one that may do nothing but run movers.
#include "api/names.h"
#include "replication/act.h"
#include "replication/plan.h"

namespace godwit::replication {

namespace {

using kube::resources::kRoleBindings;
using kube::resources::kRoles;
using kube::resources::kServiceAccounts;

// Makes what `found` lacks; what is there must be ours.
template <class T>
Result<void> provide(Pass& pass, View<T>& view, const kube::ResourceType& type, typename View<T>::Ptr& found,
                     const Json& wanted) {
  if (found) return checkOwner(type, found->meta, pass.object);
  GODWIT_ASSIGN(const auto made, create(pass, view, type, wanted));
  found = made.object;
  return {};
}

// OpenShift lets a pod run as root only where its account may use constraints that allow it. Without privileges movers
// are within those that everybody may use.
Result<void> permit(Pass& pass) {
  const auto& constraints = pass.doors.config.securityConstraints;
  if (constraints.empty() || unprivileged(pass.world)) return {};
  auto& views = pass.doors.views;
  auto& role = pass.world.role;
  GODWIT_TRY(provide(pass, views.roles, kRoles, role, planRole(pass.object, constraints)));
  if (const Json change = rolePatch(*role, constraints); !change.empty()) {
    GODWIT_ASSIGN(role, patch(pass, views.roles, kRoles, role->meta.key(), change));
  }
  return provide(pass, views.roleBindings, kRoleBindings, pass.world.roleBinding, planRoleBinding(pass.object));
}

Result<void> own(Pass& pass) {
  GODWIT_TRY(provide(pass, pass.doors.views.accounts, kServiceAccounts, pass.world.account, planAccount(pass.object)));
  return permit(pass);
}

Result<void> users(Pass& pass, const std::string& name) {
  if (pass.world.job) return {};
  const auto stored = pass.doors.api.get(kServiceAccounts, {pass.object.meta.ns, name});
  if (stored.ok()) return {};
  if (!stored.is(Errc::NotFound)) return stored.error();
  return Error{Errc::NotFound, fmt::format("spec.rsync.moverServiceAccount: ServiceAccount {} not found; create it or "
                                           "leave the field out",
                                           name)};
}

}  // namespace

Outcome stepAccount(Pass& pass) {
  const auto& given = pass.object.spec.rsync->moverServiceAccount;
  const auto done = given ? users(pass, *given) : own(pass);
  return done.ok() ? Outcome(Done{}) : outcomeOf(done.error());
}

}  // namespace godwit::replication
