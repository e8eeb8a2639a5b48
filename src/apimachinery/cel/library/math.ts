import { checkedInt } from "../arithmetic.ts";
import type { Expr } from "../ast.ts";
import { defineLibrary, selfChecked, type OverloadRow } from "../declaration.ts";
import { compare, isNumeric } from "../equality.ts";
import type { Macro, MacroCall, MacroError } from "../macros.ts";
import { CelError, CelUint, type CelList, type CelValue } from "../value.ts";

function isNumericArgument(arg: Expr): boolean {
  if (arg.kind === "literal") return isNumeric(arg.value);
  return arg.kind !== "list" && arg.kind !== "map" && arg.kind !== "struct";
}

function isNumericList(arg: Expr): boolean {
  return arg.kind === "list" && arg.elements.length > 0 && arg.elements.every(isNumericArgument);
}

/** `math.least(...)` and `math.greatest(...)` take any number of arguments. */
function variadic(name: "least" | "greatest", implementation: string): Macro {
  const expand = ({ build, offset, target, args }: MacroCall): Expr | MacroError | undefined => {
    if (target?.kind !== "ident" || target.name !== "math") return undefined;
    const failure = (at: Expr, message: string): MacroError => {
      return { kind: "error", offset: at.offset, message: `math.${name}() ${message}` };
    };
    const [first] = args;
    if (first === undefined) return failure(target, "requires at least one argument");
    if (args.length === 1) {
      if (isNumericList(first) || isNumericArgument(first)) {
        return build.call(offset, implementation, args);
      }
      return failure(first, "invalid single argument value");
    }
    const wrong = args.find((arg) => !isNumericArgument(arg));
    if (wrong !== undefined) return failure(wrong, "simple literal arguments must be numeric");
    if (args.length === 2) return build.call(offset, implementation, args);
    return build.call(offset, implementation, [build.list(offset, args)]);
  };
  return { name, argCount: "any", member: true, expand };
}

type Pick = (a: CelValue, b: CelValue) => CelValue;

function pick(name: string, keepsFirst: (order: number) => boolean): Pick {
  return (a, b) => {
    const order = isNumeric(a) ? compare(a, b) : undefined;
    if (order === undefined) throw new CelError(`no such overload: ${name}`);
    if (Number.isNaN(order)) throw new CelError(`NaN values cannot be ordered: ${name}`);
    return keepsFirst(order) ? a : b;
  };
}

function pickFrom(name: string, better: Pick): (list: CelList) => CelValue {
  return (list) => {
    if (list.size === 0) throw new CelError(`${name}(list) argument must not be empty`);
    let best = list.at(0);
    for (let i = 1; i < list.size; i++) best = better(best, list.at(i));
    if (!isNumeric(best)) throw new CelError(`no such overload: ${name}`);
    return best;
  };
}

function extremeRows(name: "@min" | "@max", better: Pick): OverloadRow[] {
  const fn = `math.${name}`;
  const identity = selfChecked((value) => value);
  const types = ["double", "int", "uint"];
  const rows: OverloadRow[] = types.map((t) => [
    `math_${name}_${t}`,
    `${fn}(${t}) -> ${t}`,
    identity,
  ]);
  for (const a of types) {
    for (const b of types) {
      rows.push([`math_${name}_${a}_${b}`, `${fn}(${a}, ${b}) -> ${a === b ? a : "dyn"}`, better]);
    }
  }
  const fromList = pickFrom(fn, better);
  return rows.concat(
    types.map((t): OverloadRow => [
      `math_${name}_list_${t}`,
      `${fn}(list(${t})) -> ${t}`,
      fromList,
    ]),
  );
}

function goRound(value: number): number {
  if (!Number.isFinite(value)) return value;
  const rounded = Math.trunc(Math.abs(value) + 0.5);
  // 0.49999999999999994 + 0.5 is 1.
  const nearest = rounded - Math.abs(value) > 0.5 ? rounded - 1 : rounded;
  return value < 0 ? -nearest : nearest;
}

function bits(name: string, of: (a: bigint, b: bigint) => bigint): OverloadRow[] {
  const forUints = (a: CelUint, b: CelUint): CelUint => new CelUint(of(a.value, b.value));
  return [
    [`math_${name}_int_int`, `math.${name}(int, int) -> int`, of],
    [`math_${name}_uint_uint`, `math.${name}(uint, uint) -> uint`, forUints],
  ];
}

function shiftOffset(name: string, offset: bigint): bigint {
  if (offset < 0n) throw new CelError(`math.${name}() negative offset: ${offset}`);
  return offset > 64n ? 64n : offset;
}

function shiftLeft(value: bigint, by: bigint): bigint {
  return BigInt.asIntN(64, value << shiftOffset("bitShiftLeft", by));
}

function shiftUintLeft(value: CelUint, by: bigint): CelUint {
  return new CelUint(BigInt.asUintN(64, value.value << shiftOffset("bitShiftLeft", by)));
}

function shiftRight(value: bigint, by: bigint): bigint {
  return BigInt.asIntN(64, BigInt.asUintN(64, value) >> shiftOffset("bitShiftRight", by));
}

function shiftUintRight(value: CelUint, by: bigint): CelUint {
  return new CelUint(value.value >> shiftOffset("bitShiftRight", by));
}

function sign(value: bigint): bigint {
  return value > 0n ? 1n : value < 0n ? -1n : 0n;
}

/** cel-go's math extension. Not part of Kubernetes' environments. Source: cel-go ext/math.go. */
export const mathLibrary = defineLibrary({
  name: "cel.lib.ext.math",
  macros: [variadic("least", "math.@min"), variadic("greatest", "math.@max")],
  rows: [
    ...extremeRows(
      "@min",
      pick("math.@min", (order) => order <= 0),
    ),
    ...extremeRows(
      "@max",
      pick("math.@max", (order) => order >= 0),
    ),
    ["math_ceil_double", "math.ceil(double) -> double", Math.ceil],
    ["math_floor_double", "math.floor(double) -> double", Math.floor],
    ["math_round_double", "math.round(double) -> double", goRound],
    ["math_trunc_double", "math.trunc(double) -> double", Math.trunc],
    ["math_isInf_double", "math.isInf(double) -> bool", (v: number) => Math.abs(v) === Infinity],
    ["math_isNaN_double", "math.isNaN(double) -> bool", Number.isNaN],
    ["math_isFinite_double", "math.isFinite(double) -> bool", Number.isFinite],
    ["math_abs_double", "math.abs(double) -> double", Math.abs],
    ["math_abs_int", "math.abs(int) -> int", (v: bigint) => checkedInt(v < 0n ? -v : v)],
    ["math_abs_uint", "math.abs(uint) -> uint", (v: CelUint) => v],
    ["math_sign_double", "math.sign(double) -> double", Math.sign],
    ["math_sign_int", "math.sign(int) -> int", sign],
    ["math_sign_uint", "math.sign(uint) -> uint", (v: CelUint) => new CelUint(sign(v.value))],
    ["math_sqrt_double", "math.sqrt(double) -> double", Math.sqrt],
    ["math_sqrt_int", "math.sqrt(int) -> double", (v: bigint) => Math.sqrt(Number(v))],
    ["math_sqrt_uint", "math.sqrt(uint) -> double", (v: CelUint) => Math.sqrt(Number(v.value))],
    ...bits("bitAnd", (a, b) => a & b),
    ...bits("bitOr", (a, b) => a | b),
    ...bits("bitXor", (a, b) => a ^ b),
    ["math_bitNot_int_int", "math.bitNot(int) -> int", (v: bigint) => ~v],
    [
      "math_bitNot_uint_uint",
      "math.bitNot(uint) -> uint",
      (v: CelUint) => new CelUint(BigInt.asUintN(64, ~v.value)),
    ],
    ["math_bitShiftLeft_int_int", "math.bitShiftLeft(int, int) -> int", shiftLeft],
    ["math_bitShiftLeft_uint_int", "math.bitShiftLeft(uint, int) -> uint", shiftUintLeft],
    ["math_bitShiftRight_int_int", "math.bitShiftRight(int, int) -> int", shiftRight],
    ["math_bitShiftRight_uint_int", "math.bitShiftRight(uint, int) -> uint", shiftUintRight],
  ],
});
