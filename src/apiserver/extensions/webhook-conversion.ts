import type { CustomResourceDefinition } from "#api/apiextensions/v1/custom-resource-definition.ts";
import type { Random } from "#base/random.ts";
import { fieldErrorsText } from "#apimachinery/field-error.ts";
import { goTypeName } from "#apimachinery/go-format.ts";
import { isJsonMap, type JsonMap } from "#apimachinery/json-value.ts";
import { type KubeObject, type ObjectMeta, parseApiVersion } from "#apimachinery/object.ts";
import { plainError } from "#apimachinery/status.ts";
import { sortedJson } from "#apimachinery/sorted-json.ts";
import { validateAnnotations, validateLabels } from "#apimachinery/validation/object-meta.ts";
import { writeJsonText } from "#wire/json.ts";
import { isCallFailure, type WebhookClients, type WebhookTarget } from "../webhooks/webhook-client.ts";

/** Turns objects of one version of a kind into those of another, all at once. */
export interface ObjectConverter {
  /** In the order given. Errors: a plain 500 with upstream's text. */
  convert(objects: readonly KubeObject[], apiVersion: string): Promise<KubeObject[]>;
}

export interface WebhookConversionOptions {
  readonly webhooks: WebhookClients;
  readonly random: Random;
}

const timeoutMs = 30_000;
const group = "apiextensions.k8s.io";

/** Source: apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go. */
export function createWebhookConverter(
  { spec }: CustomResourceDefinition,
  { webhooks, random }: WebhookConversionOptions,
): ObjectConverter {
  const target: WebhookTarget = spec.conversion?.webhook?.clientConfig ?? {};
  const versions = spec.conversion?.webhook?.conversionReviewVersions ?? [];
  return {
    async convert(objects, apiVersion) {
      const [first] = objects;
      if (first === undefined) return [];
      const reviewVersion = versions.find((version) => version === "v1" || version === "v1beta1");
      if (reviewVersion === undefined) throw plainError("no supported conversion review versions");
      const uid = random.uuid();
      const body = reviewOf({ apiVersion, objects, reviewVersion, uid });
      const subject = `conversion webhook for ${kindText(first)}`;
      const answer = await ask(webhooks, target, { subject, body });
      const converted = readAnswer(answer, { subject, uid, reviewVersion });
      if (converted.length !== objects.length) {
        throw plainError(`${subject} returned ${converted.length} objects, expected ${objects.length}`);
      }
      const single = objects.length === 1;
      return objects.map((original, i) => {
        const where = single ? "object" : `converted object at index ${i}`;
        return accept(original, converted[i], { apiVersion, subject, where });
      });
    },
  };
}

function kindText({ apiVersion = "", kind = "" }: KubeObject): string {
  const { group: own, version } = parseApiVersion(apiVersion);
  return `${own}/${version}, Kind=${kind}`;
}

interface Review {
  readonly apiVersion: string;
  readonly objects: readonly KubeObject[];
  readonly reviewVersion: string;
  readonly uid: string;
}

function reviewOf({ apiVersion, objects, reviewVersion, uid }: Review): string {
  return writeJsonText({
    kind: "ConversionReview",
    apiVersion: `${group}/${reviewVersion}`,
    request: { uid, desiredAPIVersion: apiVersion, objects: objects.map(sortedJson) },
  });
}

async function ask(
  webhooks: WebhookClients,
  target: WebhookTarget,
  { subject, body }: { readonly subject: string; readonly body: string },
): Promise<unknown> {
  try {
    return await webhooks.post(target, { body, timeoutMs, signal: new AbortController().signal });
  } catch (error) {
    if (!isCallFailure(error)) throw error;
    throw plainError(`${subject} failed: ${error.message}`);
  }
}

interface Expected {
  readonly subject: string;
  readonly uid: string;
  readonly reviewVersion: string;
}

function readAnswer(answer: unknown, { subject, uid, reviewVersion }: Expected): unknown[] {
  const fail = (why: string): Error => plainError(`${subject} failed: ${why}`);
  const review = isJsonMap(answer) ? answer : {};
  if (reviewVersion === "v1") {
    const found = `${group}/${reviewVersion}, Kind=ConversionReview`;
    const got = kindText(review as KubeObject);
    if (got !== found) throw fail(`expected webhook response of ${found}, got ${got}`);
  }
  const response = review["response"];
  if (!isJsonMap(response)) throw fail("no response provided");
  if (reviewVersion === "v1" && response["uid"] !== uid) {
    const got = JSON.stringify(response["uid"] ?? "");
    throw fail(`expected response.uid=${JSON.stringify(uid)}, got ${got}`);
  }
  const result = isJsonMap(response["result"]) ? response["result"] : {};
  const status = textOf(result["status"]);
  if (status !== "Success") {
    throw fail(textOf(result["message"]) || `response.result.status was '${status}', not 'Success'`);
  }
  const converted = response["convertedObjects"];
  return Array.isArray(converted) ? converted : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

interface Acceptance {
  readonly apiVersion: string;
  readonly subject: string;
  readonly where: string;
}

/** A webhook may change anything but what an object is, and of metadata labels and annotations only. */
function accept(original: KubeObject, answer: unknown, { apiVersion, subject, where }: Acceptance): KubeObject {
  const fail = (why: string): Error => plainError(`${subject} returned invalid ${where}: ${why}`);
  if (!isJsonMap(answer)) throw fail(`Object 'Kind' is missing in '${writeJsonText(answer ?? null)}'`);
  const converted = answer as KubeObject;
  const at = where === "object" ? "object at index 0" : where;
  const failAt = (why: string): Error => plainError(`${subject} returned invalid ${at}: ${why}`);
  if (converted.apiVersion !== apiVersion) {
    const received = converted.apiVersion ?? "";
    throw failAt(`invalid groupVersion (expected ${apiVersion}, received ${received})`);
  }
  if (converted.kind !== original.kind) {
    throw failAt(`invalid kind (expected ${original.kind ?? ""}, received ${converted.kind ?? ""})`);
  }
  const metadata = answer["metadata"];
  const own = original.metadata ?? {};
  const found = isJsonMap(metadata) ? (metadata as ObjectMeta) : {};
  for (const [field, name] of identities) {
    const [wanted, got] = [own[field] ?? "", found[field] ?? ""];
    if (wanted !== got) throw fail(`must have the same ${name}: ${wanted} != ${got}`);
  }
  const failMeta = (why: string): Error => {
    const place = where === "object" ? "" : ` in ${where.replace("converted ", "")}`;
    return plainError(`${subject} returned invalid metadata${place}: ${why}`);
  };
  if (metadata === undefined) throw failMeta("missing metadata in converted object");
  if (!isJsonMap(metadata)) {
    throw failMeta(`invalid metadata of type ${goTypeName(metadata)} in converted object`);
  }
  return { ...converted, metadata: restored(own, metadata, failMeta) };
}

const identities = [
  ["name", "name"],
  ["namespace", "namespace"],
  ["uid", "UID"],
] as const;

function restored(own: ObjectMeta, answer: JsonMap, fail: (why: string) => Error): ObjectMeta {
  const metadata: ObjectMeta = { ...own };
  for (const field of ["labels", "annotations"] as const) {
    const map = answer[field];
    delete metadata[field];
    if (map === undefined || map === null) continue;
    if (!isJsonMap(map)) {
      throw fail(`invalid metadata.${field} of type ${goTypeName(map)} in converted object`);
    }
    for (const [key, value] of Object.entries(map)) {
      if (typeof value === "string") continue;
      throw fail(`metadata.${field}[${key}] must be a string, but is ${goTypeName(value)} in converted object`);
    }
    const texts = map as Record<string, string>;
    const errors =
      field === "labels" ? validateLabels(texts, "metadata.labels") : validateAnnotations(texts, "metadata.annotation");
    if (errors.length > 0) throw fail(fieldErrorsText(errors));
    metadata[field] = texts;
  }
  return metadata;
}
