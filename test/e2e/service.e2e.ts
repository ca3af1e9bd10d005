/**
 * `pi-daemon service` under a real systemd: for the machine, for a person by `--run-as`, and as a service of one's
 * own.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type BootedSystemd, bootSystemd, CURL, findObstacle, untilTrue } from "../support/booted-systemd.ts";

/** A shell as ada, in her session. */
const AS_ADA =
  "setpriv --reuid 4711 --regid 4711 --init-groups env -i PATH=$PATH HOME=/home/ada XDG_RUNTIME_DIR=/run/user/4711";
const LEFT = "find /etc /var /run -name '*pi-daemon*' -not -path '/var/log/journal/*' 2>/dev/null";

describe("pi-daemon service", { skip: findObstacle() }, () => {
  let machine: BootedSystemd;
  const run: BootedSystemd["run"] = (line) => machine.run(line);
  const must: BootedSystemd["must"] = (line) => machine.must(line);
  const refused = (line: string): string => {
    const { status, output } = run(line);
    assert.notEqual(status, 0, `${line}\n${output}`);
    return output;
  };

  before(() => {
    machine = bootSystemd();
    must("useradd -m -u 4711 ada && systemctl start dbus.service systemd-logind.service && loginctl enable-linger ada");
    must(untilTrue("[ -e /run/user/4711/systemd/private ]"));
  });
  after(() => machine.shutDown());

  test("status: not installed, exit code 3", () => {
    const { status, output } = run("pi-daemon service status");
    assert.deepEqual([status, output], [3, "pi-daemon is not installed as a system service\n"]);
  });

  test("--dry-run tells every step, and takes none", () => {
    assert.equal(
      must("pi-daemon service install --dry-run"),
      [
        "would write /etc/pi-daemon/config.json",
        "would write /etc/systemd/system/pi-daemon.service",
        "would run systemctl daemon-reload",
        "would run systemctl enable pi-daemon.service",
        "would run systemctl restart pi-daemon.service",
      ].join("\n"),
    );
    assert.equal(must(LEFT), "");
  });

  test("install: a unit without a fault that runs this very program, enabled and answering", () => {
    // A strict umask must not keep the config from the service's own user.
    assert.match(must("umask 077 && pi-daemon service install"), /^wrote \/etc\/systemd\/system\/pi-daemon.service$/m);
    assert.match(must(`${CURL} http://127.0.0.1:9876/health`), /"status":"ok"/);
    assert.equal(must("systemctl is-enabled pi-daemon.service"), "enabled");
    assert.equal(must("systemd-analyze verify /etc/systemd/system/pi-daemon.service 2>&1"), "");
    assert.match(
      machine.show("ExecStart"),
      /argv\[\]=\/usr\/local\/sbin\/node \/usr\/local\/lib\/node_modules\/pi-daemon\/dist\/cli.js start --foreground /,
    );
    assert.match(refused("pi-daemon status"), /no daemon is running\n +the system service is another one: --url /);
    must("env STATE_DIRECTORY=/var/lib/pi-daemon CONFIGURATION_DIRECTORY=/etc/pi-daemon pi-daemon status");
    assert.equal(must("stat -c %a /etc/pi-daemon /etc/pi-daemon/config.json"), "755\n644");
    const { running, pid } = JSON.parse(must("pi-daemon service status --json")) as Record<string, unknown>;
    assert.deepEqual([running, pid], [true, machine.show("MainPID")]);
    assert.match(must("pi-daemon service status"), /runs as a system service[^]*starts by itself +yes/);
  });

  test("install once more: keeps the config, and starts the program of now", () => {
    const pid = machine.show("MainPID");
    must(`sed -i 's/"maxLabelCount": 10/"maxLabelCount": 7/' /etc/pi-daemon/config.json`);
    assert.match(must("pi-daemon service install"), /^kept \/etc\/pi-daemon\/config.json/m);
    assert.notEqual(machine.show("MainPID"), pid);
    assert.match(must(`${CURL} http://127.0.0.1:9876/config`), /"maxLabelCount":7/);
  });

  test("uninstall: the service goes, what it knew stays and is named; --purge leaves nothing", () => {
    must(
      `${CURL} -X POST http://127.0.0.1:9876/api/metrics -H 'Content-Type: application/json' -d '{"name":"kept_total","type":"counter"}'`,
    );
    const told = must("pi-daemon service uninstall");
    for (const path of ["/var/lib/pi-daemon", "/etc/pi-daemon"])
      assert.match(told, new RegExp(`^kept ${path} \\(`, "m"));
    assert.equal(must("ls /etc/systemd/system/*/ /etc/systemd/system | grep pi-daemon; true"), "");
    must("pi-daemon service install");
    assert.match(must(`${CURL} http://127.0.0.1:9876/metrics`), /^kept_total 1$/m);
    must("pi-daemon service uninstall --purge");
    assert.equal(must(LEFT), "");
    assert.equal(must("systemctl list-units --all --no-legend 'pi-daemon*'"), "");
    assert.match(must("pi-daemon service uninstall --purge"), /not installed/);
  });

  test("a service that cannot start: told, with where to look; uninstalled all the same", () => {
    must('mkdir -p /etc/pi-daemon && echo \'{"server":{"prot":1}}\' > /etc/pi-daemon/config.json');
    assert.match(
      refused("pi-daemon service install"),
      /systemctl restart pi-daemon.service failed: .*\n +see journalctl -u pi-daemon.service/,
    );
    assert.match(run("pi-daemon service status").output, /does not run\n[^]*state +failed .*exit code 78/);
    must("pi-daemon service uninstall --purge");
    assert.equal(must(LEFT), "");
  });

  test("leaves units of others alone", () => {
    must(
      "printf '[Service]\\nExecStart=/bin/true\\n' > /etc/systemd/system/pi-daemon.service && systemctl daemon-reload",
    );
    for (const verb of ["install", "uninstall --purge"]) {
      assert.match(
        refused(`pi-daemon service ${verb}`),
        /pi-daemon.service is there already, and pi-daemon did not write it/,
      );
    }
    must(
      "mkdir -p /usr/lib/systemd/system && mv /etc/systemd/system/pi-daemon.service /usr/lib/systemd/system/ && systemctl daemon-reload",
    );
    assert.match(refused("pi-daemon service install"), /\/lib\/systemd\/system\/pi-daemon.service is there already/);
    must("rm /usr/lib/systemd/system/pi-daemon.service && systemctl daemon-reload");
  });

  test("keeps drop-ins of others, but for --purge", () => {
    must(
      "pi-daemon service install --run-as ada && printf '[Service]\\nNice=5\\n' > /etc/systemd/system/pi-daemon.service.d/override.conf",
    );
    assert.match(
      must("pi-daemon service uninstall"),
      /^removed .*run-as.conf\nran systemctl daemon-reload\nkept .*|^kept .*override.conf \(not written/m,
    );
    assert.equal(must("ls /etc/systemd/system/pi-daemon.service.d"), "override.conf");
    must("pi-daemon service install && pi-daemon service uninstall --purge");
    assert.equal(must(LEFT), "");
  });

  test("--run-as: jobs write the files of that person, and no others", () => {
    const job = {
      name: "write",
      schedule: "@every 1s",
      shell: "touch /home/ada/mine; touch /usr/theirs /home/eve/theirs",
    };
    must(
      `mkdir -p /etc/pi-daemon && useradd -m eve && chmod 777 /home/eve && echo '${JSON.stringify({ jobs: { jobs: [job] } })}' > /etc/pi-daemon/config.json`,
    );
    must("pi-daemon service install --run-as ada");
    assert.equal(must("ps -o user= -p $(systemctl show -P MainPID pi-daemon.service)"), "ada");
    must(untilTrue("[ -e /home/ada/mine ]"));
    assert.equal(must("stat -c %U /home/ada/mine"), "ada");
    assert.notEqual(run("ls /usr/theirs /home/eve/theirs").status, 0);
    const exposure = /level for pi-daemon.service: ([\d.]+)/.exec(
      must("systemd-analyze security --offline=true /etc/systemd/system/pi-daemon.service"),
    )![1];
    assert.ok(Number(exposure) <= 3, exposure);
    must("pi-daemon service uninstall --purge");
    assert.equal(must(LEFT), "");
    assert.match(refused("pi-daemon service install --run-as root"), /does not run as root/);
    assert.match(refused("pi-daemon service install --run-as nobody-at-all"), /there is no user "nobody-at-all"/);
  });

  test("--user: with the home directory's config, data and socket, and for jobs its files", () => {
    const job = { name: "write", schedule: "@every 1s", shell: "echo $HOME > ~/of-my-own" };
    const config = { server: { port: 9877 }, jobs: { jobs: [job] } };
    must(
      `${AS_ADA} mkdir -p /home/ada/.pi/daemon && echo '${JSON.stringify(config)}' > /home/ada/.pi/daemon/config.json && chown -R ada /home/ada/.pi`,
    );
    assert.match(
      must(`${AS_ADA} pi-daemon service install --user`),
      /^wrote \/home\/ada\/.config\/systemd\/user\/pi-daemon.service$/m,
    );
    assert.match(must(`${AS_ADA} pi-daemon status`), /is running[^]*http:\/\/127.0.0.1:9877/);
    assert.match(must(`${AS_ADA} pi-daemon service status --user`), /runs as a service of yours/);
    assert.equal(
      must(`${AS_ADA} systemd-analyze --user verify /home/ada/.config/systemd/user/pi-daemon.service 2>&1`),
      "",
    );
    must(`${AS_ADA} pi-daemon send kept_total`);
    must(untilTrue("grep -qx /home/ada /home/ada/of-my-own"));
    const pid = must(`${AS_ADA} systemctl --user show -P MainPID pi-daemon.service`);
    must(`kill -9 ${pid}`);
    must(untilTrue(`${AS_ADA} pi-daemon metrics kept_total 2>/dev/null | grep -q kept_total`));
    assert.match(must(`${AS_ADA} pi-daemon service uninstall --user`), /^kept \/home\/ada\/.pi\/daemon \(yours/m);
    assert.equal(must("find /home/ada/.config -name '*pi-daemon*'"), "");
  });

  test("refuses in sentences: without root, without a session, with sudo, beside a daemon started by hand", () => {
    assert.match(refused(`${AS_ADA} pi-daemon service install`), /only root may install a system service\n +sudo /);
    assert.match(refused(`${AS_ADA} env -u XDG_RUNTIME_DIR pi-daemon service install --user`), /leads to no session/);
    assert.match(refused("SUDO_USER=ada pi-daemon service install --user"), /a service of root, not of ada/);
    assert.match(refused(`${AS_ADA} pi-daemon service uninstall --user --purge`), /rm -r \/home\/ada\/.pi\/daemon/);
    assert.match(
      refused(`${AS_ADA} pi-daemon service install --user --run-as ada`),
      /--run-as is for the system service/,
    );
    must(`cd /home/ada && ${AS_ADA} pi-daemon start`);
    assert.match(
      refused(`${AS_ADA} pi-daemon service install --user`),
      /started by hand \(pid \d+\)[^]*pi-daemon stop/,
    );
    must(`${AS_ADA} pi-daemon stop`);
  });

  test("--config: the service, and who waits for it, take the config that was named", () => {
    must("mkdir -p '/etc/a b' && echo '{\"server\":{\"port\":9878}}' > '/etc/a b/config.json'");
    must("cd '/etc/a b' && pi-daemon service install --config config.json");
    assert.match(must(`${CURL} http://127.0.0.1:9878/health`), /"status":"ok"/);
    must("pi-daemon service uninstall --purge && rm -r '/etc/a b'");
    assert.equal(must(LEFT), "");
  });

  test("refuses a program that the service could not see, and takes a checkout where it can", () => {
    must(
      "mkdir /home/ada/checkout && cp -r /mnt/checkout/src /mnt/checkout/contrib /mnt/checkout/package.json /home/ada/checkout",
    );
    assert.match(
      refused("node /home/ada/checkout/src/launch.js /home/ada/checkout/src/cli.ts service install"),
      /cannot read \/home\/ada\/checkout\/src\/cli.ts/,
    );
    must("cp -r /home/ada/checkout '/opt/a check%out' && chmod -R a+rX '/opt/a check%out'");
    must("node '/opt/a check%out/src/launch.js' '/opt/a check%out/src/cli.ts' service install");
    assert.match(
      must("ps -o args= -p $(systemctl show -P MainPID pi-daemon.service)"),
      /\/opt\/a check%out\/src\/cli.ts start --foreground$/,
    );
    must("pi-daemon service uninstall --purge");
  });
});
