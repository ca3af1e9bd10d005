/** The arguments with which `process.execPath` runs TypeScript-importing source text as a module of its own process. */
export function moduleArgs(source: string): string[] {
  return ["--experimental-strip-types", "--disable-warning=ExperimentalWarning", "--input-type=module", "-e", source];
}

/** How such source text names a file of this repository, given from its root. */
export function importPath(path: string): string {
  return JSON.stringify(new URL(`../../${path}`, import.meta.url));
}
