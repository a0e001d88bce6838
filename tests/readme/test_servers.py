"""Each server of README.md is started as the page says, asked, restarted and stopped."""
import os
import pathlib
import shutil
import unittest

import page
from case import Case

BUILD = os.environ["HOLDFAST_BUILD"]
SANITIZE = os.environ["HOLDFAST_SANITIZE"]
HERE = pathlib.Path(__file__).resolve().parent
RUN = "holdfast run --name web --listen :8080 --workers 2 -- ./worker"

# The program around the lines in Go of README.md.
GO = """package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	srv := &http.Server{Addr: ":8080", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("OK\\n"))
	})}
%s
}

var _ = []interface{}{context.Background, log.Fatal, net.Listen, os.Exit, signal.Stop, syscall.SIGTERM, time.Second}
"""


def as_go_program(lines):
    return GO % lines


class Readme(Case):
    def test_gunicorn(self):
        self.serve_restart_and_stop(page.block("gunicorn", "sh"))

    def test_node(self):
        self.serve_restart_and_stop(page.block("Node", "sh"))

    def test_nginx(self):
        self.serve_restart_and_stop(page.block("nginx", "sh"))

    @unittest.skipUnless(shutil.which("go"), "Go is not installed, so its lines are neither compiled nor run")
    def test_go(self):
        context = "\tctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)\n"
        self.folder.write("main.go", as_go_program(context + page.block("Go", "go")))
        self.folder.write("go.mod", "module web\n")
        self.serve_restart_and_stop(page.block("Go", "sh"))

    @unittest.skipUnless(shutil.which("go"), "Go is not installed, so its lines are neither compiled nor run")
    def test_go_shutdown(self):
        lines = page.block("Shutdown in Go, and in C++ with the SDK", "go")
        self.folder.write("main.go", as_go_program(lines))
        self.folder.write("go.mod", "module web\n")
        self.succeed("go build -o worker .")

    def test_cpp(self):
        # build/release is this build, and what it installs goes into a folder instead of the system.
        (self.folder.path / "build").mkdir()
        (self.folder.path / "build/release").symlink_to(BUILD)
        system = str(self.folder.path / "system")
        self.folder.environment |= {"DESTDIR": system, "CPATH": system + os.environ["HOLDFAST_INSTALLED_HEADERS"],
                                    "LIBRARY_PATH": system + os.environ["HOLDFAST_INSTALLED_LIBRARIES"]}
        self.folder.write("hello.cpp", page.block("C++", "cpp"))
        self._add_sanitizing_compiler()
        self.serve_restart_and_stop(page.block("C++", "sh"))

    def test_worker_that_knows_what_it_holds(self):
        self._compile(page.block("A worker that knows what it holds", "cpp"))
        self.serve_restart_and_stop(RUN)

    def _compile(self, program):
        self.folder.write("worker.cpp", program)
        self._add_sanitizing_compiler()
        sdk = f"{page.SOURCE}/child-sdk"
        self.succeed(f"g++ -std=c++20 -Wall -Wextra -Werror -I{sdk}/include -I{sdk}/examples "
                     f"-include {HERE}/around_examples.hpp -o worker worker.cpp {os.environ['HOLDFAST_SDK']} -pthread")

    def _add_sanitizing_compiler(self):
        """The library of a sanitized build links only into programs that the same compiler has sanitized as well."""
        if not SANITIZE:
            return
        compiler = self.folder.path / "bin" / "g++"
        compiler.parent.mkdir()
        compiler.write_text(f'#!/bin/sh\nexec {os.environ["HOLDFAST_CXX"]} -fsanitize={SANITIZE} "$@"\n', encoding="utf-8")
        compiler.chmod(0o755)
        self.folder.environment["PATH"] = f"{compiler.parent}:{self.folder.environment['PATH']}"
