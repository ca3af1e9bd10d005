/**
 * The system service under a real systemd, installed by hand as the README says: scraped, reloaded, killed,
 * misconfigured, removed.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type BootedSystemd, bootSystemd, CURL, findObstacle, untilTrue } from "../support/booted-systemd.ts";

const POST = `${CURL} -X POST http://127.0.0.1:9876/api/metrics -H 'Content-Type: application/json' -d`;

/**
 * Two jobs that would go on for long: one in the daemon's sight, one that has left its group and ignores to be asked.
 */
const JOBS = {
  jobs: {
    jobs: [
      { name: "long", schedule: "@every 1s", shell: "exec sleep 4242" },
      {
        name: "stubborn",
        schedule: "@every 1s",
        shell: "setsid sh -c 'trap \"\" TERM; sleep 4243; sleep 4243' & wait",
      },
    ],
  },
};

describe("the system service", { skip: findObstacle() }, () => {
  let machine: BootedSystemd;
  const run: BootedSystemd["run"] = (line) => machine.run(line);
  const must: BootedSystemd["must"] = (line) => machine.must(line);
  const show: BootedSystemd["show"] = (property) => machine.show(property);
  const exposure = (): number =>
    Number(
      /exposure level for pi-daemon.service: ([\d.]+)/.exec(
        must("systemd-analyze security --offline=true /etc/systemd/system/pi-daemon.service"),
      )![1],
    );

  before(() => {
    machine = bootSystemd();
    must("mkdir -p /etc/pi-daemon && cp /mnt/checkout/contrib/pi-daemon.json /etc/pi-daemon/config.json");
    must("cp /mnt/checkout/contrib/pi-daemon.service /etc/systemd/system/ && systemctl daemon-reload");
  });
  after(() => machine.shutDown());

  test("passes systemd's own check without a word, and is exposed at most 1.5", () => {
    assert.equal(must("systemd-analyze verify /etc/systemd/system/pi-daemon.service 2>&1"), "");
    assert.ok(exposure() <= 1.5, String(exposure()));
  });

  test("systemd's check says a word about what is wrong", () => {
    must(
      "mkdir /tmp/bad && sed 's/^UMask=/Umask_=/' /etc/systemd/system/pi-daemon.service > /tmp/bad/pi-daemon.service",
    );
    assert.match(run("systemd-analyze verify /tmp/bad/pi-daemon.service 2>&1").output, /Umask_/);
  });

  test("as a person, for jobs that write files of theirs, it is exposed at most 3", () => {
    const plain = exposure();
    must(
      "useradd -m ada && cp -r /mnt/checkout/contrib/pi-daemon.service.d /etc/systemd/system/ && systemctl daemon-reload",
    );
    assert.equal(must("systemd-analyze verify /etc/systemd/system/pi-daemon.service 2>&1"), "");
    const asPerson = exposure();
    assert.ok(asPerson > plain && asPerson <= 3, `${plain}, as a person ${asPerson}`);
    must("rm -r /etc/systemd/system/pi-daemon.service.d && systemctl daemon-reload");
  });

  test("answers as soon as it counts as started", () => {
    must("systemctl enable --now pi-daemon.service");
    assert.match(must(`${CURL} http://127.0.0.1:9876/health`), /"status":"ok"/);
    assert.notEqual(must("ps -o user= -p $(systemctl show -P MainPID pi-daemon.service)"), "root");
    must(`${POST} '{"name":"kept_total","type":"counter","increment":5}'`);
    assert.match(must(`${CURL} http://127.0.0.1:9876/metrics`), /^kept_total 5$/m);
  });

  test("keeps its state to itself", () => {
    const modes = must("find /var/lib/private/pi-daemon -printf '%m %y %f\\n'").split("\n");
    assert.ok(modes.length > 3, modes.join(" "));
    for (const entry of modes) assert.match(entry, /^(700 d|600 [fs]) /);
  });

  test("takes a good config on reload, and keeps the old one in the face of a bad one", () => {
    must(
      `sed -i 's/"maxLabelCount": 10/"maxLabelCount": 3/' /etc/pi-daemon/config.json && systemctl reload pi-daemon.service`,
    );
    must(untilTrue(`${CURL} http://127.0.0.1:9876/config | grep -q '"maxLabelCount":3'`));
    must(
      `sed -i 's/"maxLabelCount": 3/"maxLabelCount": "many"/' /etc/pi-daemon/config.json && systemctl reload pi-daemon.service`,
    );
    must(untilTrue("journalctl -u pi-daemon.service | grep -q maxLabelCount"));
    assert.match(must(`${CURL} http://127.0.0.1:9876/config`), /"maxLabelCount":3/);
    must(`sed -i 's/"maxLabelCount": "many"/"maxLabelCount": 10/' /etc/pi-daemon/config.json`);
  });

  test("comes back from kill -9 with all counters", () => {
    const pid = show("MainPID");
    must(`kill -9 ${pid}`);
    must(
      untilTrue(
        `[ "$(systemctl show -P MainPID pi-daemon.service)" != ${pid} ] && ${CURL} http://127.0.0.1:9876/metrics 2>/dev/null | grep -q '^kept_total 5$'`,
      ),
    );
  });

  test("ends a daemon whose event loop hangs, and starts it again with all counters", () => {
    const hang = "process.on('SIGUSR2', () => { for (;;); })";
    must(`printf %s "${hang}" > /usr/local/lib/hang.mjs && mkdir /run/systemd/system/pi-daemon.service.d`);
    must(
      "printf '[Service]\\nEnvironment=NODE_OPTIONS=--import=/usr/local/lib/hang.mjs\\n' > /run/systemd/system/pi-daemon.service.d/hang.conf",
    );
    must(
      'cp /etc/pi-daemon/config.json /tmp/good.json && sed -i \'1s/{/{"watchdog":{"timeoutMs":1000},/\' /etc/pi-daemon/config.json',
    );
    must("systemctl daemon-reload && systemctl restart pi-daemon.service");
    const pid = show("MainPID");
    must(`kill -USR2 ${pid}`);
    must(
      untilTrue(
        `[ "$(systemctl show -P MainPID pi-daemon.service)" != ${pid} ] && ${CURL} http://127.0.0.1:9876/metrics 2>/dev/null | grep -q '^kept_total 5$'`,
      ),
    );
    assert.match(must("journalctl -u pi-daemon.service --no-pager"), /the event loop has stood still for 1000 ms/);
    must(
      "cp /tmp/good.json /etc/pi-daemon/config.json && rm -r /run/systemd/system/pi-daemon.service.d /usr/local/lib/hang.mjs",
    );
    must("systemctl daemon-reload && systemctl restart pi-daemon.service");
  });

  test("takes secrets from a file that only root can read", () => {
    must(
      "cp /etc/pi-daemon/config.json /tmp/good.json && (umask 077; echo TOKEN=a-token-of-the-machine > /etc/pi-daemon/environment)",
    );
    must(
      `echo '{"auth":{"enabled":true,"token":"\${TOKEN}"}}' > /etc/pi-daemon/config.json && systemctl restart pi-daemon.service`,
    );
    const post = `${POST} '{"name":"kept_total","type":"counter","increment":0}'`;
    assert.notEqual(run(post).status, 0);
    must(`${post} -H 'Authorization: Bearer a-token-of-the-machine'`);
    must(
      "cp /tmp/good.json /etc/pi-daemon/config.json && rm /etc/pi-daemon/environment && systemctl restart pi-daemon.service",
    );
  });

  test("does not try again and again with a bad config", () => {
    must(`cp /etc/pi-daemon/config.json /tmp/good.json && echo '{"server":{"prot":1}}' > /etc/pi-daemon/config.json`);
    const restarts = show("NRestarts");
    assert.notEqual(run("systemctl restart pi-daemon.service").status, 0);
    assert.equal(show("ExecMainStatus"), "78");
    assert.equal(show("ActiveState"), "failed");
    assert.ok(Number(show("NRestarts")) <= Number(restarts));
    assert.match(must("journalctl -u pi-daemon.service --no-pager"), /prot/);
    must(
      "cp /tmp/good.json /etc/pi-daemon/config.json && systemctl reset-failed pi-daemon.service && systemctl start pi-daemon.service",
    );
    assert.match(must(`${CURL} http://127.0.0.1:9876/metrics`), /^kept_total 5$/m);
  });

  test("stops without leaving a process, running jobs included", () => {
    must(
      `echo '${JSON.stringify(JOBS).replaceAll("'", "'\\''")}' > /etc/pi-daemon/config.json && systemctl restart pi-daemon.service`,
    );
    must(untilTrue("pgrep -f 'sleep 424[2]' > /dev/null && pgrep -f 'sleep 424[3]' > /dev/null"));
    const group = show("ControlGroup");
    must("systemctl stop pi-daemon.service");
    assert.equal(show("Result"), "success");
    // 0 in the file, or no group any more.
    assert.equal(run(`cat /sys/fs/cgroup${group}/cgroup.procs 2>/dev/null`).output, "");
    assert.equal(run("pgrep -f 'sleep 424[23]'").output, "");
    assert.match(must("journalctl -u pi-daemon.service --no-pager | tail -5"), /"stopped"/);
  });

  test("goes without leaving a file", () => {
    must("systemctl disable pi-daemon.service && systemctl clean --what=all pi-daemon.service");
    must(
      "rm -rf /etc/systemd/system/pi-daemon.service /etc/pi-daemon && systemctl daemon-reload && npm uninstall -g --silent --prefix /usr/local pi-daemon",
    );
    assert.equal(
      must("find /etc /usr/local /var /run -name '*pi-daemon*' -not -path '/var/log/journal/*' 2>/dev/null | head"),
      "",
    );
  });
});
