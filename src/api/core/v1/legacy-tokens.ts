/** How use of tokens in Secrets is followed. Source: pkg/serviceaccount/legacy.go, legacytokentracking. */

/** The day on which a token was used last. */
export const lastUsedLabel = "kubernetes.io/legacy-token-last-used";
/** The day since which a token is refused. */
export const invalidSinceLabel = "kubernetes.io/legacy-token-invalid-since";
/** Says since when use is followed, in kube-system under `since`. */
export const trackingConfigMap = "kube-apiserver-legacy-service-account-token-tracking";

/** The day in UTC, `2006-01-02`. */
export function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

/** The beginning of a day; undefined for what is none. */
export function dayStartMs(day: string | undefined): number | undefined {
  if (day === undefined || !/^\d{4}-\d\d-\d\d$/.test(day)) return undefined;
  const ms = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(ms) ? undefined : ms;
}
