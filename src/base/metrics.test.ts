import assert from "node:assert/strict";
import { test } from "node:test";
import { goFloat, metricsText } from "./metrics-text.ts";
import { createMetricRegistry, exponentialBuckets, linearBuckets } from "./metrics.ts";

function sample() {
  const registry = createMetricRegistry();
  const requests = registry.counter({
    name: "apiserver_request_total",
    help: "Counter of requests.",
    stability: "STABLE",
    labels: ["verb", "code"],
  });
  requests.with("GET", "200").inc();
  requests.with("GET", "200").inc(2);
  requests.with('P"\n\\', "500").inc();
  registry.gauge({ name: "workqueue_depth", help: "Depth." }).with().set(-1.5);
  const seconds = registry.histogram({
    name: "request_seconds",
    help: "Line one\nand two \\",
    labels: ["verb"],
    buckets: [0.1, 1],
  });
  for (const value of [0.05, 0.1, 0.5, 7]) seconds.with("LIST").observe(value);
  return registry;
}

test("metricsText prints the Prometheus text format, sorted, with stability", () => {
  const { contentType, body } = metricsText(sample());
  assert.equal(contentType, "text/plain; version=0.0.4; charset=utf-8");
  assert.equal(
    body,
    `# HELP apiserver_request_total [STABLE] Counter of requests.
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",verb="GET"} 3
apiserver_request_total{code="500",verb="P\\"\\n\\\\"} 1
# HELP request_seconds [ALPHA] Line one\\nand two \\\\
# TYPE request_seconds histogram
request_seconds_bucket{verb="LIST",le="0.1"} 2
request_seconds_bucket{verb="LIST",le="1"} 3
request_seconds_bucket{verb="LIST",le="+Inf"} 4
request_seconds_sum{verb="LIST"} 7.65
request_seconds_count{verb="LIST"} 4
# HELP workqueue_depth [ALPHA] Depth.
# TYPE workqueue_depth gauge
workqueue_depth -1.5
`,
  );
});

test("metricsText prints OpenMetrics when asked", () => {
  const { contentType, body } = metricsText(sample(), "application/openmetrics-text;version=1.0.0");
  assert.match(contentType, /^application\/openmetrics-text/);
  assert.match(body, /^# HELP apiserver_request \[STABLE\]/);
  assert.match(body, /\n# TYPE apiserver_request counter\napiserver_request_total\{.*\} 3\.0\n/);
  assert.match(body, /le="1\.0"\} 3\n/);
  assert.match(body, /\n# EOF\n$/);
});

test("a registry gives the same family for a name, and refuses another type", () => {
  const registry = createMetricRegistry();
  const options = { name: "a_total", help: "" };
  registry.counter(options).with().inc();
  registry.counter(options).with().inc();
  assert.equal(registry.counter(options).with().value, 2);
  assert.throws(() => registry.gauge(options), /a_total is a counter, not a gauge/);
});

test("collectors run before each print until disposed; removed series vanish", () => {
  const registry = createMetricRegistry();
  const gauge = registry.gauge({ name: "g", help: "h", labels: ["x"] });
  let runs = 0;
  const collector = registry.onCollect(() => gauge.with("1").set(++runs));
  assert.match(metricsText(registry).body, /g\{x="1"\} 1\n$/);
  assert.match(metricsText(registry).body, /g\{x="1"\} 2\n$/);
  collector[Symbol.dispose]();
  gauge.remove("1");
  assert.equal(metricsText(registry).body, "");
});

test("a family stops growing at seriesMax", () => {
  const registry = createMetricRegistry();
  const counter = registry.counter({ name: "c", help: "", labels: ["path"], seriesMax: 3 });
  for (let i = 0; i < 1000; i++) counter.with(`/${i}`).inc();
  assert.equal([...counter.series()].length, 3);
});

test("goFloat writes numbers as Go's strconv", () => {
  const rows: [number, string][] = [
    [0, "0"],
    [-0, "-0"],
    [1, "1"],
    [0.1, "0.1"],
    [100000, "100000"],
    [999999.5, "999999.5"],
    [1e6, "1e+06"],
    [1234567, "1.234567e+06"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [-2.5e-7, "-2.5e-07"],
    [1e100, "1e+100"],
    [NaN, "NaN"],
    [Infinity, "+Inf"],
    [-Infinity, "-Inf"],
  ];
  for (const [value, text] of rows) assert.equal(goFloat(value), text);
});

test("bucket makers", () => {
  assert.deepEqual(exponentialBuckets(1, 2, 4), [1, 2, 4, 8]);
  assert.deepEqual(linearBuckets(1, 0.5, 3), [1, 1.5, 2]);
});
