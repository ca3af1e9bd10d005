import assert from "node:assert/strict";
import { test } from "node:test";
import { classifyError } from "../../src/extension/provider-error.ts";

const texts: readonly (readonly [text: string, errorClass: string])[] = [
  ["429: Too many requests", "rate_limit"],
  ["429 status code (no body)", "rate_limit"],
  ['{"type":"error","error":{"type":"rate_limit_error"}}', "rate_limit"],
  ["You exceeded your current quota", "rate_limit"],
  ["You have hit your ChatGPT usage limit", "rate_limit"],
  ["529: Overloaded", "overloaded"],
  ["overloaded_error", "overloaded"],
  ["401: Incorrect API key provided", "auth"],
  ["403: Forbidden", "auth"],
  ["invalid x-api-key", "auth"],
  ["prompt is too long: 210000 tokens > 200000 maximum", "context"],
  ["400: This model's maximum context length is 8192 tokens", "context"],
  ["input exceeds the context window", "context"],
  ["Request timed out.", "timeout"],
  ["504 Gateway Timeout", "timeout"],
  ["Request was aborted.", "aborted"],
  ["This operation was aborted", "aborted"],
  ["400: bad request", "http_4xx"],
  ["404 model not found", "http_4xx"],
  ["500: internal error", "http_5xx"],
  ["502 Bad Gateway", "http_5xx"],
  ["HTTP status: 503", "http_5xx"],
  ["Connection error.", "other"],
  ["fetch failed", "other"],
  ["read 4000 bytes", "other"],
  ["", "other"],
];
for (const [text, errorClass] of texts) {
  test(`${JSON.stringify(text)} is ${errorClass}`, () => assert.equal(classifyError(text), errorClass));
}

test("a long text is classified in time", () => {
  assert.equal(classifyError("x ".repeat(500_000)), "other");
});
