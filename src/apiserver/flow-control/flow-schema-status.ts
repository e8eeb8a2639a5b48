import { flowSchemas } from "#api/flowcontrol/v1/flow-schema.ts";
import { ignoreNotFound } from "#apimachinery/status.ts";
import { type Clock, rfc3339, type Timer } from "#base/clock.ts";
import { createBackoff } from "#base/backoff.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import type { SchemaFinding } from "./flow-configuration.ts";

const consumer = "api-priority-and-fairness-config-consumer-v1";
/** Writes to one schema in a minute; beyond this another server seems to disagree. Source: apf_controller.go. */
const writesPerMinuteMax = 6;
const minuteMs = 60_000;

export interface StatusWriterOptions {
  readonly client: () => Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Called when writes are due that were put off. */
  again(): void;
}

/** Keeps the condition `Dangling` of flow schemas true. Source: flowcontrol/apf_controller.go. */
export class FlowSchemaStatusWriter implements Disposable {
  readonly #options: StatusWriterOptions;
  readonly #backoff: ReturnType<typeof createBackoff>;
  #written: { readonly name: string; readonly atMs: number }[] = [];
  #timer: Timer | undefined;
  #isDisposed = false;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#backoff = createBackoff({ initialMs: 200, capMs: 8 * 3_600_000 }, options.random);
  }

  /** Writes what differs. Never rejects: what fails is tried again later. */
  async write(findings: readonly SchemaFinding[]): Promise<void> {
    const { clock, random, log } = this.#options;
    this.#written = this.#written.filter(({ atMs }) => clock.monotonicMs() - atMs < minuteMs);
    try {
      for (const finding of findings) {
        const condition = danglingCondition(finding);
        if (condition === undefined) continue;
        const name = finding.schema.metadata.name ?? "";
        if (this.#written.filter((write) => write.name === name).length >= writesPerMinuteMax) {
          this.#later((30 + random.below(45)) * 1000);
          continue;
        }
        this.#written.push({ name, atMs: clock.monotonicMs() });
        await this.#apply(name, condition);
      }
      this.#backoff.reset();
    } catch (error) {
      log.debug("status of flow schemas not written", { error });
      this.#later(this.#backoff.nextMs());
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#timer?.[Symbol.dispose]();
  }

  async #apply(name: string, condition: object): Promise<void> {
    const { client, clock } = this.#options;
    const lastTransitionTime = rfc3339(clock.nowMs());
    const wanted = { metadata: { name }, status: { conditions: [{ ...condition, lastTransitionTime }] } };
    await ignoreNotFound(
      client()
        .resource(flowSchemas)
        .apply(wanted as never, { subresource: "status", fieldManager: consumer, force: true }),
    );
  }

  #later(delayMs: number): void {
    this.#timer?.[Symbol.dispose]();
    if (this.#isDisposed) return;
    this.#timer = this.#options.clock.after(delayMs, () => this.#options.again());
  }
}

/** Undefined when the schema says so already. */
function danglingCondition({ schema, isDangling }: SchemaFinding): object | undefined {
  const level = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(schema.spec.priorityLevelConfiguration.name)}`;
  const wanted = isDangling
    ? { type: "Dangling", status: "True", reason: "NotFound", message: `${level} but there is no such object` }
    : { type: "Dangling", status: "False", reason: "Found", message: `${level} and it exists` };
  const known = schema.status?.conditions?.find(({ type }) => type === "Dangling");
  const isSame = known?.status === wanted.status && known.reason === wanted.reason && known.message === wanted.message;
  return isSame ? undefined : wanted;
}
