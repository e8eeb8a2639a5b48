import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsText } from "../metrics-text.ts";
import { createMetricRegistry } from "../metrics.ts";
import { registerProcessMetrics } from "./process-metrics.ts";

test("process metrics are read at each scrape, until disposed", () => {
  const registry = createMetricRegistry();
  const read = (name: string): number =>
    Number(new RegExp(`^${name} (.*)$`, "m").exec(metricsText(registry).body)?.[1]);
  {
    using _metrics = registerProcessMetrics(registry);
    assert.ok(read("process_resident_memory_bytes") > 1 << 20);
    assert.ok(read("process_cpu_seconds_total") > 0);
    const startSeconds = read("process_start_time_seconds");
    assert.ok(Math.abs(startSeconds - (Date.now() / 1000 - process.uptime())) < 2);
    assert.ok(read("process_open_fds") > 0);
    assert.ok(read("process_max_fds") >= read("process_open_fds"));
    assert.ok(read("process_virtual_memory_bytes") >= read("process_resident_memory_bytes"));
    const busy = read("nodejs_eventloop_utilization");
    assert.ok(busy >= 0 && busy <= 1);
  }
  const before = read("process_cpu_seconds_total");
  for (let i = 0, x = 0; i < 1e7; i++) x += i;
  assert.equal(read("process_cpu_seconds_total"), before);
});
