import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptsGzip, negotiateExposition } from "../../src/core/negotiate.ts";
import { forEachSeed } from "../support/random.ts";

const prometheus2 =
  "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75," +
  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
const prometheus3 =
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5," +
  "application/openmetrics-text;version=0.0.1;q=0.4," +
  "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

const formats: readonly (readonly [accept: string | undefined, format: "text" | "openmetrics"])[] = [
  [undefined, "text"],
  ["", "text"],
  ["*/*", "text"],
  ["text/plain", "text"],
  ["text/*", "text"],
  [browser, "text"],
  [prometheus2, "openmetrics"],
  [prometheus3, "openmetrics"],
  ["application/openmetrics-text", "openmetrics"],
  ["application/openmetrics-text; version=1.0.0; charset=utf-8", "openmetrics"],
  ['Application/OpenMetrics-Text; Version="1.0.0"; Q=0.1', "openmetrics"],
  ["application/openmetrics-text;version=0.0.1", "text"],
  ["application/openmetrics-text;version=2.0.0,text/plain;q=0.1", "text"],
  ["application/openmetrics-text;q=0", "text"],
  ["application/openmetrics-text;q=0,*/*;q=0", "text"],
  ["application/openmetrics-text;q=0.4,text/plain;q=0.5", "text"],
  ["application/openmetrics-text;q=0.5,text/plain;q=0.4", "openmetrics"],
  ["application/openmetrics-text;q=0.5,*/*;q=0.6", "text"],
  ["application/openmetrics-text;q=0.5,*/*;q=0.6,text/plain;q=0.1", "openmetrics"],
  ["application/openmetrics-text,*/*", "openmetrics"],
  ["*/*,application/openmetrics-text", "openmetrics"],
  ["text/*,application/openmetrics-text", "openmetrics"],
  ["text/plain,application/openmetrics-text", "text"],
  ["application/openmetrics-text,text/plain", "openmetrics"],
  ["text/plain;version=1.0.0,application/openmetrics-text;q=0.1", "openmetrics"],
  ["text/plain;version=0.0.4;q=0.1,text/plain;q=0.9,application/openmetrics-text;q=0.5", "text"],
  ["application/openmetrics-text;q=2", "text"],
  ["application/openmetrics-text;q=", "text"],
  ["application/openmetrics-text;q=0.1234,text/plain;q=0.1", "text"],
  ["application/json", "text"],
  [";;;,,,q=1,=", "text"],
];

for (const [accept, format] of formats) {
  test(`Accept: ${accept} is answered in ${format}`, () => {
    assert.equal(negotiateExposition(accept, undefined).format, format);
  });
}

test("the content types, to the letter", () => {
  assert.equal(negotiateExposition(undefined, undefined).contentType, "text/plain; version=0.0.4; charset=utf-8");
  const { contentType } = negotiateExposition(prometheus3, undefined);
  assert.equal(contentType, "application/openmetrics-text; version=1.0.0; charset=utf-8");
});

const codings: readonly (readonly [acceptEncoding: string | undefined, gzip: boolean])[] = [
  [undefined, false],
  ["", false],
  ["gzip", true],
  ["GZIP", true],
  ["x-gzip", true],
  ["deflate, gzip;q=1.0, *;q=0.5", true],
  ["gzip, deflate, br, zstd", true],
  ["*", true],
  ["br", false],
  ["gzip;q=0", false],
  ["gzip;q=0.000", false],
  ["gzip;q=0, *", false],
  ["*;q=0", false],
  ["identity", false],
  ["identity;q=1, gzip;q=0.5", false],
  ["identity;q=0.5, gzip;q=0.5", true],
  ["identity;q=0, gzip;q=0.1", true],
  ["identity, *;q=0.1", false],
  ["gzip;q=x", false],
];

for (const [acceptEncoding, gzip] of codings) {
  test(`Accept-Encoding: ${acceptEncoding} ${gzip ? "takes" : "does not take"} gzip`, () => {
    assert.equal(acceptsGzip(acceptEncoding), gzip);
    assert.equal(negotiateExposition("text/plain", acceptEncoding).gzip, gzip);
  });
}

test("any header has an answer, and only OpenMetrics by name is answered with OpenMetrics", () => {
  const names = ["text/plain", "application/openmetrics-text", "*/*", "gzip"];
  const parts = [...names, ";", ",", "q=", "0.5", '"', "version=1.0.0", " "];
  let openMetrics = 0;
  forEachSeed(2000, (random) => {
    const header = Array.from({ length: random.int(0, 12) }, () => random.pick(parts)).join("");
    const { format, contentType } = negotiateExposition(header, header);
    assert.equal(contentType.startsWith("application/openmetrics-text"), format === "openmetrics");
    if (format === "text") return;
    openMetrics++;
    assert.match(header, /application\/openmetrics-text/);
  });
  assert.ok(openMetrics > 30, `${openMetrics}`);
});

test("a header of 50 000 ranges is read in one pass", { timeout: 20_000 }, () => {
  const header = "a/b;q=0.5,".repeat(50_000) + "application/openmetrics-text";
  assert.equal(negotiateExposition(header, `${header},gzip`).format, "openmetrics");
  const spaces = " ".repeat(50_000);
  assert.equal(acceptsGzip(`gzip${spaces};${spaces}q=1`), true);
});
