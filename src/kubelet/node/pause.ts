/**
 * The program of the pause image: holds a sandbox's namespaces, reaps what is reparented to it,
 * and exits on SIGTERM or SIGINT. Written as machine code so that no compiler is needed.
 *
 * What it does, in C:
 *
 *     sigprocmask(SIG_BLOCK, {INT, TERM, CHLD});       // blocked signals reach even PID 1
 *     for (;;) switch (sigtimedwait({INT, TERM, CHLD})) {
 *       case SIGINT: case SIGTERM: _exit(0);
 *       case SIGCHLD: while (wait4(-1, 0, WNOHANG, 0) > 0);
 *     }
 */
import { assert } from "#base/assert.ts";
import { type Architecture, staticElf } from "./elf.ts";

/** Bits of SIGINT (2), SIGTERM (15) and SIGCHLD (17) in a kernel signal set. */
const awaitedSignals = (1 << 1) | (1 << 14) | (1 << 16);

export function pauseProgram(architecture: Architecture): Uint8Array {
  return staticElf(architecture, architecture === "amd64" ? pauseAmd64() : pauseArm64());
}

/** System calls: rt_sigprocmask 14, rt_sigtimedwait 128, wait4 61, exit 60. */
function pauseAmd64(): Uint8Array {
  const mask = [0x68, ...littleEndian(awaitedSignals, 4)];
  const setup = [...mask, 0x48, 0x89, 0xe3, 0x31, 0xff, 0x48, 0x89, 0xde, 0x31, 0xd2];
  setup.push(0x6a, 8, 0x41, 0x5a, 0x6a, 14, 0x58, 0x0f, 0x05);
  const wait = [0x48, 0x89, 0xdf, 0x31, 0xf6, 0x31, 0xd2, 0x6a, 8, 0x41, 0x5a];
  wait.push(0xb8, 128, 0, 0, 0, 0x0f, 0x05);
  const reap = [0x6a, 0xff, 0x5f, 0x31, 0xf6, 0x6a, 1, 0x5a, 0x45, 0x31, 0xd2];
  reap.push(0x6a, 61, 0x58, 0x0f, 0x05, 0x48, 0x85, 0xc0);
  const exit = [0x31, 0xff, 0x6a, 60, 0x58, 0x0f, 0x05];

  const branchesBytes = 15; // cmp+je, cmp+je, cmp+jne
  const backBytes = 4; // jg, jmp
  const loopAt = setup.length;
  const reapAt = loopAt + wait.length + branchesBytes;
  const exitAt = reapAt + reap.length + backBytes;
  const code: number[] = [...setup, ...wait];
  const jumpTo = (opcode: number, target: number): void => {
    code.push(opcode, (target - (code.length + 2)) & 0xff);
  };
  const compare = (signal: number): void => void code.push(0x83, 0xf8, signal);
  compare(2);
  jumpTo(0x74, exitAt);
  compare(15);
  jumpTo(0x74, exitAt);
  compare(17);
  jumpTo(0x75, loopAt);
  assert(code.length === reapAt, "pause: code before the reaper has another length");
  code.push(...reap);
  jumpTo(0x7f, reapAt);
  jumpTo(0xeb, loopAt);
  assert(code.length === exitAt, "pause: code before the exit has another length");
  return Uint8Array.from([...code, ...exit]);
}

/** System calls: rt_sigprocmask 135, rt_sigtimedwait 137, wait4 260, exit 93. */
function pauseArm64(): Uint8Array {
  const words: number[] = [];
  const set = (register: number, value: number): void => {
    words.push((0xd2800000 | (value << 5) | register) >>> 0);
  };
  const call = (number: number): void => {
    set(8, number);
    words.push(0xd4000001);
  };
  const stackPointerTo = (register: number): void => void words.push((0x910003e0 | register) >>> 0);
  const compare = (value: number): void => void words.push((0xf100001f | (value << 10)) >>> 0);
  const branchTo = (condition: number, target: number): void => {
    words.push((0x54000000 | (((target - words.length) & 0x7ffff) << 5) | condition) >>> 0);
  };

  words.push(0xd10043ff); // sub sp, sp, #16
  set(0, awaitedSignals & 0xffff);
  words.push((0xf2a00000 | ((awaitedSignals >>> 16) << 5)) >>> 0); // movk x0, #high, lsl 16
  words.push(0xf90003e0); // str x0, [sp]
  set(0, 0);
  stackPointerTo(1);
  set(2, 0);
  set(3, 8);
  call(135);
  const loopAt = words.length;
  stackPointerTo(0);
  set(1, 0);
  set(2, 0);
  set(3, 8);
  call(137);
  const exitAt = loopAt + 6 + 6 + 9;
  const [equal, notEqual, greater, always] = [0, 1, 12, 14] as const;
  compare(2);
  branchTo(equal, exitAt);
  compare(15);
  branchTo(equal, exitAt);
  compare(17);
  branchTo(notEqual, loopAt);
  const reapAt = words.length;
  words.push(0x92800000); // mov x0, #-1
  set(1, 0);
  set(2, 1);
  set(3, 0);
  call(260);
  compare(0);
  branchTo(greater, reapAt);
  branchTo(always, loopAt);
  assert(words.length === exitAt, "pause: code before the exit has another length");
  set(0, 0);
  call(93);
  return Uint8Array.from(words.flatMap((word) => littleEndian(word, 4)));
}

function littleEndian(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (value >>> (8 * i)) & 0xff);
}
