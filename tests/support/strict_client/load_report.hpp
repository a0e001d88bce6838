#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace holdfast::test {

// How a request can fail. The class of a failure shows what a restart did to the client. A reused connection has
// carried a response before, so the server may have closed it at the moment of the request.
enum class Failure : std::size_t {
    refused,
    no_such_path,  // the path of a unix socket does not exist
    connect_timed_out,
    reset_on_fresh,  // before any byte of the response
    closed_on_fresh,
    reset_on_reused,
    closed_on_reused,
    truncated,  // some bytes of the response, then end of stream or a reset
    malformed,
    bad_status,  // anything but 200
    timed_out,
    other,  // not caused by the server: no descriptor or no port left
};
inline constexpr std::size_t failure_classes = static_cast<std::size_t>(Failure::other) + 1;

std::string_view to_string(Failure failure);

// One of the first failures, to be compared with the supervisor's log.
struct FailureExample {
    Failure failure = Failure::other;
    std::int64_t mono_usec = 0;
    std::string text;
};

// The result of a run of the strict client.
struct LoadReport {
    std::string label;
    std::uint64_t attempts = 0;
    std::uint64_t succeeded = 0;
    std::array<std::uint64_t, failure_classes> failures{};
    std::uint64_t excused_late = 0;       // lost after a pause longer than the server promises to wait; not a failure
    std::uint64_t connections = 0;        // opened
    std::uint64_t reused = 0;             // requests on a connection that had carried a response
    std::uint64_t closed_while_idle = 0;  // detected before the next request; not a failure
    Duration p50{}, p90{}, p99{}, max{};  // latencies of successful requests
    Duration longest_gap{};               // without any success, between start and stop
    std::int64_t longest_gap_end_usec = 0;
    Duration elapsed{};
    std::map<std::uint64_t, std::uint64_t> by_generation;  // successes, from X-Worker
    std::vector<FailureExample> examples;

    std::uint64_t failed() const;
    std::uint64_t count(Failure failure) const { return failures[static_cast<std::size_t>(failure)]; }
    // Every attempt has exactly one outcome.
    bool is_balanced() const { return attempts == succeeded + failed() + excused_late; }
};

// Sorts `latencies_usec` and sets the percentiles.
void fill_percentiles(LoadReport& report, std::vector<std::uint32_t>& latencies_usec);

std::string to_json(const LoadReport& report);
// Throws if `text` was not written by to_json.
LoadReport load_report_from_json(std::string_view text);

// A table for people, with one column per report.
std::string to_table(std::span<const LoadReport> reports);

}  // namespace holdfast::test
