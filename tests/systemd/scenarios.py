"""Scenarios for the unit of the manual in a booted systemd. CMakeLists.txt makes a test of each function that takes no
arguments."""

import os
import signal
import socket
import sys
import threading

from guest import BIN, UNIT, Service, SlowRequest, expect, is_alive, run, log, send_signal, systemctl, wait_until

GRACE = {"--grace-period": "30s"}


def the_unit_is_active_only_when_the_first_generation_is_ready():
    gates = [f"/run/gate-{slot}" for slot in (0, 1)]
    for gate in gates:
        os.mkfifo(gate)
        os.chmod(gate, 0o666)
    service = Service(
        options={"--workers": "2"},
        worker=f"/bin/sh -c 'read go < /run/gate-$$HOLDFAST_SLOT; exec {BIN}/hello-http'",
    )
    systemctl("start", "--no-block", UNIT)
    openings = [open(gate, "w", encoding="ascii") for gate in gates]  # open returns when the worker has opened its end
    expect(service.is_state("activating"), "the unit is activating while no worker is ready")
    print("go", file=openings[0], flush=True)
    expect(service.get()[2][1] == 0, "the worker of slot 0 serves")
    expect(service.is_state("activating"), "the unit is activating while one of two workers is ready")
    print("go", file=openings[1], flush=True)
    wait_until(lambda: service.is_state("active"), "the unit is active once both are ready")
    expect(service.show("StatusText") != "", f"the status is not empty: {service.show('StatusText')!r}")


def sighup_and_reload_replace_only_the_workers():
    service = Service()
    service.start()
    pid = service.main_pid()
    expect(service.get()[2][0] == 1, "generation 1 serves")
    send_signal(pid, signal.SIGHUP)
    wait_until(lambda: service.get()[2][0] == 2, "generation 2 serves after SIGHUP")
    expect(systemctl("reload", UNIT) == 0, "systemctl reload succeeds")
    wait_until(lambda: service.get()[2][0] == 3, "generation 3 serves after the reload")
    expect(service.main_pid() == pid and service.is_state("active"), "the supervisor is the same, the unit is active")
    expect("3" in service.show("StatusText"), f"the status names the generation: {service.show('StatusText')!r}")


def a_stop_waits_for_the_request_in_flight():
    service = Service(options=GRACE)
    service.start()
    stop_with_a_request_in_flight(service)


def a_signal_to_the_whole_cgroup_ends_no_sdk_worker_early():
    for mode in ("control-group", "mixed"):
        service = Service(options=GRACE, settings=f"KillMode={mode}")
        service.start()
        expect(service.show("KillMode") == mode, f"KillMode is {mode}")
        stop_with_a_request_in_flight(service)


def stop_with_a_request_in_flight(service):
    pid = service.main_pid()
    request = SlowRequest(service, 2000)
    systemctl("stop", "--no-block", UNIT)
    wait_until(lambda: service.is_state("deactivating"), "the unit is deactivating")
    expect(request.is_open() and is_alive(pid), "the request is still in flight, the supervisor is still running")
    log(f"status while stopping: {service.show('StatusText')!r}")
    expect(request.is_answered(), "the request was answered in full by the worker that had read it")
    wait_until(lambda: service.is_state("inactive"), "the unit is inactive")
    expect(service.ended() == ("1", "0", "success"), f"it exited successfully: {service.ended()}")


def a_stop_that_systemd_did_not_request_is_announced():
    service = Service(options=GRACE)
    service.start()
    pid = service.main_pid()
    request = SlowRequest(service, 2000)
    send_signal(pid, signal.SIGTERM)
    wait_until(lambda: service.is_state("deactivating"), "STOPPING=1 made the unit deactivating")
    expect(request.is_open() and is_alive(pid), "while the request is in flight")
    expect(request.is_answered(), "the request was answered in full")
    wait_until(lambda: service.is_state("inactive"), "the unit is inactive")
    expect(service.ended() == ("1", "0", "success"), f"it exited successfully: {service.ended()}")


def a_drain_may_outlast_the_stop_timeout_of_systemd():
    service = Service(options=GRACE, settings="TimeoutStopSec=1s")
    service.start()
    request = SlowRequest(service, 4000)
    expect(systemctl("stop", UNIT) == 0, "systemctl stop succeeds")
    expect(request.is_answered(), "the request of 4 s was answered in full, although TimeoutStopSec is 1 s")
    expect(service.ended() == ("1", "0", "success"), f"it exited successfully: {service.ended()}")

    # The control experiment without notifications to systemd: it shows that the extension above made the difference.
    service = Service(options=GRACE, settings="TimeoutStopSec=1s\nType=exec\nNotifyAccess=none")
    service.start()
    wait_until(lambda: can_connect(service.port), "the service without notifications listens")
    request = SlowRequest(service, 4000)
    systemctl("stop", UNIT)
    expect(not request.is_answered(), "without notifications to systemd the same request is cut off")
    expect(service.show("Result") == "timeout", "systemd reports a timeout")


def the_exit_status_tells_an_unclean_stop_and_a_failed_start():
    service = Service(options={"--grace-period": "1s", "--cancel-period": "1s"}, settings="Restart=no")
    service.start()
    request = SlowRequest(service, 60000)
    systemctl("stop", UNIT)
    expect(not request.is_answered(), "a request of a minute is cut off after a grace period of a second")
    expect(service.ended()[:2] == ("1", "3"), f"the exit status is 3: {service.ended()}")

    service = Service(worker="/nonexistent/server", settings="Restart=no")
    expect(systemctl("start", UNIT) != 0, "a command that cannot be executed does not start")
    expect(service.ended() == ("1", "1", "exit-code"), f"the exit status is 1: {service.ended()}")
    expect(service.is_state("failed"), "the unit has failed")


def with_a_socket_unit_a_restart_of_the_unit_refuses_no_client():
    service = Service(options=GRACE | {"--listen": "systemd"})
    Service.write("web.socket", f"[Socket]\nListenStream={service.port}\n")
    systemctl("daemon-reload")
    expect(systemctl("start", "web.socket") == 0, "the socket unit starts")
    expect(service.get()[2][0] == 1, "the first client starts the service")
    pid = service.main_pid()
    refused, stop = [], threading.Event()
    client = threading.Thread(target=request_continuously, args=(service, refused, stop))
    client.start()
    request = SlowRequest(service, 1000)  # for a second no process accepts
    expect(systemctl("restart", UNIT) == 0, "systemctl restart succeeds")
    expect(request.is_answered(), "the request in flight was answered by the former worker")
    expect(service.get()[0] == 200 and service.main_pid() != pid, "a new supervisor serves")
    stop.set()
    client.join()
    expect(not refused, f"no client was refused or cut off: {refused}")


def request_continuously(service, refused, stop):
    sent = 0
    while not stop.is_set():
        sent += 1
        try:
            service.get()
        except OSError as error:
            refused.append(error)
    log(f"{sent} requests during the restart")


def can_connect(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    run(sys.argv[1], globals())
