import { IoError } from "#base/files.ts";
import type { Processes } from "#base/processes.ts";

/** Mounts in the node's mount namespace. */
export interface Mounts {
  tmpfs(path: string, sizeBytes: number | undefined): Promise<void>;
  /**
   * Shows `subPath` of `volume` at `target`, which is made. What the path leads to is opened once
   * and checked to lie inside the volume, so that no link inside can lead out of it.
   */
  bindInside(bind: BindInside): Promise<void>;
  /** Unmounts everything below `directory`, the innermost first. */
  unmountBelow(directory: string): Promise<void>;
}

export interface BindInside {
  readonly volume: string;
  readonly subPath: string;
  readonly target: string;
}

/** `enter`: words that put a command into the namespace. */
export function createMounts(processes: Processes, enter: readonly string[]): Mounts {
  async function shell(script: string, args: readonly string[]): Promise<void> {
    const [command = "sh", ...rest] = [...enter, "sh", "-ec", script, "sh", ...args];
    const { code, stderr } = await processes.run(command, rest);
    if (code !== 0) throw new IoError("mount", "EFAILED", { detail: stderr.trim() });
  }

  return {
    tmpfs: (path, sizeBytes) => {
      const options = sizeBytes === undefined ? "mode=0777" : `mode=0777,size=${sizeBytes}`;
      return shell('mountpoint -q "$1" || mount -t tmpfs -o "$2" tmpfs "$1"', [path, options]);
    },
    bindInside: ({ volume, subPath, target }) => shell(bindScript, [volume, subPath, target]),
    unmountBelow: (directory) => shell(unmountScript, [directory]),
  };
}

const bindScript = `
volume=$(readlink -f "$1")
if [ ! -e "$volume/$2" ]; then
  parent=$(readlink -m "$volume/$2")
  case "$parent/" in "$volume"/*) mkdir -p -m 0750 "$parent" ;; *) echo "subpath is outside of the volume" >&2; exit 1 ;; esac
fi
exec 3<"$volume/$2"
real=$(readlink /proc/self/fd/3)
case "$real/" in "$volume"/*) ;; *) echo "subpath $real is outside of the volume" >&2; exit 1 ;; esac
if mountpoint -q "$3" 2>/dev/null; then
  if [ "$3" -ef /proc/self/fd/3 ]; then exit 0; fi
  umount -l "$3"
fi
if [ -d "$real" ]; then mkdir -p "$3"; else mkdir -p "$(dirname "$3")"; : >"$3"; fi
mount --no-canonicalize --bind /proc/self/fd/3 "$3"`;

const unmountScript = `
cut -d" " -f2 /proc/self/mounts | grep -F "$1/" | sort -r | while read -r at; do umount -l "$at"; done
exit 0`;
