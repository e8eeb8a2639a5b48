import { readdirSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { MetricRegistry } from "../metrics.ts";

/** The usual `process_*` metrics, and how busy the event loop is. Dispose to stop measuring. */
export function registerProcessMetrics(registry: MetricRegistry): Disposable {
  const gauge = (name: string, help: string) => registry.gauge({ name, help }).with();
  const cpu = registry.counter({
    name: "process_cpu_seconds_total",
    help: "Total user and system CPU time spent in seconds.",
  });
  const resident = gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
  const virtual = gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.");
  const filesMax = gauge("process_max_fds", "Maximum number of open file descriptors.");
  const files = gauge("process_open_fds", "Number of open file descriptors.");
  const heap = gauge("nodejs_heap_size_used_bytes", "Heap in use in bytes.");
  const busy = gauge("nodejs_eventloop_utilization", "Part of the time since the last scrape that the event loop was busy.");
  gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.").set(
    Math.round(Date.now() / 1000 - process.uptime()),
  );
  let utilization = performance.eventLoopUtilization();
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
    const limits = processLimits();
    virtual.set(limits.virtualBytes);
    filesMax.set(limits.filesMax);
    busy.set(performance.eventLoopUtilization(utilization).utilization);
    utilization = performance.eventLoopUtilization();
  }

  return registry.onCollect(collect);
}

/** Zero where there is no /proc. */
function openFileCount(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

/** Zeros where there is no /proc. */
function processLimits(): { virtualBytes: number; filesMax: number } {
  try {
    const kibibytes = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    const files = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return { virtualBytes: Number(kibibytes ?? 0) * 1024, filesMax: Number(files ?? 0) };
  } catch {
    return { virtualBytes: 0, filesMax: 0 };
  }
}
