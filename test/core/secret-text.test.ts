import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { redactSecrets } from "../../src/core/secret-text.ts";

// Put together here, so that no scanner takes this file for a leak.
const LETTERS = "aB3dE5gH7jK9mN1pQ2sT4vW6xY8zA0cD3fG5hJ7kL9nP1rS2uV4wX6yZ8bC0eF3g";
const some = (length: number): string => LETTERS.repeat(3).slice(0, length);
const hex = (length: number): string => "0123456789abcdef".repeat(8).slice(0, length);
const upper = (length: number): string => "Q2W3E4R5T6Y7U2I3O4P5".repeat(8).slice(0, length);

describe("what is hidden", () => {
  const tokens: readonly (readonly [string, string])[] = [
    ["AWS", `AKIA${upper(16)}`],
    ["Google", `AIza${some(35)}`],
    ["Google OAuth", `ya29.${some(40)}`],
    ["GitHub", `ghp_${some(36)}`],
    ["GitHub, fine-grained", `github_pat_${some(82)}`],
    ["GitHub App", `ghs_${some(36)}`],
    ["GitLab", `glpat-${some(20)}`],
    ["GitLab, routable", `glpat-${some(27)}.${hex(2)}${hex(7)}`],
    ["Slack", `xoxb-${hex(11)}-${hex(11)}-${some(24)}`],
    ["Slack app", `xapp-1-A${upper(9)}-${hex(12)}-${hex(32)}`],
    ["OpenAI", `sk-proj-${some(60)}`],
    ["OpenAI, old", `sk-${some(48)}`],
    ["Anthropic", `sk-ant-api03-${some(93)}AA`],
    ["OpenRouter", `sk-or-v1-${hex(64)}`],
    ["npm", `npm_${some(36)}`],
    ["PyPI", `pypi-AgEIcHlwaS5vcmc${some(60)}`],
    ["Stripe", `sk_live_${some(24)}`],
    ["Stripe, restricted", `rk_test_${some(24)}`],
    ["SendGrid", `SG.${some(22)}.${some(43)}`],
    ["Hugging Face", `hf_${"abcdefghijklmnopqrstuvwxyzABCDEFGH"}`],
    ["JSON web token", `eyJ${some(20)}.eyJ${some(40)}.${some(43)}`],
    ["Telegram", `1234567890:AA${some(33)}`],
    ["Grafana", `glsa_${some(32)}_${hex(8)}`],
    ["age", `AGE-SECRET-KEY-1${upper(58)}`],
  ];
  for (const [maker, token] of tokens) {
    test(maker, () => {
      for (const text of [token, `use ${token}, then`, `"${token}"`, `?t=${token}&x`]) {
        const { text: shown, count } = redactSecrets(text);
        assert.equal(shown, text.replace(token, "[redacted]"));
        assert.equal(count, 1);
      }
    });
  }

  const lines: readonly (readonly [string, string])[] = [
    [`password = "hunter2hunter2"`, `password = "[redacted]"`],
    [`DB_PASSWORD=Tr0ub4dor&3`, `DB_PASSWORD=[redacted]`],
    [`  password: S3cure-enough!`, `  password: [redacted]`],
    [`"apiKey": "${some(24)}",`, `"apiKey": "[redacted]",`],
    [`api_key: '${some(32)}'`, `api_key: '[redacted]'`],
    [`AWS_SECRET_ACCESS_KEY=${some(40)}`, `AWS_SECRET_ACCESS_KEY=[redacted]`],
    [`config["client_secret"] = "${some(30)}"`, `config["client_secret"] = "[redacted]"`],
    [`secret := "${hex(32)}"`, `secret := "[redacted]"`],
    [`curl -H "Authorization: Bearer ${some(30)}" x`, `curl -H "Authorization: Bearer [redacted]" x`],
    [`{"authorization": "Basic dXNlcjpwYXNzd29yZDE="}`, `{"authorization": "Basic [redacted]"}`],
    [`postgres://app:s3cr3t99@db.internal/x`, `postgres://app:[redacted]@db.internal/x`],
    [`https://me:${some(12)}@github.com/a.git`, `https://me:[redacted]@github.com/a.git`],
    [`https://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/${some(24)}`, `https://hooks.slack.com/services/[redacted]`],
  ];
  for (const [line, expected] of lines) test(line, () => assert.equal(redactSecrets(line).text, expected));

  test("private key blocks, whole, cut off, and in one line of JSON", () => {
    const body = `${some(64)}\n`.repeat(5);
    for (const name of [
      "RSA PRIVATE KEY",
      "PRIVATE KEY",
      "OPENSSH PRIVATE KEY",
      "PGP PRIVATE KEY BLOCK",
      "EC PRIVATE KEY",
    ]) {
      const block = `-----BEGIN ${name}-----\n${body}-----END ${name}-----`;
      assert.equal(redactSecrets(`a\n${block}\nb`).text, `a\n[redacted]${"\n".repeat(6)}\nb`);
    }
    assert.equal(redactSecrets(`a\n-----BEGIN PRIVATE KEY-----\n${body}`).text, `a\n[redacted]${"\n".repeat(6)}`);
    const json = `{"key": "-----BEGIN PRIVATE KEY-----\\n${some(64)}\\n-----END PRIVATE KEY-----\\n", "x": 1}`;
    assert.equal(redactSecrets(json).text, `{"key": "[redacted]\\n", "x": 1}`);
  });
});

describe("what is left alone", () => {
  const lines = [
    `password = readPassword(prompt)`,
    `const token = request.headers.authorization;`,
    `token: string | undefined`,
    `apiKey: process.env.API_KEY`,
    `password: "open sesame"`,
    `password = "your-password-here"`,
    `API_KEY=<your key>`,
    `token: \${TOKEN}`,
    `secret: "changeme123"`,
    `password=********`,
    `export PASSWORD=$(pass show x1)`,
    `tokenCount: 1234567890`,
    `tokens: 12345678`,
    `auth.token (see section 3.2.1)`,
    `secret = options.secret2.value`,
    `the password: at least 12 characters`,
    `Authorization: Bearer $TOKEN`,
    `Authorization: Bearer <token>`,
    `http://user:password@host/`,
    `http://localhost:9876/path@2x.png`,
    `ssh://git@github.com:22/a.git`,
    `-----BEGIN PUBLIC KEY-----`,
    `-----BEGIN CERTIFICATE-----`,
    `commit ${hex(40)}`,
    `sha256:${hex(64)}`,
    `"integrity": "sha512-${some(86)}=="`,
    `id 0190d2f0-7a3b-7c1e-9d53-2f8e4c1b6a70`,
    `sk-learn and task-force`,
    `risk-ant-colony-optimisation-is-long`,
    `key: "value-1234-abcd"`,
    `xoxo-kisses-and-hugs-for-all`,
    `data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk`,
    `token: "2024-05-01T10:00:00Z"`,
    `token = sha256_of_text`,
  ];
  for (const line of lines) test(line, () => assert.equal(redactSecrets(line).text, line));
});

test("this repository's own sources hold nothing that looks like a secret", () => {
  const root = new URL("../../", import.meta.url).pathname;
  const files = globSync("{src,contrib,examples,.github}/**/*.{ts,js,json,md,yml,service}", { cwd: root }).concat(
    "README.md",
  );
  assert.ok(files.length > 150);
  for (const file of files) {
    const text = readFileSync(root + file, "utf8");
    const lines = redactSecrets(text).text.split("\n");
    assert.deepEqual(lines, text.split("\n"), file);
  }
});

test("a person's own finders count; what overlaps is hidden once, and lines stay lines", () => {
  const find = (text: string) =>
    [...text.matchAll(/corp-\w+(\n\w+)?/g)].map(({ index, 0: all }) => ({ start: index, end: index + all.length }));
  const token = `ghp_${some(36)}`;
  assert.deepEqual(redactSecrets(`a corp-one\ntwo b\ncorp-${token} c`, [find]), {
    text: "a [redacted]\n b\n[redacted] c",
    count: 2,
  });
  assert.deepEqual(redactSecrets(`password = "${token}"`), { text: `password = "[redacted]"`, count: 1 });
  assert.deepEqual(redactSecrets(""), { text: "", count: 0 });
});

test("hostile text takes time in proportion to its length", () => {
  const pieces = [
    "sk-",
    "eyJ",
    "eyJaaaaaaaaaaaa.",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\n!",
    "password=",
    'password="',
    "token:a1b2c3d4e5",
    "a://",
    "http://aaaaaaaaaaaaaaaaaaaaaaaaaa:",
    "x",
    "AKIA",
    "authorization: bearer ",
    "glpat-",
    ":",
    "_-token",
  ];
  for (const piece of pieces) {
    const text = piece.repeat(400_000 / piece.length);
    const startMs = performance.now();
    redactSecrets(text);
    // Measured: under 100 ms each. What is quadratic takes minutes.
    assert.ok(performance.now() - startMs < 5_000, piece);
  }
});
