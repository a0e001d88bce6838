#pragma once

#include <string>
#include <vector>

#include "background_load.hpp"
#include "supervisor_process.hpp"

namespace holdfast::test {

// A worker that is a shell script.
std::vector<std::string> shell_worker(const std::string& script);
std::vector<std::string> hello_http();
// Two workers of hello-http on a port that the kernel chooses.
RunOptions two_hello_workers();
// hello-http, except that the workers GENERATION.SLOT that match the shell pattern `which` run `stubborn OPTIONS`,
// which is ready at once and leaves when it is asked to. The default is slot 1 of every generation.
std::vector<std::string> hello_beside_stubborn(const std::string& options, const std::string& which = "*.1");
// A script of tests/integration/servers, run by the Python of the distribution.
std::vector<std::string> python_server(const std::string& script);

// A shell command that sends a message to the notify socket of the worker.
std::string notify(const std::string& message);

// A worker that sends READY=1 and ignores SIGTERM, with a child in its process group and one outside of it.
std::vector<std::string> term_ignoring_tree();

// Loads of the address, "127.0.0.1:PORT" for instance.
LoadOptions fresh_load(const std::string& address);       // 8 clients, 300 requests per second
LoadOptions keep_alive_load(const std::string& address);  // 64 clients, POST, 0–800 ms between two requests
// `requests` requests at once, each of which takes this long.
LoadOptions slow_load(const std::string& address, int requests, int milliseconds);

void expect_flawless(const LoadReport& report);

// Restarts the service `times` times; between two restarts it waits until the load has made progress.
void restart_under_load(SupervisorProcess& run, BackgroundLoad& load, int times);

// Waits until CLOCK_MONOTONIC, the clock of the log, has reached `mono_usec`.
void wait_until_monotonic(std::int64_t mono_usec);

}  // namespace holdfast::test
