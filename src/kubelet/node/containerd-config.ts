/** The configuration of a node's own containerd (1.6 and later of version 1, config version 2). */
export interface ContainerdConfig {
  readonly rootDirectory: string;
  /** On a tmpfs; short, since it holds Unix sockets. */
  readonly stateDirectory: string;
  readonly socketPath: string;
  readonly sandboxImage: string;
  readonly cniBinDirectory: string;
  readonly cniConfDirectory: string;
  /** Where exec, attach and port-forward streams are served; the kubelet must reach it. */
  readonly streamAddress: string;
  /** `hosts.toml` files of registries. */
  readonly registryDirectory: string;
  readonly snapshotter: "overlayfs" | "native";
  readonly systemdCgroup: boolean;
  /** Without CAP_SYS_RESOURCE negative OOM scores cannot be set, and every sandbox would fail. */
  readonly restrictOomScoreAdj: boolean;
}

const disabledPlugins = [
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.restart",
];

export function containerdToml(config: ContainerdConfig): string {
  const cri = `plugins."io.containerd.grpc.v1.cri"`;
  const runc = `${cri}.containerd.runtimes.runc`;
  // The handler that the conformance tests of RuntimeClass expect every node to have.
  const testHandler = `${cri}.containerd.runtimes.test-handler`;
  return `version = 2
root = ${quote(config.rootDirectory)}
state = ${quote(config.stateDirectory)}
disabled_plugins = [${disabledPlugins.map(quote).join(", ")}]

[grpc]
  address = ${quote(config.socketPath)}

[plugins."io.containerd.internal.v1.opt"]
  path = ${quote(`${config.rootDirectory}/opt`)}

[${cri}]
  sandbox_image = ${quote(config.sandboxImage)}
  restrict_oom_score_adj = ${config.restrictOomScoreAdj}
  netns_mounts_under_state_dir = true
  stream_server_address = ${quote(config.streamAddress)}
  stream_server_port = "0"
  tolerate_missing_hugetlb_controller = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true

[${cri}.cni]
  bin_dir = ${quote(config.cniBinDirectory)}
  conf_dir = ${quote(config.cniConfDirectory)}

[${cri}.registry]
  config_path = ${quote(config.registryDirectory)}

[${cri}.containerd]
  snapshotter = ${quote(config.snapshotter)}
  default_runtime_name = "runc"

[${runc}]
  runtime_type = "io.containerd.runc.v2"

[${runc}.options]
  SystemdCgroup = ${config.systemdCgroup}

[${testHandler}]
  runtime_type = "io.containerd.runc.v2"

[${testHandler}.options]
  SystemdCgroup = ${config.systemdCgroup}
`;
}

/** A TOML basic string; JSON's escapes are a subset. */
function quote(text: string): string {
  return JSON.stringify(text);
}
