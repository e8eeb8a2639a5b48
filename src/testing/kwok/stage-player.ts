import type { KubeObject } from "#apimachinery/object.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import { isNotFound } from "#apimachinery/status.ts";
import { type Clock, rfc3339, type Timer } from "#base/clock.ts";
import type { Lifetime } from "#base/lifetime.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { ResourceClient } from "#client/client.ts";
import type { EventRecorder } from "#client/events.ts";
import { parseYaml } from "#wire/yaml.ts";
import type { TemplateFunction } from "./go-template.ts";
import type { Stage, StageStep } from "./stage.ts";

export interface StagePlayerOptions {
  readonly stages: readonly Stage[];
  readonly resource: ResourceClient<KubeObject>;
  readonly clock: Clock;
  readonly random: Pick<Random, "float" | "below">;
  readonly log: Logger;
  readonly lifetime: Lifetime;
  readonly events: EventRecorder;
  /** What templates may call about an object, beyond Now. */
  readonly functionsFor: (object: KubeObject) => Readonly<Record<string, TemplateFunction>>;
}

/** Takes objects from stage to stage: one at a time each, chosen anew whenever the object changes. */
export interface StagePlayer {
  /** A state of an object, of each new one. */
  see(object: KubeObject): void;
  forget(object: KubeObject): void;
}

interface Turn {
  readonly stage: Stage;
  readonly timer: Timer;
}

export function createStagePlayer(options: StagePlayerOptions): StagePlayer {
  const { stages, clock, random, log, lifetime } = options;
  const turns = new Map<string, Turn>();
  const newest = new Map<string, KubeObject>();
  lifetime.defer(() => {
    for (const { timer } of turns.values()) timer[Symbol.dispose]();
  });

  function see(object: KubeObject): void {
    const uid = object.metadata?.uid ?? "";
    if (lifetime.ended) return;
    newest.set(uid, object);
    const matching = stages.filter((stage) => stage.matches(object));
    const turn = turns.get(uid);
    if (turn !== undefined && matching.includes(turn.stage)) return;
    turn?.timer[Symbol.dispose]();
    turns.delete(uid);
    const stage = draw(matching, object);
    if (stage === undefined) return;
    const delayMs = stage.delayMs(object, { nowMs: clock.nowMs(), random });
    const timer = clock.after(delayMs, () => {
      turns.delete(uid);
      play(stage, newest.get(uid) ?? object).catch((error: unknown) => {
        if (!isNotFound(error)) log.warn("stage not played", { stage: stage.name, key: keyOfObject(object), error });
      });
    });
    turns.set(uid, { stage, timer });
  }

  function draw(matching: readonly Stage[], object: KubeObject): Stage | undefined {
    if (matching.length < 2) return matching[0];
    const weights = matching.map((stage) => Math.max(0, stage.weightOf(object)));
    let left = random.float() * weights.reduce((sum, weight) => sum + weight, 0);
    return matching.find((_, i) => (left -= weights[i] as number) < 0) ?? matching[0];
  }

  async function play(stage: Stage, object: KubeObject): Promise<void> {
    for (const step of stage.steps) await take(step, object);
  }

  async function take(step: StageStep, object: KubeObject): Promise<void> {
    const { resource, events } = options;
    const key = keyOfObject(object);
    const functions = { Now: () => rfc3339(clock.nowMs()), ...options.functionsFor(object) };
    switch (step.do) {
      case "event": {
        const message = step.message.fill(object, functions);
        if (step.type === "Warning") events.warning(object, step.reason, message);
        else events.normal(object, step.reason, message);
        return;
      }
      case "finalizers": {
        const kept = step.empty ? [] : (object.metadata?.finalizers ?? []).filter((name) => !step.remove.includes(name));
        const finalizers = [...kept, ...step.add.filter((name) => !kept.includes(name))];
        await resource.patch(key, { type: "merge", body: { metadata: { finalizers } } });
        return;
      }
      case "delete":
        await resource.delete(key, { gracePeriodSeconds: 0 });
        return;
      case "patch": {
        const filled = parseYaml(Buffer.from(step.template.fill(object, functions))).value ?? {};
        const body = step.root === "" ? (filled as object) : { [step.root]: filled };
        const { subresource, type } = step;
        await resource.patch(key, { type, body, ...(subresource !== "" && { subresource }) });
      }
    }
  }

  return {
    see,
    forget(object) {
      const uid = object.metadata?.uid ?? "";
      turns.get(uid)?.timer[Symbol.dispose]();
      turns.delete(uid);
      newest.delete(uid);
    },
  };
}
