#pragma once

#include <holdfast/message.hpp>
#include <optional>
#include <string_view>

#include "base/exit_status.hpp"
#include "base/time.hpp"
#include "core/event.hpp"

namespace holdfast::testing {

enum class Launch { succeeds, fails, hangs };

// silent: sends no messages; notify: sends sd_notify messages and gets signals; protocol: sends HELLO and gets stages.
enum class Messaging { silent, notify, protocol };

inline constexpr StageSet all_stages{0b11111};

// A process that starts the real server and waits for it. It exits first, and its process group outlives it.
struct Wrapper {
    Duration group_outlives{};          // how long the group outlives the wrapper without a signal
    bool group_handles_signals = true;  // a signal to the group ends it at once
    int strays = 0;                     // descendants that left the group
    enum class Seen { at_once, late, never } seen = Seen::at_once;  // whether a look at the processes succeeds
};

// What a worker of the fake world does, by itself and when it is sent a stage. Durations count from the launch for what
// it does by itself, and from the stage for the rest. An empty optional means never.
struct WorkerScript {
    Launch launch = Launch::succeeds;
    Duration launch_takes{};
    int launch_error = 2;
    std::string_view launch_stage = "execute ./srv";

    Messaging messaging = Messaging::protocol;
    StageSet stages = all_stages;
    Duration hello_after{};
    std::optional<Duration> ready_after = Duration{};
    std::optional<Duration> ready_again_after;  // a second READY=1, as after a reload of its configuration
    std::optional<Duration> crashes_after;
    ExitStatus crash = ExitedWith{1};
    std::optional<Duration> stops_itself_after;  // STOPPING=1
    std::optional<Duration> loses_channel_after;

    std::optional<Duration> stops_accepting_after = Duration{};  // pause and drain: ACCEPTING=0
    std::optional<Duration> releases_after;                      // drain: RELEASING=1
    std::optional<Duration> drained_after = Duration{};          // drain: DRAINED=1 and exit
    std::optional<Duration> cancelled_after = Duration{};        // cancel: exit
    std::optional<Duration> accepts_again_after = Duration{};    // run, before anything was released
    ExitStatus stop_status = ExitedWith{0};                      // of a requested exit
    Duration reports_every{};                                    // drain: IN_FLIGHT and WAITING; 0: never

    Duration probe_takes{};                      // of one probe; it fails if the worker is not ready by then
    std::optional<Duration> fails_probes_after;  // for `fails_probes_for`
    Duration fails_probes_for = std::chrono::hours{1};
    core::ListenerClaim claim = core::ListenerClaim::held;
    Duration claim_takes{};
    Duration heartbeat_every{};  // WATCHDOG=1, from its HELLO on; 0: never
    std::optional<Duration> stops_heartbeat_after;
    std::optional<Duration> triggers_watchdog_after;

    int extensions = 0;  // how often it asks for more time in each stage that it is sent
    Duration extends_every{};
    Duration extends_by{};

    std::optional<Wrapper> wrapper;
    std::optional<Duration> dies_after_kill = Duration{};
};

// The outcome of a preparation. never: it lasts until it is abandoned.
struct PreparationScript {
    enum class Result { succeeds, fails, never };
    Result result = Result::succeeds;
    Duration takes{};
};

}  // namespace holdfast::testing
