"""What README.md says beside its commands: no block is left without a test, and what it names exists."""
import os
import re
import subprocess
import unittest

import page
import service

PICTURE = "a picture"
# Every block, and what tests it. A block that is not run says why.
TESTED = [
    ("holdfast", "", PICTURE),
    ("Try it", "sh", "test_scripts parses the scripts: they would build and test all of this, this test with it"),
    ("Put your server under it", "sh", "test_scripts parses the script; the other tests run under what it builds"),
    ("gunicorn", "sh", "test_gunicorn"),
    ("Node", "sh", "test_node"),
    ("nginx", "sh", "test_nginx"),
    ("Go", "go", "test_go; skipped, and shown as skipped, where there is no Go"),
    ("Go", "sh", "test_go"),
    ("C++", "cpp", "test_cpp"),
    ("C++", "sh", "test_cpp, but it installs into a folder instead of the system"),
    ("Any of them", "sh", "every test of a server"),
    ("A release that does not start", "console", "test_failed_restart"),
    ("Deploy, look, take back", "sh", "test_deploy_look_take_back"),
    ("A worker that knows what it holds", "cpp", "test_worker_that_knows_what_it_holds"),
    ("Shutdown in Go, and in C++ with the SDK", "go", "test_go_shutdown; skipped where there is no Go"),
]
# Paths that README.md names and that are not in the source tree.
ELSEWHERE = {"build/release/bin", "build/release/bin/holdfast"}


def named_in_prose(pattern):
    found = set(re.findall(pattern, page.prose()))
    assert found, pattern
    return found


class Readme(unittest.TestCase):
    def test_every_block_is_tested(self):
        self.assertEqual([(block.heading, block.language) for block in page.blocks()],
                         [(heading, language) for heading, language, _ in TESTED])

    def test_scripts(self):
        lines = page.block("Try it", "sh") + page.block("Put your server under it", "sh")
        scripts = re.findall(r"^\./(scripts/\w+)", lines, re.M)
        self.assertEqual(scripts, ["scripts/demo", "scripts/test", "scripts/build"])
        for script in scripts:
            self.assertTrue(os.access(page.SOURCE / script, os.X_OK), script)
            subprocess.run(["bash", "-n", page.SOURCE / script], check=True)

    def test_options_exist(self):
        commands = ["run", "restart", "reload", "status", "check", "doctor"]
        texts = [subprocess.run([f"{service.BIN}/holdfast", "help", command], check=True, capture_output=True, text=True,
                                timeout=service.TIMEOUT).stdout for command in commands]
        for option in named_in_prose(r"(?<![\w`-])`?(--[a-z][a-z-]+)") - {"--bind", "--install"}:
            self.assertTrue(any(re.search(rf"{option}\b", text) for text in texts), option)

    def test_files_exist(self):
        for path in named_in_prose(r"`((?:child-sdk|man|scripts|supervisor|tests|build)/[\w./-]+)`") - ELSEWHERE:
            self.assertTrue((page.SOURCE / path).exists(), path)
        for header in named_in_prose(r"`(holdfast/\w+\.hpp)`"):
            self.assertTrue((page.SOURCE / "child-sdk/include" / header).exists(), header)
        for example in named_in_prose(r"`([\w-]+\.cpp|plain-worker\.c)`") - {"hello.cpp"}:
            self.assertTrue((page.SOURCE / "child-sdk/examples" / example).exists(), example)
