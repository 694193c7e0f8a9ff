# Sourced: how each program of a cluster is run. A function replaces the shell by its program. What it may use:
# `state` (a directory), the plan of addresses, and for the first two etcd_port, api_host and api_port.
# shellcheck shell=sh disable=SC2154

run_etcd() {
  # No fsync: a test's cluster need not survive the machine, and the disk is what etcd waits for otherwise.
  exec "$(tool etcd)" --name=test --data-dir="$state/etcd" --unsafe-no-fsync --log-level=warn \
    --listen-client-urls="http://127.0.0.1:$etcd_port" --advertise-client-urls="http://127.0.0.1:$etcd_port" \
    --listen-peer-urls=http://127.0.0.1:0 --initial-advertise-peer-urls=http://127.0.0.1:1 \
    --initial-cluster=test=http://127.0.0.1:1
}

run_kube_apiserver() {
  # Only a real node's address can be the endpoint of the Service `kubernetes`; loopback is refused there.
  # OwnerReferencesPermissionEnforcement: as OpenShift has it, so that the right to finalizers is asked for.
  reconciler=lease
  [ "$api_host" != 127.0.0.1 ] || reconciler=none
  exec "$(tool kube-apiserver)" --etcd-servers="http://127.0.0.1:$etcd_port" \
    --bind-address="$api_host" --advertise-address="$api_host" --secure-port="$api_port" \
    --endpoint-reconciler-type=$reconciler --service-cluster-ip-range="$service_cidr" \
    --client-ca-file="$state/pki/ca.crt" --tls-cert-file="$state/pki/server.crt" \
    --tls-private-key-file="$state/pki/server.key" --cert-dir="$state/pki" \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$state/pki/sa.pub" \
    --service-account-signing-key-file="$state/pki/sa.key" --authorization-mode=Node,RBAC \
    --enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement --allow-privileged=true \
    --kubelet-certificate-authority="$state/pki/ca.crt" --kubelet-client-certificate="$state/pki/admin.crt" \
    --kubelet-client-key="$state/pki/admin.key" --kubelet-preferred-address-types=InternalIP
}

run_kube_controller_manager() {
  exec "$(tool kube-controller-manager)" --kubeconfig="$state/admin.kubeconfig" --leader-elect=false \
    --secure-port=0 --root-ca-file="$state/pki/ca.crt" --service-account-private-key-file="$state/pki/sa.key" \
    --cluster-signing-cert-file="$state/pki/ca.crt" --cluster-signing-key-file="$state/pki/ca.key"
}

run_kube_scheduler() {
  exec "$(tool kube-scheduler)" --kubeconfig="$state/admin.kubeconfig" --leader-elect=false --secure-port=0
}

run_containerd() {
  # restrict_oom_score_adj: a machine without CAP_SYS_RESOURCE refuses the negative values asked for otherwise
  cat >"$state/containerd.toml" <<TOML
version = 2
root = "$state/containerd"
state = "/run/containerd"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "$(cat "$state/snapshotter")"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$bin"
    conf_dir = "$state/cni"
TOML
  # One veth per pod and routes, no bridge: traffic between pods then passes the node's rules like any other.
  mkdir -p "$state/cni"
  cat >"$state/cni/10-pods.conflist" <<JSON
{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "ptp", "ipam": {"type": "host-local",
  "dataDir": "/run/cni", "ranges": [[{"subnet": "$pod_cidr"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
JSON
  exec containerd --config "$state/containerd.toml"
}

run_kubelet() {
  echo "nameserver $node_ip" >"$state/resolv.conf"
  cat >"$state/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_ip
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $state/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $state/pki/kubelet.crt
tlsPrivateKeyFile: $state/pki/kubelet.key
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
failCgroupV1: false   # hosts with the first version of cgroups are fine for tests
failSwapOn: false
clusterDomain: cluster.local
clusterDNS: [$node_ip]
resolvConf: $state/resolv.conf
volumePluginDir: $state/flexvolume
evictionHard: {memory.available: 50Mi, nodefs.available: 200Mi, imagefs.available: 200Mi}
imageGCHighThresholdPercent: 100
serializeImagePulls: false
YAML
  exec "$(tool kubelet)" --config="$state/kubelet.yaml" --kubeconfig="$state/kubelet.kubeconfig" \
    --hostname-override="$node" --node-ip="$node_ip" --v=1
}

run_kube_proxy() {
  cat >"$state/kube-proxy.yaml.new" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clientConnection: {kubeconfig: $state/admin.kubeconfig}
hostnameOverride: $node
clusterCIDR: $pod_cidr
nodePortAddresses: [$node_ip/32]
conntrack: {maxPerCore: 0}   # else it sets the size of the host's table
iptables: {localhostNodePorts: false, minSyncPeriod: 0.1s}
YAML
  # kube-proxy ends when it sees its file change, so a restart must not write it while an old one still runs
  mv "$state/kube-proxy.yaml.new" "$state/kube-proxy.yaml"
  exec "$(tool kube-proxy)" --config="$state/kube-proxy.yaml"
}

run_coredns() {
  cat >"$state/Corefile" <<CONF
cluster.local:53 in-addr.arpa:53 {
  bind $node_ip
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $state/admin.kubeconfig
    ttl 1
  }
}
CONF
  exec "$(tool coredns)" -conf "$state/Corefile"
}

csi_socket=/var/lib/kubelet/plugins/disk.godwit.test/csi.sock

run_csi_driver() {
  exec "$(tool csi-driver)" -socket "$csi_socket" -node "$node" -directory "$state/volumes" \
    -registry /var/lib/kubelet/plugins_registry
}

run_csi_provisioner() {
  exec "$(tool csi-provisioner)" --kubeconfig="$state/admin.kubeconfig" --csi-address="$csi_socket" \
    --feature-gates=Topology=false --extra-create-metadata
}

run_csi_snapshotter() {
  exec "$(tool csi-snapshotter)" --kubeconfig="$state/admin.kubeconfig" --csi-address="$csi_socket" \
    --extra-create-metadata
}

run_snapshot_controller() {
  exec "$(tool snapshot-controller)" --kubeconfig="$state/admin.kubeconfig"
}
