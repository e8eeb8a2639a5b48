import { readdirSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { MetricRegistry } from "../metrics.ts";

const nanosPerSecond = 1e9;

/** The usual `process_*` metrics, and how late the event loop runs. Dispose to stop measuring. */
export function registerProcessMetrics(registry: MetricRegistry): Disposable {
  const gauge = (name: string, help: string) => registry.gauge({ name, help }).with();
  const cpu = registry.counter({
    name: "process_cpu_seconds_total",
    help: "Total user and system CPU time spent in seconds.",
  });
  const resident = gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
  const files = gauge("process_open_fds", "Number of open file descriptors.");
  const heap = gauge("nodejs_heap_size_used_bytes", "Heap in use in bytes.");
  const lag = gauge("nodejs_eventloop_lag_p99_seconds", "99th percentile of event loop delay.");
  gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.").set(
    Math.round(Date.now() / 1000 - process.uptime()),
  );
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  let cpuSeconds = 0;

  function collect(): void {
    const { user, system } = process.cpuUsage();
    const nowSeconds = (user + system) / 1e6;
    cpu.with().inc(nowSeconds - cpuSeconds);
    cpuSeconds = nowSeconds;
    const { rss, heapUsed } = process.memoryUsage();
    resident.set(rss);
    heap.set(heapUsed);
    files.set(openFileCount());
    lag.set(delays.percentile(99) / nanosPerSecond);
    delays.reset();
  }

  const collector = registry.onCollect(collect);
  return {
    [Symbol.dispose]() {
      collector[Symbol.dispose]();
      delays.disable();
    },
  };
}

/** Zero where there is no /proc. */
function openFileCount(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}
