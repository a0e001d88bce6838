#pragma once

#include <string>
#include <vector>

#include "background_load.hpp"
#include "supervisor_process.hpp"

namespace holdfast::test {

// A worker written in one line of shell.
std::vector<std::string> shell_worker(const std::string& script);
std::vector<std::string> hello_http();
// Two of it on a port that the kernel chooses.
RunOptions two_hello_workers();
// hello-http, but the worker GENERATION.SLOT is `stubborn OPTIONS`, ready at once, which leaves when it is asked to.
// The default stands for slot 1 of every generation.
std::vector<std::string> hello_beside_stubborn(const std::string& options, const std::string& which = "*.1");
// A script of tests/integration/servers with the distribution's interpreter.
std::vector<std::string> python_server(const std::string& script);

// A command of shell that sends a message to the worker's notify socket.
std::string notify(const std::string& message);

// A worker that says READY=1 and ignores SIGTERM, with a child in its process group and one that has left it.
std::vector<std::string> term_ignoring_tree();

// "127.0.0.1:PORT" and the like as a load takes it.
LoadOptions fresh_load(const std::string& address);       // 8 clients, 300 requests a second
LoadOptions keep_alive_load(const std::string& address);  // 64 clients, POST, 0–800 ms between two requests
// A few requests that take so long, all at once.
LoadOptions slow_load(const std::string& address, int requests, int milliseconds);

void expect_flawless(const LoadReport& report);

// `times` restarts, one after the other, each under a load that is seen to go on before the next.
void restart_under_load(SupervisorProcess& run, BackgroundLoad& load, int times);

// Until CLOCK_MONOTONIC, the log's own clock, says `mono_usec`.
void wait_until_monotonic(std::int64_t mono_usec);

}  // namespace holdfast::test
