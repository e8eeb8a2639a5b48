import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { Clock } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { MetricRegistry } from "#base/metrics.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceClient, ResourceTarget } from "#client/client.ts";
import type { EventRecorder } from "#client/events.ts";
import type { Index, Lister } from "#client/indexer.ts";
import type { Informers } from "#client/informer-factory.ts";
import type { Selection } from "#client/reflector.ts";
import { runController } from "./worker.ts";

/** One line of the registry: a name and something to start. */
export interface Controller {
  /** Upstream's name, e.g. `replicaset-controller`. */
  readonly name: string;
  /** Service account in kube-system, where it is not named as the controller. */
  readonly account?: string;
  /** Source of its events, where it is not named as the controller. */
  readonly component?: string;
  /** Off unless asked for by name (`--controllers`). */
  readonly disabledByDefault?: boolean;
  /** Starts; everything live belongs to `environment.lifetime`. Returns without waiting. */
  start(environment: ControllerEnvironment): void;
}

/** What the runner gives each controller. */
export interface ControllerEnvironment {
  readonly name: string;
  /** Acts as the controller's own service account. */
  readonly client: Client;
  readonly informers: Informers;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly lifetime: Lifetime;
  readonly metrics: MetricRegistry;
  readonly settings: ControllerSettings;
}

/** Settings of the whole set, as kube-controller-manager's flags. */
export interface ControllerSettings {
  readonly clusterName?: string;
  /** PEM of the CA that service accounts trust (`kube-root-ca.crt`). */
  readonly rootCa?: string;
  readonly clusterCidrs?: readonly string[];
  readonly serviceCidrs?: readonly string[];
  readonly nodeCidrMaskSizeIpv4?: number;
  readonly nodeCidrMaskSizeIpv6?: number;
  readonly allocateNodeCidrs?: boolean;
  readonly nodeMonitorGraceMs?: number;
  readonly terminatedPodsMax?: number;
  readonly featureEnabled?: (gate: string) => boolean;
  /** Makes service account tokens that do not expire, for token Secrets. Absent: none are filled. */
  readonly issueToken?: (claims: {
    readonly namespace: string;
    readonly secretName: string;
    readonly accountName: string;
    readonly accountUid: string;
  }) => Promise<string>;
  /** Signs CSRs: takes the request's PEM and gives the certificate's. Absent: no signing. */
  readonly signer?: CertificateSigner;
}

export interface CertificateSigner {
  sign(request: {
    readonly csrPem: string;
    readonly signerName: string;
    readonly usages: readonly string[];
    readonly durationMs: number;
  }): Promise<string>;
}

/** What a reconcile says when it is content: `done`, or a time at which to look again. */
export interface Outcome {
  readonly requeueAfterMs?: number;
}

export const done: Outcome = Object.freeze({});

/** The earlier of two wishes to look again. */
export function sooner(...outcomes: readonly Outcome[]): Outcome {
  const waits = outcomes.map(({ requeueAfterMs }) => requeueAfterMs ?? Infinity);
  const requeueAfterMs = Math.min(...waits);
  return requeueAfterMs === Infinity ? done : { requeueAfterMs };
}

/** An error that trying again will not mend: logged, not retried. */
export class TerminalError extends Error {
  override readonly name = "TerminalError";
}

/** What a reconcile works with. Writes made through it hold up the key until caches show them. */
export interface Context<T extends KubeObject, S> {
  readonly key: string;
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: EventRecorder;
  readonly settings: ControllerSettings;
  readonly metrics: MetricRegistry;
  /** The controller's own memory, made once at start. */
  readonly state: S;
  readonly signal: AbortSignal;
  /** Failures of this key in a row before this attempt. */
  readonly failures: number;
  /** The object of the key, as cached. */
  get(): T | undefined;
  lister<U extends KubeObject>(definition: ResourceDefinition<U>, selection?: Selection): Lister<U>;
  resource<U extends KubeObject>(definition: ResourceDefinition<U>): ResourceClient<U>;
  /** Adds another key (or this one) to the queue. */
  enqueueAfter(key: string, delayMs: number): void;
}

/** What maps of watches may read. */
export interface MapContext {
  readonly informers: Informers;
  lister<U extends KubeObject>(definition: ResourceDefinition<U>): Lister<U>;
  enqueueAfter(key: string, delayMs: number): void;
}

/** A further source of keys. Made with `watchOf`, which forgets the object's type. */
export interface Watch {
  readonly target: ResourceTarget;
  subscribe(
    informers: Informers,
    enqueue: (keys: Iterable<string>) => void,
    context: MapContext,
  ): void;
}

export interface WatchSpec<U extends KubeObject> {
  readonly selection?: Selection;
  /** Keys to look at after `object` came, changed (then also for the state before) or went. */
  readonly keys: (object: U, context: MapContext) => Iterable<string>;
  /** False for updates that do not matter. */
  readonly changed?: (object: U, old: U) => boolean;
  /** Only these matter; all when absent. */
  readonly on?: readonly ("add" | "update" | "delete")[];
}

export function watchOf<U extends KubeObject>(
  definition: ResourceDefinition<U>,
  spec: WatchSpec<U>,
): Watch {
  return {
    target: definition,
    subscribe(informers, enqueue, context) {
      const { on = ["add", "update", "delete"] } = spec;
      informers.of(definition, spec.selection).subscribe({
        onAdd(object) {
          if (on.includes("add")) enqueue(spec.keys(object, context));
        },
        onUpdate(object, old) {
          if (!on.includes("update")) return;
          if (spec.changed && !spec.changed(object, old)) return;
          enqueue(spec.keys(object, context));
          enqueue(spec.keys(old, context));
        },
        onDelete(object) {
          if (on.includes("delete")) enqueue(spec.keys(object, context));
        },
      });
    },
  };
}

export interface ControllerSpec<T extends KubeObject, S> {
  readonly name: string;
  readonly account?: string;
  readonly component?: string;
  readonly disabledByDefault?: boolean;
  readonly for: ResourceDefinition<T>;
  /** Narrows what `for` follows. */
  readonly selection?: Selection;
  /** False for updates of the object itself that do not matter. */
  readonly changed?: (object: T, old: T) => boolean;
  /** Sources of keys beside the objects themselves: `owned`, `watchOf`. */
  readonly watches?: readonly Watch[];
  /** Resources that are only read: their caches are waited for. */
  readonly reads?: readonly ResourceTarget[];
  readonly indexes?: readonly AddIndex[];
  /** Keys worked on at once. Default 1. */
  readonly workers?: number;
  readonly state?: (environment: ControllerEnvironment) => S;
  /** Brings the object of `context.key` to what it asks for; throws to be called again later. */
  readonly reconcile: (context: Context<T, S>) => Promise<Outcome>;
}

/** An index to add at start. Made with `indexOf`. */
export type AddIndex = (informers: Informers) => void;

export function indexOf<U extends KubeObject>(
  definition: ResourceDefinition<U>,
  index: Index<U>,
): AddIndex {
  return (informers) => informers.of(definition).addIndex(index);
}

/** A controller of one kind of object, as the framework runs it. */
export function defineController<T extends KubeObject, S = undefined>(
  spec: ControllerSpec<T, S>,
): Controller {
  const { name, account = name, component = name, disabledByDefault = false } = spec;
  const start = (environment: ControllerEnvironment): void => runController(spec, environment);
  return { name, account, component, disabledByDefault, start };
}
