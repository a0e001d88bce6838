#include "runtime/orphans.hpp"

#include <csignal>
#include <utility>

#include "os/process.hpp"
#include "os/wait_for.hpp"
#include "runtime/clock.hpp"
#include "wire/wire.hpp"

namespace holdfast::runtime {

namespace {

enum class Waited { all_ended, time_is_up, interrupted };

Waited wait_for(std::vector<os::Process>& orphans, Instant deadline, const os::Signals& signals) {
    while (true) {
        std::erase_if(orphans, [](const os::Process& orphan) { return os::has_ended(orphan); });
        if (orphans.empty()) return Waited::all_ended;
        if (now() >= deadline) return Waited::time_is_up;
        std::vector<int> fds{signals.fd()};
        for (const auto& orphan : orphans) fds.push_back(orphan.pidfd());
        os::wait_until_readable(fds, deadline);
        while (const auto received = signals.read()) {
            if (received->signal == SIGTERM || received->signal == SIGINT) return Waited::interrupted;
        }
    }
}

}  // namespace

std::string describe(const std::vector<os::Orphan>& orphans) {
    std::string text;
    for (const auto& orphan : orphans) {
        if (!text.empty()) text += ", ";
        text += orphan.worker + " (pid " + std::to_string(orphan.pid) + ", " + wire::printable(orphan.command) + ")";
    }
    return text;
}

Result<void> replace_orphans(const std::vector<os::Orphan>& orphans, const core::Policy& policy,
                             const os::Signals& signals, Log& log) {
    std::vector<os::Process> living;
    for (const auto& orphan : orphans) {
        auto process = os::open_process(orphan.pid, orphan.start_time);
        if (!process) continue;
        static_cast<void>(os::send_signal(*process, policy.stop_signal));
        living.push_back(std::move(*process));
    }
    log.write(core::Level::warning, "orphans_replaced",
              "workers of a former supervisor live on and are told to stop: " + describe(orphans));
    auto waited = wait_for(living, now() + policy.grace_period, signals);
    if (waited == Waited::time_is_up) {
        for (const auto& process : living) static_cast<void>(os::kill_now(process));
        waited = wait_for(living, now() + core::unkillable_after, signals);
    }
    switch (waited) {
        case Waited::all_ended:
            return {};
        case Waited::interrupted:
            return error("stopped while waiting for the workers of a former supervisor");
        case Waited::time_is_up:
            break;
    }
    return error("cannot end the workers of a former supervisor: they survive SIGKILL: " + describe(orphans));
}

}  // namespace holdfast::runtime
