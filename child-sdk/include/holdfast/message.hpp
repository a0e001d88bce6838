#pragma once

// The messages that the supervisor and its workers exchange, independent of their encoding: PROTOCOL.md defines them,
// src/wire encodes and decodes them. Plain data without behaviour or dependencies.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

// Limits of the protocol. A message over its limit is malformed; text over its limit is truncated.
inline constexpr std::size_t max_message_bytes = std::size_t{64} * 1024;  ///< one packet
inline constexpr std::size_t max_text_bytes = 256;                        ///< STATUS and SDK, which people read
inline constexpr std::size_t max_name_bytes = 64;                         ///< the name of something that is still held
inline constexpr std::size_t max_waiting_of_a_kind = 16;  ///< entries per kind in a drain report, the oldest first
inline constexpr std::size_t max_held_kinds = 8;          ///< kinds that a drain report counts
inline constexpr std::size_t max_report_bytes = std::size_t{4} * 1024;  ///< bytes of one drain report that are kept

/// The stages of a worker. `run` takes back lame_duck, pause and, until something was released, drain.
enum class Stage { run, lame_duck, pause, drain, cancel };

/// Why a worker is sent a stage.
enum class Reason { restart, stop, scale, recycle, unhealthy, rollback };

/// A command from the supervisor to a worker. Both times are CLOCK_MONOTONIC microseconds; `run` has none.
struct Command {
    Stage stage = Stage::run;                   ///< the stage to enter
    std::optional<std::int64_t> deadline_usec;  ///< the next stage comes at this time at the latest
    std::optional<std::int64_t> kill_usec;      ///< deadline of the last stage: SIGKILL
    std::optional<Reason> reason;               ///< the reason
    friend bool operator==(const Command&, const Command&) = default;  ///< compares all members
};

/// One thing that a worker still holds: an entry of its drain report.
struct Waiting {
    std::string kind;           ///< "request", "session", "task", "work", "resource"
    std::string name;           ///< shown to people: "GET /report"; at most 64 bytes
    std::int64_t age_usec = 0;  ///< microseconds since it began
    friend bool operator==(const Waiting&, const Waiting&) = default;  ///< compares all members
};

/// How many things of one kind a worker still holds; a report may name fewer.
struct HeldCount {
    std::string kind;                                                      ///< as in Waiting
    std::uint64_t count = 0;                                               ///< the number
    friend bool operator==(const HeldCount&, const HeldCount&) = default;  ///< compares all members
};

/// The set of stages that a worker supports, from X_HOLDFAST_STAGES.
struct StageSet {
    std::uint8_t bits = 0;  ///< one bit per Stage
    /// Whether the set contains the stage.
    constexpr bool has(Stage stage) const { return (bits >> static_cast<unsigned>(stage) & 1U) != 0; }
    /// Adds the stage.
    constexpr void add(Stage stage) { bits = static_cast<std::uint8_t>(bits | 1U << static_cast<unsigned>(stage)); }
    friend constexpr bool operator==(StageSet, StageSet) = default;  ///< compares all members
};

/// What a worker reports about its own health.
enum class Watchdog { alive, trigger };

/// A message from a worker to the supervisor. One message may carry several keys; absent keys leave their members
/// empty.
struct Report {
    bool hello = false;                       ///< HELLO=1
    std::string sdk;                          ///< SDK=cpp/1.0
    std::optional<StageSet> stages;           ///< X_HOLDFAST_STAGES
    bool ready = false;                       ///< READY=1
    bool stopping = false;                    ///< STOPPING=1
    std::optional<std::string> status;        ///< STATUS=
    std::optional<Watchdog> watchdog;         ///< WATCHDOG=
    std::optional<std::int64_t> extend_usec;  ///< EXTEND_TIMEOUT_USEC
    std::optional<std::int64_t> main_pid;     ///< MAINPID
    bool barrier = false;                     ///< BARRIER=1, sent with one descriptor
    std::optional<bool> accepting;            ///< X_HOLDFAST_ACCEPTING
    bool releasing = false;                   ///< X_HOLDFAST_RELEASING=1
    std::optional<std::uint64_t> in_flight;   ///< X_HOLDFAST_IN_FLIGHT
    std::optional<std::uint64_t> served;      ///< X_HOLDFAST_SERVED
    // The drain report. Empty and absent differ: an empty report replaces an older one.
    std::optional<std::vector<Waiting>> waiting;  ///< X_HOLDFAST_WAITING, repeated; also present with IN_FLIGHT or HELD
    std::vector<HeldCount> held;                  ///< X_HOLDFAST_HELD, repeated; part of the drain report
    std::optional<std::uint64_t> handed_back;     ///< X_HOLDFAST_HANDED_BACK: items of work since the start
    std::optional<std::uint64_t> lost;            ///< X_HOLDFAST_LOST: those whose hand-back failed, since the start
    bool drained = false;                         ///< X_HOLDFAST_DRAINED=1
    friend bool operator==(const Report&, const Report&) = default;  ///< compares all members
};

}  // namespace holdfast
