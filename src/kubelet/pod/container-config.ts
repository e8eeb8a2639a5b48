import type { Container } from "#api/core/v1/container.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { ContainerConfig, Mount } from "../cri/messages.ts";
import type { Environment } from "./environment.ts";
import { expand } from "./expand.ts";
import { containerLogPath } from "./pod-paths.ts";
import { linuxResources } from "./resources.ts";
import { containerAnnotations, containerLabels } from "./runtime-labels.ts";
import { containerSecurity, type ImageUser } from "./security.ts";

export interface ContainerConfigInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly restartCount: number;
  /** What to run: an id or reference that the runtime knows. */
  readonly imageRef: string;
  readonly imageUser: ImageUser;
  readonly environment: Environment;
  readonly mounts: readonly Mount[];
  readonly memoryCapacityBytes: number;
  readonly seccompDirectory: string;
  readonly targetId?: string;
}

/** Source: kuberuntime_container.go generateContainerConfig. */
export function containerConfig(input: ContainerConfigInput): ContainerConfig {
  const { pod, container, restartCount, environment } = input;
  const expanded = (words: readonly string[] = []): string[] =>
    words.map((word) => expand(word, environment.lookup));
  return {
    metadata: { name: container.name, attempt: restartCount },
    image: { image: input.imageRef, userSpecifiedImage: container.image },
    command: expanded(container.command),
    args: expanded(container.args),
    workingDir: container.workingDir,
    envs: environment.variables.map(({ name, value }) => ({ key: name, value })),
    mounts: input.mounts,
    labels: containerLabels(pod, container),
    annotations: containerAnnotations(pod, container, restartCount),
    logPath: containerLogPath(container.name, restartCount),
    stdin: container.stdin,
    stdinOnce: container.stdinOnce,
    tty: container.tty,
    linux: {
      resources: linuxResources(pod, container, input),
      securityContext: containerSecurity({
        pod,
        container,
        image: input.imageUser,
        seccompDirectory: input.seccompDirectory,
        ...(input.targetId !== undefined && { targetId: input.targetId }),
      }),
    },
  };
}
