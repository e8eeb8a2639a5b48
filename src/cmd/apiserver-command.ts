import { type Command, Option } from "commander";
import { durationMs } from "#apimachinery/go-duration.ts";
import { Lifetime } from "#base/lifetime.ts";
import { hostAddresses } from "#base/os/host.ts";
import type { AuditFlags } from "./audit.ts";
import { type CommandContext, dataDirectoryDefault, listOption, pathOption, verbosityOf } from "./command.ts";
import { addEncryptionOptions, type EncryptionCliOptions, encryptionFlags } from "./encryption-flags.ts";
import { type EtcdFlags, startServer } from "./server.ts";
import type { World } from "#base/world.ts";

interface ApiServerCliOptions extends EncryptionCliOptions {
  readonly dataDir: string;
  readonly bindAddress: string;
  readonly advertiseAddress?: string;
  readonly securePort: string;
  readonly tokenAuthFile?: string;
  readonly anonymousAuth: string;
  readonly disableAdmissionPlugins?: readonly string[];
  readonly enableAdmissionPlugins?: readonly string[];
  readonly serviceClusterIpRange: string;
  readonly etcdCompactionInterval: string;
  readonly eventTtl: string;
  readonly endpointReconcilerType: "lease" | "none";
  readonly auditLogPath?: string;
  readonly auditPolicyFile?: string;
  readonly auditLogMaxage: string;
  readonly auditLogMaxbackup: string;
  readonly auditLogMaxsize: string;
  readonly auditWebhookConfigFile?: string;
  readonly auditWebhookBatchBufferSize: string;
  readonly auditWebhookBatchMaxSize: string;
  readonly auditWebhookBatchMaxWait: string;
  readonly auditWebhookInitialBackoff: string;
  readonly enablePriorityAndFairness: string;
  readonly maxRequestsInflight: string;
  readonly maxMutatingRequestsInflight: string;
  readonly requestTimeout: string;
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
    .option("--secure-port <port>", "HTTPS port; 0 for any free one", "6443")
    .option("--token-auth-file <file>", "CSV of static tokens: token,user,uid,groups")
    .option("--anonymous-auth <bool>", "whether requests without credentials are anonymous", "true")
    .option("--disable-admission-plugins <names>", "admission plugins to leave out", listOption)
    .option("--enable-admission-plugins <names>", "admission plugins to add", listOption)
    .option("--service-cluster-ip-range <cidr>", "range of Service addresses", "10.96.0.0/12")
    .option("--feature-gates <gates>", "A=true,B=false")
    .option("--runtime-config <versions>", "versions to serve or not: api/all=true,GROUP/VERSION=true,GROUP/VERSION/RESOURCE=false")
    .option("--allow-privileged [bool]", "whether containers may be privileged", "false")
    .option("--storage <kind>", "durable, or memory to forget everything at the end", "durable")
    .option("--audit-log-path <file>", "file that requests are written down in", pathOption)
    .option("--audit-policy-file <file>", "what of them: an audit.k8s.io/v1 Policy", pathOption)
    .option("--audit-log-maxage <days>", "how old files put aside may get; 0 for any age", "366")
    .option("--audit-log-maxbackup <count>", "how many of them are kept; 0 for all", "100")
    .option("--audit-log-maxsize <megabytes>", "size at which a file is put aside", "100")
    .option("--audit-webhook-config-file <file>", "kubeconfig of a server that events are posted to", pathOption)
    .option("--audit-webhook-batch-buffer-size <count>", "events that wait for it; more are dropped", "10000")
    .option("--audit-webhook-batch-max-size <count>", "events in one post", "400")
    .option("--audit-webhook-batch-max-wait <duration>", "how long a post waits to fill", "30s")
    .option("--audit-webhook-initial-backoff <duration>", "wait before a failed post is tried again", "10s")
    .option("--enable-priority-and-fairness <bool>", "whether requests queue by priority and in fair turns", "true")
    .option("--max-requests-inflight <count>", "seats for requests; of reads alone when there is no fairness", "400")
    .option("--max-mutating-requests-inflight <count>", "further seats; of writes alone when there is no fairness", "200")
    .option("--request-timeout <duration>", "longest time for an answer", "1m")
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
}

function auditFlags(options: ApiServerCliOptions): AuditFlags {
  const { auditLogPath, auditPolicyFile, auditWebhookConfigFile } = options;
  return {
    ...(auditLogPath !== undefined && { logPath: auditLogPath }),
    ...(auditPolicyFile !== undefined && { policyFile: auditPolicyFile }),
    ...(auditWebhookConfigFile !== undefined && { webhookConfigFile: auditWebhookConfigFile }),
    logAgeDaysMax: Number(options.auditLogMaxage),
    logBackupsMax: Number(options.auditLogMaxbackup),
    logSizeMebibytesMax: Number(options.auditLogMaxsize),
    webhookBatching: {
      bufferMax: Number(options.auditWebhookBatchBufferSize),
      batchMax: Number(options.auditWebhookBatchMaxSize),
      waitMs: durationMs(options.auditWebhookBatchMaxWait),
      initialBackoffMs: durationMs(options.auditWebhookInitialBackoff),
    },
  };
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
      endpointReconciler: options.endpointReconcilerType,
      featureGates: options.featureGates ?? "",
      apiServer: {
        bindAddress: options.bindAddress,
        securePort: Number(options.securePort),
        ...(options.tokenAuthFile !== undefined && { tokenAuthFile: options.tokenAuthFile }),
        anonymousAuth: options.anonymousAuth !== "false",
        disableAdmissionPlugins: options.disableAdmissionPlugins ?? [],
        enableAdmissionPlugins: options.enableAdmissionPlugins ?? [],
        serviceClusterIpRange: options.serviceClusterIpRange,
        audit: auditFlags(options),
        priorityAndFairness: options.enablePriorityAndFairness !== "false",
        inFlight: {
          readOnlyMax: Number(options.maxRequestsInflight),
          mutatingMax: Number(options.maxMutatingRequestsInflight),
        },
        requestTimeoutMs: durationMs(options.requestTimeout),
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
