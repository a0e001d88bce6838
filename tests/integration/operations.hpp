#pragma once

#include <string>
#include <vector>

#include "harness.hpp"

namespace holdfast::test {

// Two workers on a port that the kernel chooses, with periods that tests can wait for.
RunOptions short_run(std::vector<std::string> command);

// A worker of the SDK that serves every listener that it is given.
std::vector<std::string> all_listeners();

// Asks `holdfast status` until it says so, and returns all that it said.
std::string wait_for_status(SupervisorProcess& run, const std::string& part,
                            const std::vector<std::string>& arguments = {});

// Sends the bytes over a connection of its own and returns what comes until its end.
std::string send_and_receive(const std::string& address, const std::string& bytes);

// "200", or what stands in its place: empty where nobody answered.
struct HttpAnswer {
    std::string status;
    std::string body;
};
HttpAnswer http_get(const std::string& address, const std::string& target);
// Asks until the answer has this status.
HttpAnswer wait_for_http(const std::string& address, const std::string& target, const std::string& status);

// A TCP port of 127.0.0.1 that nobody has at this moment.
std::string free_port();

// CLOCK_MONOTONIC, the log's own clock.
std::int64_t monotonic_usec();

LogPredicate at_or_after(std::int64_t mono_usec);

// `requests` requests one after the other from now on, each of which has to be answered.
void expect_served(const std::string& address, int requests = 8);

}  // namespace holdfast::test
