// A worker that cannot be stopped cleanly, for tests: the supervisor must name what it holds. Each mode causes one
// fault, see the usage.

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <functional>
#include <holdfast/worker.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "faults.hpp"
#include "queue.hpp"

namespace {

struct Mode {
    std::string_view name;
    const char* what;
    std::function<void(holdfast::Worker&)> misbehave;
};

const std::array<Mode, 11>& modes() {
    static const std::array<Mode, 11> all{{
        {"clean", "holds nothing", [](holdfast::Worker&) {}},
        {"stuck-request", "a request never ends", stick_in_a_request},
        {"leaked-request", "a request is leaked", leak_a_request},
        {"deaf-task", "a task ignores its stop token", run_a_deaf_task},
        {"held-work", "items of work are held until the cancel hands them back", keep_work},
        {"overdue-session", "a session is asked to leave and stays", overstay_in_a_session},
        {"crowd", "64 sessions stay", crowd_with_sessions},
        {"hanging-close", "the close of a resource hangs", hang_in_a_close},
        {"throwing-close", "the close of a resource throws", throw_in_a_close},
        {"cycle", "two resources use each other", use_in_a_cycle},
        {"blocked-destructor", "a static destructor hangs after everything was released", block_in_a_destructor},
    }};
    return all;
}

constexpr std::string_view slow_queue = "slow-queue", endless_queue = "endless-queue";

int show_usage() {
    std::fputs("usage: unclean MODE...\n", stderr);
    for (const Mode& mode : modes()) std::fprintf(stderr, "  %-20s %s\n", mode.name.data(), mode.what);
    std::fprintf(stderr, "  %-20s requests are answered one after another\n", slow_queue.data());
    std::fprintf(stderr, "  %-20s like slow-queue, with new requests all the time\n", endless_queue.data());
    return 2;
}

bool has(std::span<const std::string_view> wanted, std::string_view name) {
    return std::ranges::find(wanted, name) != wanted.end();
}

bool is_known(std::string_view name) {
    return name == slow_queue || name == endless_queue ||
           std::ranges::find(modes(), name, &Mode::name) != modes().end();
}

int serve(std::span<const std::string_view> wanted) {
    holdfast::Worker worker;
    const holdfast::Listener listener = worker.listen("http", "127.0.0.1:0");
    std::optional<Queue> queue;
    if (has(wanted, slow_queue)) queue.emplace(worker, Queue::Length::ten);
    if (has(wanted, endless_queue)) queue.emplace(worker, Queue::Length::endless);
    for (const Mode& mode : modes()) {
        if (has(wanted, mode.name)) mode.misbehave(worker);
    }
    worker.ready();
    return worker.wait();
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> wanted(argv + 1, argv + argc);
    if (wanted.empty() || !std::ranges::all_of(wanted, is_known)) return show_usage();
    try {
        return serve(wanted);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "unclean: %s\n", failure.what());
        return 1;
    }
}
