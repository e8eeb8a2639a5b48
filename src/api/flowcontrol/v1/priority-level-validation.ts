import { forbidden, invalid, notSupported, required } from "#apimachinery/field-error.ts";
import type { Findings } from "#apimachinery/validation/checks.ts";
import type {
  LimitResponse,
  PriorityLevelConfiguration,
  QueuingConfiguration,
} from "./priority-level-configuration.ts";

/** Source: pkg/apis/flowcontrol/validation/validation.go and v1/defaults.go. */
const sharesDefault = 30;
const queuesDefault = 64;
const handSizeDefault = 8;
const queueLengthLimitDefault = 50;
const queuesMax = 10_000_000;
const percentMax = 100;
const types = ["Exempt", "Limited"];
const responses = ["Queue", "Reject"];

export function defaultPriorityLevel({ spec }: PriorityLevelConfiguration): void {
  const { limited, exempt } = spec;
  if (limited !== undefined) {
    limited.nominalConcurrencyShares ??= sharesDefault;
    limited.lendablePercent ??= 0;
    const queuing = limited.limitResponse?.queuing;
    if (queuing !== undefined) {
      queuing.queues ||= queuesDefault;
      queuing.handSize ||= handSizeDefault;
      queuing.queueLengthLimit ||= queueLengthLimitDefault;
    }
  }
  if (exempt === undefined) return;
  exempt.nominalConcurrencyShares ??= 0;
  exempt.lendablePercent ??= 0;
}

export function* validatePriorityLevel({
  metadata: meta,
  spec,
}: PriorityLevelConfiguration): Findings {
  const { type, limited, exempt } = spec;
  if ((type === "Exempt") !== (meta.name === "exempt")) {
    const detail = "type must be 'Exempt' if and only if `name` is 'exempt'";
    yield invalid("spec.type", type, detail);
  }
  if (type === "Limited") {
    if (exempt !== undefined) yield forbidden("spec.exempt", "must be nil if the type is Limited");
    if (limited === undefined) {
      yield required("spec.limited", "must not be empty when type is Limited");
    } else {
      yield* validateShares(
        limited.nominalConcurrencyShares,
        "spec.limited.nominalConcurrencyShares",
      );
      yield* validateResponse(limited.limitResponse ?? { type: "" }, "spec.limited.limitResponse");
      yield* validatePercent(limited.lendablePercent, "spec.limited.lendablePercent");
      const { borrowingLimitPercent: borrowing } = limited;
      if (borrowing !== undefined && borrowing < 0) {
        const detail = "if specified, must be a non-negative integer";
        yield invalid("spec.limited.borrowingLimitPercent", borrowing, detail);
      }
    }
  } else if (type === "Exempt") {
    if (limited !== undefined)
      yield forbidden("spec.limited", "must be nil if the type is not Limited");
    if (exempt === undefined) {
      yield required("spec.exempt", "must not be empty when type is Exempt");
    } else {
      yield* validateShares(
        exempt.nominalConcurrencyShares,
        "spec.exempt.nominalConcurrencyShares",
      );
      yield* validatePercent(exempt.lendablePercent, "spec.exempt.lendablePercent");
    }
  } else {
    yield notSupported("spec.type", type, types);
  }
}

function* validateShares(shares: number | undefined, path: string): Findings {
  if (shares !== undefined && shares < 0)
    yield invalid(path, shares, "must be a non-negative integer");
}

function* validatePercent(percent: number | undefined, path: string): Findings {
  if (percent !== undefined && (percent < 0 || percent > percentMax)) {
    yield invalid(path, percent, "must be between 0 and 100, inclusive");
  }
}

function* validateResponse({ type, queuing }: LimitResponse, path: string): Findings {
  if (type === "Reject") {
    if (queuing !== undefined) {
      yield forbidden(
        `${path}.queuing`,
        "must be nil if limited.limitResponse.type is not Limited",
      );
    }
  } else if (type === "Queue") {
    if (queuing === undefined) {
      const detail = "must not be empty if limited.limitResponse.type is Limited";
      yield required(`${path}.queuing`, detail);
    } else {
      yield* validateQueuing(queuing, `${path}.queuing`);
    }
  } else {
    yield notSupported(`${path}.type`, type, responses);
  }
}

function* validateQueuing(queuing: QueuingConfiguration, path: string): Findings {
  const { queues, handSize, queueLengthLimit } = queuing;
  if (queueLengthLimit <= 0)
    yield invalid(`${path}.queueLengthLimit`, queueLengthLimit, "must be positive");
  if (queues <= 0) yield invalid(`${path}.queues`, queues, "must be positive");
  else if (queues > queuesMax) {
    yield invalid(`${path}.queues`, queues, `must not be greater than ${queuesMax}`);
  }
  if (handSize <= 0) yield invalid(`${path}.handSize`, handSize, "must be positive");
  else if (handSize > queues) {
    const detail = `should not be greater than queues (${queues})`;
    yield invalid(`${path}.handSize`, handSize, detail);
  }
}
