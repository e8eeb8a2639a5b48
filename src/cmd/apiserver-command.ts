import { type Command, Option } from "commander";
import { durationMs } from "#apimachinery/go-duration.ts";
import { Lifetime } from "#base/lifetime.ts";
import { hostAddresses } from "#base/os/host.ts";
import { type CommandContext, dataDirectoryDefault, listOption, pathOption, verbosityOf } from "./command.ts";
import { addEncryptionOptions, type EncryptionCliOptions, encryptionFlags } from "./encryption-flags.ts";
import { addRequestOptions, type RequestCliOptions, requestFlags } from "./request-flags.ts";
import { type EtcdFlags, hostOf, startServer } from "./server.ts";
import type { World } from "#base/world.ts";

interface ApiServerCliOptions extends EncryptionCliOptions, RequestCliOptions {
  readonly dataDir: string;
  readonly bindAddress: string;
  readonly advertiseAddress?: string;
  readonly peerAdvertiseIp?: string;
  readonly peerAdvertisePort?: string;
  readonly securePort: string;
  readonly tokenAuthFile?: string;
  readonly anonymousAuth: string;
  readonly disableAdmissionPlugins?: readonly string[];
  readonly enableAdmissionPlugins?: readonly string[];
  readonly admissionControlConfigFile?: string;
  readonly serviceClusterIpRange: string;
  readonly etcdCompactionInterval: string;
  readonly eventTtl: string;
  readonly endpointReconcilerType: "lease" | "none";
  readonly shutdownDelayDuration: string;
  readonly featureGates?: string;
  readonly runtimeConfig?: string;
  readonly allowPrivileged?: boolean | string;
  readonly storage: "durable" | "memory";
  readonly etcdServers?: readonly string[];
  readonly etcdCafile?: string;
  readonly etcdCertfile?: string;
  readonly etcdKeyfile?: string;
  readonly v?: string;
}

/** `kubets apiserver`: the API server alone, with upstream's flag names. */
export function addApiServerCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("apiserver")
    .description("runs the API server alone, on the embedded store")
    .option("--data-dir <path>", "store, certificates and kubeconfig", pathOption, dataDirectoryDefault)
    .option("--bind-address <address>", "address to listen on", "0.0.0.0")
    .option("--advertise-address <address>", "address that clients and the kubernetes Service use")
    .option("--peer-advertise-ip <address>", "address where other API servers reach this one")
    .option("--peer-advertise-port <port>", "port of that address")
    .option("--secure-port <port>", "HTTPS port; 0 for any free one", "6443")
    .option("--token-auth-file <file>", "CSV of static tokens: token,user,uid,groups")
    .option("--anonymous-auth <bool>", "whether requests without credentials are anonymous", "true")
    .option("--disable-admission-plugins <names>", "admission plugins to leave out", listOption)
    .option("--enable-admission-plugins <names>", "admission plugins to add", listOption)
    .option("--admission-control-config-file <file>", "what plugins are told: an AdmissionConfiguration", pathOption)
    .option("--service-cluster-ip-range <cidr>", "range of Service addresses", "10.96.0.0/12")
    .option("--feature-gates <gates>", "A=true,B=false")
    .option("--runtime-config <versions>", "versions to serve or not: api/all=true,GROUP/VERSION=true,GROUP/VERSION/RESOURCE=false")
    .option("--allow-privileged [bool]", "whether containers may be privileged", "false")
    .option("--storage <kind>", "durable, or memory to forget everything at the end", "durable")
    .option("--shutdown-delay-duration <duration>", "how long to serve on, not ready, after the signal to stop", "0s")
    .option("--etcd-compaction-interval <duration>", "how long history is kept at least; 0 for ever", "5m")
    .option("--event-ttl <duration>", "how long Events are kept", "1h")
    .addOption(
      new Option("--endpoint-reconciler-type <type>", "lease: the kubernetes Service lists the API servers that live")
        .choices(["lease", "none"])
        .default("lease"),
    )
    .option("--etcd-servers <urls>", "an etcd cluster instead of the embedded store", listOption)
    .option("--etcd-cafile <file>", "CA of etcd's certificates")
    .option("--etcd-certfile <file>", "client certificate for etcd")
    .option("--etcd-keyfile <file>", "its key")
    .option("-v, --v <level>", "log verbosity")
    .action((options: ApiServerCliOptions) => runApiServer(context, options));
  addEncryptionOptions(command);
  addRequestOptions(command);
}

async function etcdOptions(
  world: World,
  { etcdCafile, etcdCertfile, etcdKeyfile }: ApiServerCliOptions,
  endpoints: readonly string[],
): Promise<EtcdFlags> {
  const text = (path: string | undefined): Promise<string> | undefined =>
    path === undefined ? undefined : world.files.readText(path);
  const [ca, cert, key] = await Promise.all([text(etcdCafile), text(etcdCertfile), text(etcdKeyfile)]);
  if (ca === undefined && cert === undefined) return { endpoints };
  const tls = { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
  return { endpoints, tls };
}

async function runApiServer(context: CommandContext, options: ApiServerCliOptions): Promise<void> {
  const world = context.openWorld(verbosityOf(options.v));
  const lifetime = new Lifetime("kubets");
  const startedMs = world.clock.monotonicMs();
  const bound = options.bindAddress === "0.0.0.0" ? "127.0.0.1" : options.bindAddress;
  const advertised = options.advertiseAddress ?? (bound.startsWith("127.") ? hostAddresses()[0] : bound) ?? bound;
  const running = await startServer(
    world,
    {
      dataDirectory: options.dataDir,
      components: new Set(["apiserver"]),
      storage: options.storage,
      ...(options.etcdServers !== undefined && { etcd: await etcdOptions(world, options, options.etcdServers) }),
      advertiseAddress: advertised,
      kubeconfigAddress: bound,
      ...(options.peerAdvertiseIp !== undefined && { peerAddress: `${hostOf(options.peerAdvertiseIp)}:${options.peerAdvertisePort ?? ""}` }),
      endpointReconciler: options.endpointReconcilerType,
      featureGates: options.featureGates ?? "",
      apiServer: {
        bindAddress: options.bindAddress,
        securePort: Number(options.securePort),
        ...(options.tokenAuthFile !== undefined && { tokenAuthFile: options.tokenAuthFile }),
        anonymousAuth: options.anonymousAuth !== "false",
        disableAdmissionPlugins: options.disableAdmissionPlugins ?? [],
        enableAdmissionPlugins: options.enableAdmissionPlugins ?? [],
        ...(options.admissionControlConfigFile !== undefined && { admissionConfigFile: options.admissionControlConfigFile }),
        serviceClusterIpRange: options.serviceClusterIpRange,
        ...requestFlags(options),
        shutdownDelayMs: durationMs(options.shutdownDelayDuration),
        compactionIntervalMs: durationMs(options.etcdCompactionInterval),
        eventTtlSeconds: Math.floor(durationMs(options.eventTtl) / 1000),
        ...(options.runtimeConfig !== undefined && { runtimeConfig: options.runtimeConfig }),
        allowPrivileged: options.allowPrivileged === true || options.allowPrivileged === "true",
        ...encryptionFlags(options),
        extraNames: [...new Set([advertised, bound])],
      },
    },
    lifetime,
  );
  const tookMs = Math.round(world.clock.monotonicMs() - startedMs);
  context.print(`API server ready on port ${running.api.http.port} after ${tookMs} ms`);
  context.onStop(() => void lifetime.end().finally(() => context.exit(0)));
}
