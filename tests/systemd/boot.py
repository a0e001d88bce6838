"""usage: boot.py --bin FOLDER --manual FILE SCENARIO

Boots systemd in a container from the /usr of this machine (systemd-nspawn, root file system in memory, only loopback),
runs one scenario of scenarios.py in it, and prints the output of the scenario. Exits with status 0 only if the scenario
passed.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

import manual_unit

TIMEOUT = 75  # seconds for boot, scenario and power-off together; a scenario takes a few

DRIVER = """\
[Unit]
Description=Scenario {scenario}
# systemd forgets an inactive unit, with its result, if no other unit refers to it.
After=web.service
SuccessAction=poweroff-immediate
FailureAction=poweroff-immediate
[Service]
Type=oneshot
TimeoutStartSec=60
StandardOutput=append:/test/share/transcript
StandardError=append:/test/share/transcript
ExecStart=/usr/bin/python3 -B /test/driver/scenarios.py {scenario}
"""


def fail(text):
    raise SystemExit(f"systemd test: {text}")


def check_prerequisites(programs):
    if os.geteuid() != 0:
        fail("cannot boot systemd in a container: root is required; run the tests as root, or exclude these with "
             "'ctest --label-exclude systemd'")
    for tool, package in (("systemd-nspawn", "systemd-container"), ("/usr/lib/systemd/systemd", "systemd")):
        if shutil.which(tool) is None:
            fail(f"cannot find {tool} (package {package}); install it with 'scripts/setup test'")
    for name in ("holdfast", "hello-http"):
        if not os.access(os.path.join(programs, name), os.X_OK):
            fail(f"cannot find {os.path.join(programs, name)}; build it with 'scripts/build'")


def boot(programs, share, scenario):
    """Runs the container for at most TIMEOUT seconds. Returns its console output."""
    with open(os.path.join(share, "driver.service"), "w", encoding="utf-8") as unit:
        unit.write(DRIVER.format(scenario=scenario))
    here = os.path.dirname(os.path.abspath(__file__))
    machine = f"holdfast-{os.getpid()}"
    command = ["systemd-nspawn", "--boot", "--directory=/", "--volatile=yes", "--register=no", "--keep-unit"]
    command += ["--private-network", "--console=pipe", f"--machine={machine}"]
    command += [f"--bind-ro={here}:/test/driver", f"--bind-ro={programs}:/test/bin", f"--bind={share}:/test/share"]
    command += [f"--bind-ro={share}/driver.service:/run/systemd/system/driver.service", "systemd.unit=driver.service"]
    container = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        return container.communicate(timeout=TIMEOUT)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        container.kill()
        return container.communicate()[0].decode(errors="replace") + f"\nkilled after {TIMEOUT} s"
    finally:
        with contextlib.suppress(OSError):  # systemd-nspawn leaves it if /run is not a separate file system
            os.rmdir(f"/run/systemd/nspawn/propagate/{machine}")


def read(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n", 1)[0].removeprefix("usage: "))
    parser.add_argument("--bin", required=True, type=os.path.abspath)
    parser.add_argument("--manual", required=True)
    parser.add_argument("scenario")
    arguments = parser.parse_args()
    check_prerequisites(arguments.bin)
    with tempfile.TemporaryDirectory(prefix="holdfast-systemd-") as share:
        with open(os.path.join(share, "manual.service"), "w", encoding="utf-8") as unit:
            unit.write(manual_unit.extract(read(arguments.manual)))
        console = boot(arguments.bin, share, arguments.scenario)
        transcript = read(os.path.join(share, "transcript"))
    print(transcript)
    if transcript.splitlines()[-1:] != ["PASSED"]:
        print(f"what the container printed:\n{console}")
        sys.exit(1)


if __name__ == "__main__":
    main()
