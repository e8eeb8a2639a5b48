/**
 * Exclusive file locks that die with their process.
 *
 * Node has no flock(2). A lock belongs to the open file description, not to the process that asks,
 * so flock(1) takes it on a descriptor that it inherits, exits, and leaves it with us; the kernel
 * releases it when our descriptor closes, also by kill -9. Where there is no flock(1), a listening
 * socket in the abstract namespace, named after the file, does the same within one network
 * namespace. On macOS, open(2) itself takes the lock.
 */
import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { createServer } from "node:net";
import { IoError } from "../files.ts";

/** Exit status of flock(1) when another holds the lock. */
const flockConflict = 1;
/** O_EXLOCK | O_NONBLOCK of macOS. */
const darwinLockFlags = 0x20 | 0x04;

export async function lockFile(path: string): Promise<AsyncDisposable> {
  const darwin = process.platform === "darwin" ? darwinLockFlags : 0;
  const handle = await openToLock(path, darwin);
  if (darwin !== 0) return { [Symbol.asyncDispose]: () => handle.close() };
  try {
    const status = await flock(handle.fd);
    if (status === 0) return { [Symbol.asyncDispose]: () => handle.close() };
    if (status === flockConflict) throw conflict(path);
    const socket = await listenAbstract(path, handle);
    return {
      async [Symbol.asyncDispose]() {
        await socket[Symbol.asyncDispose]();
        await handle.close();
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function conflict(path: string): IoError {
  return new IoError("lock", "EWOULDBLOCK", { detail: `lock ${path}: held by another process` });
}

async function openToLock(path: string, extraFlags: number): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | constants.O_CREAT | extraFlags, 0o600);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (extraFlags !== 0 && (code === "EAGAIN" || code === "EWOULDBLOCK")) throw conflict(path);
    throw error;
  }
}

/** Exit status of `flock` on our descriptor; undefined when there is no such command. */
function flock(fd: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const child = spawn("flock", ["-n", "-x", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
    child.once("error", () => resolve(undefined));
    child.once("exit", (code) => resolve(code ?? undefined));
  });
}

async function listenAbstract(path: string, handle: FileHandle): Promise<AsyncDisposable> {
  const { dev, ino } = await handle.stat();
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "EADDRINUSE" ? conflict(path) : error),
    );
    server.listen(`\0kubets-lock-${dev}-${ino}`, resolve);
  });
  server.unref();
  return server;
}
