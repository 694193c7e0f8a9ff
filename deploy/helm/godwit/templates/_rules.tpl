{{/* What the operator may do in a namespace it serves. docs/permissions.md explains each; tests/deploy/rbac runs it with these. */}}
{{- define "godwit.rules" -}}
# The objects it serves: watched; read again after a conflict.
- apiGroups: [volsync.backube]
  resources: [replicationsources, replicationdestinations]
  verbs: [get, list, watch]
# Their status, and nothing else of them, is written.
- apiGroups: [volsync.backube]
  resources: [replicationsources/status, replicationdestinations/status]
  verbs: [patch]
# Children block the deletion of their owner, which the admission plugin OwnerReferencesPermissionEnforcement (always on in
# OpenShift) allows only to who may set the owner's finalizers.
- apiGroups: [volsync.backube]
  resources: [replicationsources/finalizers, replicationdestinations/finalizers]
  verbs: [update]
# The mover's Job: one an iteration; parallelism is patched for spec.paused; deleted when the iteration ends.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
# How a mover fares, and who else uses a volume under copyMethod Direct. Pods are made by the Job controller alone.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# The end of a mover's log goes to status.latestMoverStatus.
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
# Point-in-time copies and provisioned volumes. Users' volumes are read; patched are annotations only, for copy triggers.
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, create, patch, delete]
# Point-in-time snapshots and images; patched is the label that asks to keep one.
- apiGroups: [snapshot.storage.k8s.io]
  resources: [volumesnapshots]
  verbs: [get, list, watch, create, patch, delete]
# Where the other end connects; deleted when spec.rsync.address replaces it.
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch, delete]
# SSH keys: its own are made once, and patched when a field is missing or they are no pair any more; those that
# spec.rsync.sshKeys names are read. The owner's deletion removes them, not the operator.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch]
# The movers' identity, which may do nothing; the one that spec.rsync.moverServiceAccount names is read.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get, list, watch, create]
# What happened, told at the object; a repeated event is counted in place. Listed are those of a mover's Job that has no
# pod: nothing else tells what refuses it.
- apiGroups: [""]
  resources: [events]
  verbs: [list, create, patch]
{{- if include "godwit.openshift" . }}
# OpenShift: a mover's service account may use the SecurityContextConstraints of movers, by a Role in its namespace, which
# is patched when it names others. The owner's deletion removes both.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles]
  verbs: [get, list, watch, create, patch]
# A RoleBinding says who has the Role, and never changes.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [rolebindings]
  verbs: [get, list, watch, create]
# Nobody can give a permission that he does not have.
- apiGroups: [security.openshift.io]
  resources: [securitycontextconstraints]
  resourceNames: [{{ .Values.openshift.sccName }}]
  verbs: [use]
{{- end }}
{{- end -}}

{{/* What filling a claim from an image (dataSourceRef) needs of things that are in no namespace. */}}
{{- define "godwit.populatorRules" -}}
{{- if .Values.populator.enabled }}
# Whether a class waits for its first consumer; which one is the default.
- apiGroups: [storage.k8s.io]
  resources: [storageclasses]
  verbs: [get, list]
# The volume that was made from the image is handed to the claim by its claimRef.
- apiGroups: [""]
  resources: [persistentvolumes]
  verbs: [get, patch]
# Told once: who fills claims that name a ReplicationDestination.
- apiGroups: [populator.storage.k8s.io]
  resources: [volumepopulators]
  verbs: [create]
{{- end }}
{{- end -}}
