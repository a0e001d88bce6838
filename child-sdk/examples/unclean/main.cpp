// Workers that cannot be stopped cleanly, one a mode: what each holds must be named by the supervisor. See the usage.

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <functional>
#include <holdfast/worker.hpp>
#include <optional>
#include <string_view>

#include "misdeeds.hpp"
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
        {"held-work", "items of work are kept until the cancel puts them back", keep_work},
        {"overdue-session", "a session is told to leave, and stays", overstay_in_a_session},
        {"crowd", "64 of them do", crowd_with_sessions},
        {"hanging-close", "the close of a resource hangs", hang_in_a_close},
        {"throwing-close", "the close of a resource throws", throw_in_a_close},
        {"circle", "two resources use each other", use_in_a_circle},
        {"blocked-destructor", "a static destructor hangs after everything was released", block_in_a_destructor},
    }};
    return all;
}

int show_usage() {
    std::fputs("usage: unclean MODE\n", stderr);
    for (const Mode& mode : modes()) std::fprintf(stderr, "  %-20s %s\n", mode.name.data(), mode.what);
    std::fputs("  slow-queue           requests are answered one after the other\n", stderr);
    std::fputs("  endless-queue        and more of them come\n", stderr);
    return 2;
}

int serve(std::string_view wanted) {
    holdfast::Worker worker;
    const holdfast::Listener listener = worker.listen("http", "127.0.0.1:0");
    std::optional<Queue> queue;
    if (wanted == "slow-queue") queue.emplace(worker, Queue::Length::ten);
    if (wanted == "endless-queue") queue.emplace(worker, Queue::Length::endless);
    for (const Mode& mode : modes()) {
        if (mode.name == wanted) mode.misbehave(worker);
    }
    worker.ready();
    return worker.wait();
}

bool is_known(std::string_view wanted) {
    if (wanted == "slow-queue" || wanted == "endless-queue") return true;
    return std::ranges::any_of(modes(), [&](const Mode& mode) { return mode.name == wanted; });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 || !is_known(argv[1])) return show_usage();
    try {
        return serve(argv[1]);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "unclean: %s\n", failure.what());
        return 1;
    }
}
