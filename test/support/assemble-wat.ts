/**
 * WebAssembly text of the few forms that the vector kernels are written in -> the bytes of the module.
 *
 * Source: WebAssembly core specification 2.0, chapter 5 (binary format). An assembler of its own, so that a slip of the
 * hand in the bytes, or in the text, is found.
 */
const VALUE_TYPES: Record<string, number> = { i32: 0x7f, v128: 0x7b };
/** After 0xfd, as LEB128. */
const SIMD: Record<string, number> = {
  "v128.load": 0,
  "v128.load8x8_s": 1,
  "i32x4.splat": 17,
  "f32x4.splat": 19,
  "i32x4.extract_lane": 27,
  "f32x4.extract_lane": 31,
  "i32x4.add": 174,
  "i32x4.dot_i16x8_s": 186,
  "f32x4.add": 228,
  "f32x4.mul": 230,
};
const PLAIN: Record<string, number[]> = {
  loop: [0x03, 0x40],
  end: [0x0b],
  "i32.add": [0x6a],
  "i32.lt_u": [0x49],
  "f32.add": [0x92],
};
const LOCALS: Record<string, number> = { "local.get": 0x20, "local.set": 0x21, "local.tee": 0x22 };
const STORES: Record<string, number> = { "i32.store": 0x36, "f32.store": 0x38 };
/** log2 of the bytes that an access is naturally aligned to. */
const ALIGNMENTS: Record<string, number> = { "v128.load": 4, "v128.load8x8_s": 3, "i32.store": 2, "f32.store": 2 };

export function assembleWat(text: string): Uint8Array {
  const source = text.replace(/;;.*$/gm, "");
  const params = source.match(/\(func \(param ([^)]*)\)\)/)![1]!.split(" ");
  const [, module, field, pages] = /\(import "(\w+)" "(\w+)" \(memory (\d+)\)\)/.exec(source)!;
  const exported = /\(export "(\w+)" \(func/.exec(source)![1]!;
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, ...vector(params.map((type) => VALUE_TYPES[type]!)), 0]),
    ...section(2, [1, ...name(module!), ...name(field!), 2, 0, ...unsigned(Number(pages))]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name(exported), 0, 0]),
    ...section(10, [1, ...vector(functionBody(source))]),
  ]);
}

function functionBody(source: string): number[] {
  const params = [...source.matchAll(/\(param (\$\w+) \w+\)/g)].map((match) => match[1]!);
  const locals = [...source.matchAll(/\(local (\$\w+) (\w+)\)/g)].map((match) => [match[1]!, match[2]!] as const);
  const names = [...params, ...locals.map(([local]) => local)];
  const body = source.slice(source.lastIndexOf("(local"));
  const instructions = body.slice(body.indexOf("\n")).replace(/[()]/g, "").trim().split(/\s\s+/);
  const code = instructions
    .filter((instruction) => instruction !== "")
    .flatMap((instruction) => encode(instruction, names));
  return [...localRuns(locals.map(([, type]) => type)), ...code, 0x0b];
}

/** Neighbours of one type are declared together. */
function localRuns(types: readonly string[]): number[] {
  const runs: [count: number, type: string][] = [];
  for (const type of types) {
    if (runs.at(-1)?.[1] === type) runs.at(-1)![0]++;
    else runs.push([1, type]);
  }
  return [runs.length, ...runs.flatMap(([count, type]) => [count, VALUE_TYPES[type]!])];
}

function encode(instruction: string, names: readonly string[]): number[] {
  const [name = "", argument = ""] = instruction.split(" ");
  if (name in PLAIN) return PLAIN[name]!;
  if (name in LOCALS) return [LOCALS[name]!, names.indexOf(argument)];
  if (name === "i32.const") return [0x41, ...signed(Number(argument))];
  if (name === "f32.const") return [0x43, ...new Uint8Array(new Float32Array([Number(argument)]).buffer)];
  if (name === "br_if") return [0x0d, Number(argument)];
  if (name in ALIGNMENTS)
    return [...opcode(name), ALIGNMENTS[name]!, ...unsigned(Number(argument.replace("offset=", "")))];
  if (name in SIMD) return [...opcode(name), ...(argument === "" ? [] : [Number(argument)])];
  throw new SyntaxError(`Cannot assemble "${instruction}": unknown instruction`);
}

function opcode(name: string): number[] {
  return name in STORES ? [STORES[name]!] : [0xfd, ...unsigned(SIMD[name]!)];
}

function section(id: number, content: number[]): number[] {
  return [id, ...vector(content)];
}

function name(text: string): number[] {
  return vector([...text].map((character) => character.charCodeAt(0)));
}

function vector(bytes: number[]): number[] {
  return [...unsigned(bytes.length), ...bytes];
}

function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  if (value >= -64 && value < 64) return [value & 127];
  return [(value & 127) | 128, ...signed(value >> 7)];
}
