/**
 * The system service under a real systemd, which boots in namespaces of its own over a copy of this machine's files: installed as a
 * person would, scraped, reloaded, killed, misconfigured, removed.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BOOT = fileURLToPath(new URL("../../../shared/tools/nsystemd.sh", import.meta.url));

function findObstacle(): string | false {
  if (process.getuid?.() !== 0) return "only root can boot a systemd in namespaces";
  if (!existsSync(BOOT)) return "the tool that boots a systemd in namespaces is not beside the repository";
  if (!existsSync(join(ROOT, "node_modules/typescript"))) return "the package needs the compiler: npm ci";
  return existsSync("/lib/systemd/systemd") ? false : "systemd is not installed";
}

describe("the system service", { skip: findObstacle() }, () => {
  const directory = mkdtempSync(join(tmpdir(), "pi-daemon-systemd-"));
  const machine = join(directory, "machine");

  /** Runs a line of shell inside; its output, whatever its exit status. */
  function run(line: string): { status: number | null; output: string } {
    const { status, stdout, stderr } = spawnSync("bash", [BOOT, "run", machine, "sh", "-c", line], { encoding: "utf8", timeout: 60_000 });
    return { status, output: stdout + stderr };
  }

  function must(line: string): string {
    const { status, output } = run(line);
    assert.equal(status, 0, `${line}\n${output}\n${run("journalctl -u pi-daemon.service --no-pager | tail -20").output}`);
    return output.trim();
  }

  const show = (property: string): string => must(`systemctl show -P ${property} pi-daemon.service`);
  const CURL = "curl -sS --fail-with-body";

  before(() => {
    execFileSync("npm", ["pack", "--silent", "--pack-destination", directory], { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
    execFileSync("bash", [BOOT, "up", machine, `bind:${directory}:/mnt/package`, `bind:${ROOT}:/mnt/checkout`], { stdio: "inherit" });
    must(`install -m 755 ${process.execPath} /usr/local/sbin/node`);
    must("PATH=/usr/local/sbin:$PATH npm install -g --silent --offline --prefix /usr/local /mnt/package/pi-daemon-*.tgz");
    must("mkdir -p /etc/pi-daemon && cp /mnt/checkout/contrib/pi-daemon.json /etc/pi-daemon/config.json");
    must("cp /mnt/checkout/contrib/pi-daemon.service /etc/systemd/system/ && systemctl daemon-reload");
  });
  after(() => {
    spawnSync("bash", [BOOT, "down", machine], { stdio: "inherit" });
    rmSync(directory, { recursive: true, force: true });
  });

  test("passes systemd's own check without a word, and is exposed at most 1.5", () => {
    assert.equal(must("systemd-analyze verify /etc/systemd/system/pi-daemon.service 2>&1"), "");
    const exposure = /Overall exposure level for pi-daemon.service: ([\d.]+)/.exec(must("systemd-analyze security --offline=true /etc/systemd/system/pi-daemon.service"))!;
    assert.ok(Number(exposure[1]) <= 1.5, exposure[0]);
  });

  test("answers as soon as it counts as started", () => {
    must("systemctl enable --now pi-daemon.service");
    assert.match(must(`${CURL} http://127.0.0.1:9876/health`), /"status":"ok"/);
    assert.notEqual(must("ps -o user= -p $(systemctl show -P MainPID pi-daemon.service)"), "root");
    must(`${CURL} -X POST http://127.0.0.1:9876/api/metrics -H 'Content-Type: application/json' -d '{"name":"kept_total","type":"counter","increment":5}'`);
    assert.match(must(`${CURL} http://127.0.0.1:9876/metrics`), /^kept_total 5$/m);
  });

  test("keeps its state to itself", () => {
    const modes = must("find /var/lib/private/pi-daemon -printf '%m %y %f\\n'").split("\n");
    assert.ok(modes.length > 3, modes.join(" "));
    for (const entry of modes) assert.match(entry, /^(700 d|600 [fs]) /);
  });

  test("takes a good config on reload, and keeps the old one in the face of a bad one", () => {
    must(`sed -i 's/"maxLabelCount": 10/"maxLabelCount": 3/' /etc/pi-daemon/config.json && systemctl reload pi-daemon.service`);
    must(`for i in $(seq 50); do ${CURL} http://127.0.0.1:9876/config | grep -q '"maxLabelCount":3' && exit 0; sleep 0.1; done; exit 1`);
    must(`sed -i 's/"maxLabelCount": 3/"maxLabelCount": "many"/' /etc/pi-daemon/config.json && systemctl reload pi-daemon.service`);
    must("for i in $(seq 50); do journalctl -u pi-daemon.service | grep -q maxLabelCount && exit 0; sleep 0.1; done; exit 1");
    assert.match(must(`${CURL} http://127.0.0.1:9876/config`), /"maxLabelCount":3/);
    must(`sed -i 's/"maxLabelCount": "many"/"maxLabelCount": 10/' /etc/pi-daemon/config.json`);
  });

  test("comes back from kill -9 with all counters", () => {
    const pid = show("MainPID");
    must(`kill -9 ${pid}`);
    must(`for i in $(seq 100); do [ "$(systemctl show -P MainPID pi-daemon.service)" != ${pid} ] && ${CURL} http://127.0.0.1:9876/metrics 2>/dev/null | grep -q '^kept_total 5$' && exit 0; sleep 0.1; done; exit 1`);
  });

  test("does not try again and again with a bad config", () => {
    must(`cp /etc/pi-daemon/config.json /tmp/good.json && echo '{"server":{"prot":1}}' > /etc/pi-daemon/config.json`);
    const restarts = show("NRestarts");
    assert.notEqual(run("systemctl restart pi-daemon.service").status, 0);
    assert.equal(show("ExecMainStatus"), "78");
    assert.equal(show("ActiveState"), "failed");
    assert.ok(Number(show("NRestarts")) <= Number(restarts));
    assert.match(must("journalctl -u pi-daemon.service --no-pager"), /prot/);
    must("cp /tmp/good.json /etc/pi-daemon/config.json && systemctl reset-failed pi-daemon.service && systemctl start pi-daemon.service");
    assert.match(must(`${CURL} http://127.0.0.1:9876/metrics`), /^kept_total 5$/m);
  });

  test("stops without leaving a process, and goes without leaving a file", () => {
    must("systemctl stop pi-daemon.service");
    assert.equal(show("Result"), "success");
    assert.equal(run("pgrep -f 'pi-daemon.*start'").output.trim().split("\n").filter((pid) => pid !== "" && run(`grep -q cli.js /proc/${pid}/cmdline`).status === 0).join(), "");
    must("systemctl disable pi-daemon.service && systemctl clean --what=all pi-daemon.service");
    must("rm -rf /etc/systemd/system/pi-daemon.service /etc/pi-daemon && systemctl daemon-reload && PATH=/usr/local/sbin:$PATH npm uninstall -g --silent --prefix /usr/local pi-daemon");
    assert.equal(must("find /etc /usr/local /var /run -name '*pi-daemon*' -not -path '/var/log/journal/*' 2>/dev/null | head"), "");
  });
});
