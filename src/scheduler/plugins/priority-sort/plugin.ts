import { definePlugin } from "../../framework.ts";
import { byPriority } from "../../queued-pod.ts";

/** Takes pods of higher priority first, of equals the first to come. Source: scheduler PrioritySort. */
export const prioritySort = definePlugin({ name: "PrioritySort", queueLess: byPriority });
