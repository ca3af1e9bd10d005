import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { hideSecrets, readDefinition } from "../../../src/config.ts";
import { type Catalog, emptyCatalog, readCatalog } from "../../../src/plugins/jobs/sources.ts";
import { readDefinitionFolder } from "../../../src/system/definition-folder.ts";
import { job, jobsConfig } from "../../support/jobs.ts";
import { tempDir } from "../../support/temp-dir.ts";

interface Stand {
  write(file: string, value: unknown): void;
  remove(file: string): void;
  chmod(mode: number): void;
  read(config?: Record<string, unknown>, stored?: Record<string, unknown>): Catalog;
}

/** A folder of job files; each reading remembers the one before. */
function stand(t: TestContext): Stand {
  const folder = join(tempDir(t), "jobs.d");
  mkdirSync(folder, { mode: 0o700 });
  const references = { env: { KEY: "canary-key" }, home: "/home/me", uid: process.getuid?.(), base: "/etc/app" };
  const services = {
    definitions: {
      read: <T>(schema: Parameters<typeof readDefinition<T>>[0], value: unknown) =>
        readDefinition(schema, value, references),
      show: hideSecrets,
      readFolder: (path: string) => readDefinitionFolder(path, references.uid),
    },
    secrets: () => ["canary-config"],
  };
  let before = emptyCatalog;
  return {
    write: (file, value) =>
      writeFileSync(join(folder, file), typeof value === "string" ? value : JSON.stringify(value), { mode: 0o600 }),
    remove: (file) => rmSync(join(folder, file)),
    chmod: (mode) => chmodSync(folder, mode),
    read: (config = {}, stored = {}) =>
      (before = readCatalog(services, {
        config: jobsConfig({ directory: folder, ...config }),
        stored: new Map(Object.entries(stored)),
        before,
      })),
  };
}

const sourcesOf = (catalog: Catalog): string[] =>
  [...catalog.jobs.values()].map(({ name, source }) => `${name} ${source.from}`);

describe("the jobs in force", () => {
  test("come from the config, from files with one or many, and from the API", (t) => {
    const at = stand(t);
    at.write("one.json", job("b"));
    at.write("many.json", [job("c"), job("d")]);
    const catalog = at.read({ jobs: [job("a")] }, { e: job("e") });
    assert.deepEqual(sourcesOf(catalog), ["a config", "c file", "d file", "b file", "e api"]);
    assert.deepEqual([catalog.problems, catalog.warnings], [[], []]);
  });

  test("that name a job which is not there are told of: word of a failure would reach nobody", (t) => {
    const at = stand(t);
    const hurt = job("a", { onFailure: { job: "b" }, onSuccess: { url: "http://x" } });
    assert.deepEqual(at.read({ jobs: [hurt] }).problems, [
      'onFailure of the job "a" names the job "b", which is not there',
    ]);
    assert.deepEqual(at.read({ jobs: [hurt, job("b")] }).problems, []);
    const blocked = { b: job("b", { env: { A: "${GONE}" } }) };
    assert.match(at.read({ jobs: [hurt] }, blocked).problems.join("; "), /^the job "b" cannot run: [^;]*$/);
  });

  test("that keep a session run one at a time, whatever the config says of jobs in general", (t) => {
    const kept = { name: "a", agent: { prompt: "go on", session: "kept" } };
    const { jobs } = stand(t).read({ jobs: [kept, job("b")], defaults: { overlap: "parallel" } });
    assert.deepEqual(
      [...jobs.values()].map(({ policy }) => policy.overlap),
      ["skip", "parallel"],
    );
  });

  test("of one name: the config wins over files, files over the API; the others are told of", (t) => {
    const at = stand(t);
    at.write("x.json", [job("a"), job("b")]);
    at.write("y.json", job("b"));
    const catalog = at.read({ jobs: [job("a")] }, { a: job("a"), b: job("b") });
    assert.deepEqual(sourcesOf(catalog), ["a config", "b file"]);
    assert.equal(catalog.problems.length, 4);
    assert.match(catalog.problems[0]!, /^the job "a" of .*x\.json does not count: the config has one of that name$/);
  });

  test("a file that goes bad leaves in force what it held; one that goes takes its jobs along", (t) => {
    const at = stand(t);
    at.write("x.json", job("a"));
    at.write("y.json", [job("b"), job("c")]);
    at.read();
    at.write("x.json", "{not json");
    at.write("y.json", [job("b", { schedule: "61 * * * *" }), job("c", { command: ["new"] })]);
    const catalog = at.read();
    assert.deepEqual(sourcesOf(catalog).sort(), ["a file", "b file", "c file"]);
    assert.deepEqual(catalog.jobs.get("c")!.definition.command, ["new"]);
    assert.equal(catalog.problems.length, 2);
    assert.match(catalog.problems[0]!, /x\.json is not JSON: line 1/);
    assert.match(catalog.problems[1]!, /y\.json, job 0: schedule: Cannot parse schedule/);
    at.remove("x.json");
    at.write("y.json", [job("c")]);
    assert.deepEqual(sourcesOf(at.read()), ["c file"]);
  });

  test("a folder that others may write is refused as a whole, and what it held stays", (t) => {
    const at = stand(t);
    at.write("x.json", job("a"));
    at.read();
    at.chmod(0o777);
    const catalog = at.read();
    assert.deepEqual(sourcesOf(catalog), ["a file"]);
    assert.match(catalog.problems.join(), /jobs\.d can be changed by others \(mode 0777\)/);
  });

  test("a job of the API that cannot be read any more is blocked, and says why", (t) => {
    const catalog = stand(t).read({}, { a: job("a", { env: { X: "${GONE}" } }), b: job("b") });
    assert.deepEqual(sourcesOf(catalog), ["b api"]);
    assert.deepEqual([...catalog.blocked], [["a", "env.X: the environment variable GONE is not set"]]);
  });
});

test("what is run is taken as it is written, and nothing in it becomes a secret", (t) => {
  const at = stand(t);
  const shell = "x=5; echo ${x} ${KEY} $${y}";
  at.write("x.json", [
    { name: "a", shell, precheck: { shell } },
    { name: "b", command: ["echo", "${x}"] },
    { name: "c", agent: { prompt: "what is ${x}?" } },
    { name: "d", shell, env: { KEY: "${KEY}" } },
  ]);
  const { jobs, problems } = at.read();
  assert.deepEqual(problems, []);
  const { a, b, c, d } = Object.fromEntries(jobs);
  assert.deepEqual([a!.definition.shell, a!.definition.precheck!.shell, a!.shown["shell"]], [shell, shell, shell]);
  assert.deepEqual([b!.definition.command, c!.definition.agent!.prompt], [["echo", "${x}"], "what is ${x}?"]);
  assert.deepEqual([a!.secrets, d!.secrets], [[], ["canary-key"]]);
});

describe("secrets", () => {
  test("are filled in, told apart, and shown nowhere", (t) => {
    const at = stand(t);
    at.write(
      "x.json",
      job("a", {
        env: { KEY: "${KEY}", OTHER: "canary-other" },
        onFailure: { url: "https://canary-hook.example/" },
        description: "uses canary-other",
      }),
    );
    const { jobs } = at.read({ jobs: [job("b", { env: { X: "canary-config" }, description: "has canary-config" })] });
    const found = jobs.get("a")!;
    assert.equal(found.definition.env!["KEY"], "canary-key");
    assert.deepEqual(new Set(found.secrets), new Set(["canary-key", "canary-other", "https://canary-hook.example/"]));
    for (const { shown } of jobs.values()) assert.doesNotMatch(JSON.stringify(shown), /canary/);
  });

  test("a file with one that others can read is warned of", (t) => {
    const at = stand(t);
    at.write("x.json", job("a", { env: { KEY: "canary-key-2" } }));
    at.write("y.json", job("b", { env: { KEY: "${KEY}" } }));
    assert.deepEqual(at.read().warnings, []);
    const folder = at.read().jobs.get("a")!.source;
    assert.ok(folder.from === "file");
    chmodSync(folder.path, 0o644);
    chmodSync(folder.path.replace("x.json", "y.json"), 0o644);
    assert.deepEqual(at.read().warnings, [
      `${folder.path} holds a secret and can be read by others; run: chmod 600 ${folder.path}`,
    ]);
  });
});
