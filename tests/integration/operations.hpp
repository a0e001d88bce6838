#pragma once

#include <string>
#include <vector>

#include "harness.hpp"

namespace holdfast::test {

// Two workers on a port that the kernel chooses, with periods that are short enough for tests.
RunOptions short_run(std::vector<std::string> command);

// A worker with the SDK that serves every listener that it inherits.
std::vector<std::string> all_listeners();

// Runs `holdfast status` until its output contains `part`, and returns that output.
std::string wait_for_status(SupervisorProcess& run, const std::string& part,
                            const std::vector<std::string>& arguments = {});

// Sends the bytes over a new connection and returns everything that is received until its end.
std::string send_and_receive(const std::string& address, const std::string& bytes);

struct HttpAnswer {
    std::string status;  // "200"; empty if there was no response
    std::string body;
};
HttpAnswer http_get(const std::string& address, const std::string& target);
// Repeats the request until the response has this status.
HttpAnswer wait_for_http(const std::string& address, const std::string& target, const std::string& status);

// A TCP port of 127.0.0.1 that is free at this moment.
std::string free_port();

// CLOCK_MONOTONIC, the clock of the log.
std::int64_t monotonic_usec();

LogPredicate at_or_after(std::int64_t mono_usec);

// Sends `requests` requests at once and expects that each of them is answered.
void expect_served(const std::string& address, int requests = 8);

}  // namespace holdfast::test
