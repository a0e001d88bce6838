#pragma once

// The words that the supervisor and its workers share, without their spelling: PROTOCOL.md defines them, src/wire turns
// them into bytes and back. Plain data, no behaviour, no dependency.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

// Limits of the protocol. A message over its limit is malformed; text over its limit is cut.
inline constexpr std::size_t max_message_bytes = std::size_t{64} * 1024;  ///< of one packet
inline constexpr std::size_t max_text_bytes = 256;                        ///< STATUS and SDK, where a person reads them
inline constexpr std::size_t max_name_bytes = 64;                         ///< the name of something that is still held
inline constexpr std::size_t max_waiting_of_a_kind = 16;                  ///< the oldest ones in a drain report
inline constexpr std::size_t max_held_kinds = 8;                          ///< whose number a drain report tells
inline constexpr std::size_t max_report_bytes = std::size_t{4} * 1024;    ///< of one drain report that are kept

/// What a worker is told to do next. `run` takes lame_duck, pause and (until something was released) drain back.
enum class Stage { run, lame_duck, pause, drain, cancel };

/// Why it is told.
enum class Reason { restart, stop, scale, recycle, unhealthy, rollback };

/// Supervisor to worker. Both times are CLOCK_MONOTONIC microseconds; `run` has none.
struct Command {
    Stage stage = Stage::run;                                          ///< what to do now
    std::optional<std::int64_t> deadline_usec;                         ///< the next stage comes then, or before
    std::optional<std::int64_t> kill_usec;                             ///< the end of the whole ladder
    std::optional<Reason> reason;                                      ///< why
    friend bool operator==(const Command&, const Command&) = default;  ///< member by member
};

/// One thing that a worker still holds: a line of its drain report.
struct Waiting {
    std::string kind;           ///< "request", "session", "task", "work", "resource"
    std::string name;           ///< for people: "GET /report"; 64 bytes at most
    std::int64_t age_usec = 0;  ///< microseconds since it began to be held
    friend bool operator==(const Waiting&, const Waiting&) = default;  ///< member by member
};

/// How many things of one kind a worker still holds: there may be more than the report names.
struct HeldCount {
    std::string kind;                                                      ///< as in Waiting
    std::uint64_t count = 0;                                               ///< how many
    friend bool operator==(const HeldCount&, const HeldCount&) = default;  ///< member by member
};

/// The set of stages that a worker understands, from X_HOLDFAST_STAGES.
struct StageSet {
    std::uint8_t bits = 0;  ///< one for each Stage
    /// Whether the stage is in it.
    constexpr bool has(Stage stage) const { return (bits >> static_cast<unsigned>(stage) & 1U) != 0; }
    /// Puts the stage in.
    constexpr void add(Stage stage) { bits = static_cast<std::uint8_t>(bits | 1U << static_cast<unsigned>(stage)); }
    friend constexpr bool operator==(StageSet, StageSet) = default;  ///< member by member
};

/// What a worker says of its own health.
enum class Watchdog { alive, trigger };

/// Worker to supervisor. One message may say several things; what it does not say is empty.
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
    bool barrier = false;                     ///< BARRIER=1, with one descriptor beside it
    std::optional<bool> accepting;            ///< X_HOLDFAST_ACCEPTING
    bool releasing = false;                   ///< X_HOLDFAST_RELEASING=1
    std::optional<std::uint64_t> in_flight;   ///< X_HOLDFAST_IN_FLIGHT
    std::optional<std::uint64_t> served;      ///< X_HOLDFAST_SERVED
    // The drain report. Empty and absent differ: a report of nothing replaces an older one.
    std::optional<std::vector<Waiting>>
        waiting;                               ///< X_HOLDFAST_WAITING, repeated; present also beside IN_FLIGHT or HELD
    std::vector<HeldCount> held;               ///< X_HOLDFAST_HELD, repeated; part of the same drain report
    std::optional<std::uint64_t> handed_back;  ///< X_HOLDFAST_HANDED_BACK: items of work, since the start
    bool drained = false;                      ///< X_HOLDFAST_DRAINED=1
    friend bool operator==(const Report&, const Report&) = default;  ///< member by member
};

}  // namespace holdfast
