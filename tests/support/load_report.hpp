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

// How a request can fail, each way apart: what a restart does to a client is told by the way. "Reused" is a
// connection that has carried an answer before: there the server may have closed at the moment of the request.
enum class Failure : std::size_t {
    refused,
    no_such_path,  // a unix socket's name is not there
    connect_timed_out,
    reset_on_fresh,  // before any byte of an answer
    closed_on_fresh,
    reset_on_reused,
    closed_on_reused,
    truncated,  // some bytes, then the end or a reset
    malformed,
    bad_status,  // anything but 200
    timed_out,
    other,  // no fault of the server: no descriptor, no port left
};
inline constexpr std::size_t failure_classes = static_cast<std::size_t>(Failure::other) + 1;

std::string_view to_string(Failure failure);

// The first few failures, to be laid beside the supervisor's log.
struct FailureExample {
    Failure failure = Failure::other;
    std::int64_t mono_usec = 0;
    std::string text;
};

// What a run of the strict client saw.
struct LoadReport {
    std::string label;
    std::uint64_t attempts = 0;
    std::uint64_t succeeded = 0;
    std::array<std::uint64_t, failure_classes> failures{};
    std::uint64_t excused_late = 0;       // lost after a pause longer than the server promises to wait: no failure
    std::uint64_t connections = 0;        // that were opened
    std::uint64_t reused = 0;             // requests on a connection that had carried an answer
    std::uint64_t closed_while_idle = 0;  // seen before the next request: no failure
    Duration p50{}, p90{}, p99{}, max{};  // latencies of what succeeded
    Duration longest_gap{};               // without any success, from the start to the stop
    std::int64_t longest_gap_end_usec = 0;
    Duration elapsed{};
    std::map<std::uint64_t, std::uint64_t> by_generation;  // successes, from X-Worker
    std::vector<FailureExample> examples;

    std::uint64_t failed() const;
    std::uint64_t count(Failure failure) const { return failures[static_cast<std::size_t>(failure)]; }
    // Every attempt has ended in exactly one way.
    bool is_balanced() const { return attempts == succeeded + failed() + excused_late; }
};

// Sorts `latencies` and fills in the percentiles.
void fill_percentiles(LoadReport& report, std::vector<std::uint32_t>& latencies_usec);

std::string to_json(const LoadReport& report);
// Throws where `text` is not what to_json writes.
LoadReport load_report_from_json(std::string_view text);

// One column a report: for a person.
std::string to_table(std::span<const LoadReport> reports);

}  // namespace holdfast::test
