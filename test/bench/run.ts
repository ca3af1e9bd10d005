/**
 * `npm run bench`: runs every benchmark, or those named (`npm run bench -- exposition store`), each in a process of its
 * own, so that none inherits the heap or the compiled code of another.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

const directory = new URL("./", import.meta.url);
const all = readdirSync(directory)
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => file.slice(0, -".bench.ts".length))
  .sort();

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`there is no benchmark ${unknown.join(", ")}; there are ${all.join(", ")}`);
  process.exit(2);
}

for (const name of asked.length > 0 ? asked : all) {
  console.log(`\n# ${name}`);
  const script = `await (await import(${JSON.stringify(new URL(`${name}.bench.ts`, directory).href)})).bench();`;
  const { status } = spawnSync(
    process.execPath,
    [...process.execArgv, "--expose-gc", "--input-type=module", "--eval", script],
    { stdio: "inherit" },
  );
  if (status !== 0) process.exitCode = 1;
}
