import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

test("the HTTP server and the command line load no undici, which would cost 10 MiB", () => {
  const script = `
    for (const part of ["daemon", "client", "cli/main"]) await import(new URL("../../src/" + part + ".ts", ${JSON.stringify(import.meta.url)}));
    console.log(process.moduleLoadList.filter((name) => name.includes("undici")).join());`;
  const flags = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning", "--input-type=module"];
  assert.equal(execFileSync(process.execPath, [...flags, "--eval", script], { encoding: "utf8" }).trim(), "");
});
