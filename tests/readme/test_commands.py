"""The commands of README.md: deploy, look, take back, and what a failed restart prints."""
import importlib.machinery
import importlib.util
import re
import subprocess
import unittest

import page
import service
from case import Case

# Lines that do not end with status 0 where nothing is under way: the status, and what they say then.
REFUSED = {
    "holdfast undo web": (1, "cannot undo: neither a restart nor a stop is under way"),
    "holdfast why web 1.0": (1, "there is no worker 1.0"),  # the restart before has replaced it
}
CONFIGURATION = """name = web
listen = :8080
workers = 2
command = gunicorn app:app
"""


def load_transcripts():
    loader = importlib.machinery.SourceFileLoader("transcripts", str(page.SOURCE / "scripts/transcripts"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("transcripts", loader))
    loader.exec_module(module)
    return module


def normalised(text):
    """Without what differs from run to run: nginx's time and pids."""
    return re.sub(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d( \[\w+\]) \d+#\d+:", r"TIME\1 PID:", text)


def command_of(line):
    return line.split("#")[0].strip()


class Readme(Case):
    def test_failed_restart(self):
        transcript = page.block("A release that does not start", "console")
        on_terminal = load_transcripts().on_terminal
        shown = ""
        with service.Service(self.folder, page.block("nginx", "sh")):
            for command in re.findall(r"^\$ (.*)$", transcript, re.M):
                shell = ["env", "-C", str(self.folder.path), "bash", "-c", self.folder.with_port(command)]
                output, _ = on_terminal(shell, self.folder.environment)
                shown += f"$ {command}\n" + output.replace(str(self.folder.path), "/srv/web")
        self.assertMultiLineEqual(normalised(shown), normalised(transcript))

    def test_deploy_look_take_back(self):
        self.folder.write("app.py", "def app(environ, start):\n    start('200 OK', [])\n    return [b'OK']\n")
        self.folder.write("web.conf", CONFIGURATION)
        with service.Service(self.folder, "holdfast run --config web.conf"):
            for line in page.block("Deploy, look, take back", "sh").splitlines():
                with self.subTest(line):
                    self._try(line)

    def _try(self, line):
        command = command_of(line)
        if command.endswith("--watch"):
            return self._watch(line)
        done = self.folder.run(line)
        said = done.stdout + done.stderr
        status, text = REFUSED.get(command, (0, ""))
        # What a machine lacks is not what is tested.
        if not command.startswith("holdfast doctor"):
            self.assertEqual(done.returncode, status, said)
        self.assertIn(text, said)
        self.assertNotEqual(said, "")

    def _watch(self, line):
        """It goes on until somebody ends it."""
        with subprocess.Popen(["bash", "-c", f"exec {line}"], cwd=self.folder.path, env=self.folder.environment,
                              stdout=subprocess.PIPE, text=True) as watch:
            first = watch.stdout.readline()
            watch.terminate()
        self.assertTrue(first.startswith("web (pid "), first)


