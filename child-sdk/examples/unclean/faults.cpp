#include "faults.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr int session_count = 64;
constexpr int item_count = 3;

[[noreturn]] void wait_forever() {
    for (;;) ::pause();
}

// Holds the object forever, on a detached thread.
template <class Held>
void hold_forever(Held held) {
    std::thread([kept = std::move(held)] { wait_forever(); }).detach();
}

struct NeverDestroyed {
    NeverDestroyed() = default;
    ~NeverDestroyed() { wait_forever(); }
    NeverDestroyed(const NeverDestroyed&) = delete;
    NeverDestroyed& operator=(const NeverDestroyed&) = delete;
};

}  // namespace

void stick_in_a_request(holdfast::Worker& worker) { hold_forever(worker.begin_request("GET /stuck")); }

void leak_a_request(holdfast::Worker& worker) {
    static_cast<void>(new holdfast::Request(worker.begin_request("GET /leaked")));
}

void run_a_deaf_task(holdfast::Worker& worker) {
    worker.start_task("deaf", [](const std::stop_token&) { wait_forever(); });
}

// Holds items of work until the cancel hands them back.
void keep_work(holdfast::Worker& worker) {
    std::vector<holdfast::Work> kept;
    for (int i = 1; i <= item_count; ++i) {
        const std::string name = "order " + std::to_string(i);
        kept.push_back(worker.hold_work(
            name, [name] { std::fprintf(stderr, "unclean: %s is back in its queue\n", name.c_str()); }));
    }
    hold_forever(std::move(kept));
}

// Never checks its stop token.
void overstay_in_a_session(holdfast::Worker& worker) { hold_forever(worker.begin_session("GET /stream", 100ms)); }

void crowd_with_sessions(holdfast::Worker& worker) {
    std::vector<holdfast::Session> sessions;
    for (int i = 1; i <= session_count; ++i) sessions.push_back(worker.begin_session("GET /chat/" + std::to_string(i)));
    hold_forever(std::move(sessions));
}

void hang_in_a_close(holdfast::Worker& worker) { worker.resource("db-pool", wait_forever).within(200ms); }

void throw_in_a_close(holdfast::Worker& worker) {
    worker.resource("db-pool", [] { throw std::runtime_error("the server closed the connection"); });
}

void use_in_a_cycle(holdfast::Worker& worker) {
    holdfast::Resource cache = worker.resource("cache", [] {});
    holdfast::Resource pool = worker.resource("db-pool", [] {});
    pool.used_by(cache);
    cache.used_by(pool);
}

void block_in_a_destructor(holdfast::Worker&) { static const NeverDestroyed connection; }
