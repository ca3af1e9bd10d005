/**
 * Turns a list of routes into a table, and a method and a path into the route that answers them.
 *
 * A pattern is `/` and segments: plain ones match themselves, `:name` matches one segment that is not empty.
 * Order: independent of the order of the list. The plain segment beats the `:name`, from the left.
 * Errors: a faulty pattern, or two routes that answer the same requests, throw a `TypeError` when the table is made;
 *   matching is total.
 * Cost: a path without parameters is one Map lookup; the others are tried against the patterns of the same length.
 * Not: no normalising of paths (`//`, `/./`, a slash at the end, encoded letters): they are other paths, and unknown.
 */

/** What the table needs to know of a route. */
export interface RouteKey {
  readonly method: string;
  readonly pattern: string;
}

export type RouteParams = Readonly<Record<string, string>>;

export interface FoundRoute<R> {
  readonly kind: "found";
  readonly route: R;
  readonly params: RouteParams;
}

export type RouteMatch<R> =
  | FoundRoute<R>
  /** The path is known with other methods: these. */
  | { readonly kind: "wrong-method"; readonly allow: readonly string[] }
  /** A parameter is not the percent-encoding of UTF-8 text. */
  | { readonly kind: "malformed"; readonly segment: string }
  | { readonly kind: "unknown" };

interface CompiledPattern<R> {
  readonly route: R;
  readonly method: string;
  /** Plain text, or the name of a parameter. */
  readonly segments: readonly { readonly text: string; readonly isParam: boolean }[];
}

export interface RouteTable<R> {
  readonly plain: ReadonlyMap<string, ReadonlyMap<string, FoundRoute<R>>>;
  /** By number of segments, the most specific pattern first. */
  readonly patterns: ReadonlyMap<number, readonly CompiledPattern<R>[]>;
}

export const NO_PARAMS: RouteParams = Object.freeze(Object.create(null) as Record<string, string>);
const PARAM_NAME = /^[a-zA-Z][a-zA-Z0-9]*$/;
const PLAIN_SEGMENT = /^[a-zA-Z0-9._~-]+$/;
const UNKNOWN = { kind: "unknown" } as const;

/** Throws a `TypeError` that names the pattern when one is faulty or stands there twice. */
export function compileRoutes<R extends RouteKey>(routes: readonly R[]): RouteTable<R> {
  const plain = new Map<string, Map<string, FoundRoute<R>>>();
  const patterns = new Map<number, CompiledPattern<R>[]>();
  const shapes = new Set<string>();
  for (const route of routes) {
    const compiled = compilePattern(route);
    const shape = `${route.method} /${compiled.segments.map((part) => (part.isParam ? ":" : part.text)).join("/")}`;
    if (shapes.has(shape)) throw new TypeError(`Two routes answer ${route.method} ${route.pattern}`);
    shapes.add(shape);
    if (compiled.segments.some((part) => part.isParam)) append(patterns, compiled);
    else addPlain(plain, route);
  }
  for (const list of patterns.values()) list.sort(comparePatterns);
  return { plain, patterns };
}

/** `path` is the part before the `?`, still percent-encoded. A `HEAD` is answered by the route of the `GET`. */
export function matchRoute<R extends RouteKey>(table: RouteTable<R>, method: string, path: string): RouteMatch<R> {
  const wanted = method === "HEAD" ? "GET" : method;
  const atPath = table.plain.get(path);
  const found = atPath?.get(wanted);
  if (found) return found;
  const segments = path.split("/").slice(1);
  const fitting = (table.patterns.get(segments.length) ?? []).filter((pattern) => fits(pattern, segments));
  const pattern = fitting.find((candidate) => candidate.method === wanted);
  if (pattern) return bindParams(pattern, segments);
  const methods = [...(atPath?.keys() ?? []), ...fitting.map((candidate) => candidate.method)];
  return methods.length === 0 ? UNKNOWN : { kind: "wrong-method", allow: listAllowed(methods) };
}

function compilePattern<R extends RouteKey>(route: R): CompiledPattern<R> {
  if (!route.pattern.startsWith("/")) throw new TypeError(`Route pattern "${route.pattern}" must start with "/"`);
  const names = new Set<string>();
  const segments = route.pattern
    .slice(1)
    .split("/")
    .map((segment) => {
      const isParam = segment.startsWith(":");
      const text = isParam ? segment.slice(1) : segment;
      const isLegal = isParam ? PARAM_NAME.test(text) && !names.has(text) : PLAIN_SEGMENT.test(text);
      if (!isLegal && route.pattern !== "/") {
        throw new TypeError(`Route pattern "${route.pattern}" has a faulty or repeated segment "${segment}"`);
      }
      if (isParam) names.add(text);
      return { text, isParam };
    });
  return { route, method: route.method, segments };
}

function addPlain<R extends RouteKey>(plain: Map<string, Map<string, FoundRoute<R>>>, route: R): void {
  const methods = plain.get(route.pattern) ?? new Map<string, FoundRoute<R>>();
  plain.set(route.pattern, methods.set(route.method, { kind: "found", route, params: NO_PARAMS }));
}

function append<R>(patterns: Map<number, CompiledPattern<R>[]>, pattern: CompiledPattern<R>): void {
  const list = patterns.get(pattern.segments.length) ?? [];
  list.push(pattern);
  patterns.set(pattern.segments.length, list);
}

function comparePatterns<R>(left: CompiledPattern<R>, right: CompiledPattern<R>): number {
  for (const [index, part] of left.segments.entries()) {
    const difference = Number(part.isParam) - Number(right.segments[index]!.isParam);
    if (difference !== 0) return difference;
  }
  return 0;
}

function fits<R>(pattern: CompiledPattern<R>, segments: readonly string[]): boolean {
  return pattern.segments.every((part, index) => {
    const segment = segments[index]!;
    return part.isParam ? segment !== "" : segment === part.text;
  });
}

function bindParams<R>(pattern: CompiledPattern<R>, segments: readonly string[]): RouteMatch<R> {
  const params = Object.create(null) as Record<string, string>;
  for (const [index, part] of pattern.segments.entries()) {
    if (!part.isParam) continue;
    const value = decodeSegment(segments[index]!);
    if (value === undefined) return { kind: "malformed", segment: segments[index]! };
    params[part.text] = value;
  }
  return { kind: "found", route: pattern.route, params };
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function listAllowed(methods: readonly string[]): readonly string[] {
  const allowed = new Set(methods);
  if (allowed.has("GET")) allowed.add("HEAD");
  return [...allowed].sort();
}
