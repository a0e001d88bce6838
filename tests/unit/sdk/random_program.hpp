#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <holdfast/worker.hpp>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "watched_pool.hpp"

namespace holdfast {

inline constexpr std::chrono::milliseconds sufficient = std::chrono::minutes(5);  // under any sanitizer and load

// What went wrong, from any thread.
class Findings {
  public:
    void add(std::string finding) {
        const std::lock_guard lock(mutex_);
        findings_.push_back(std::move(finding));
    }
    std::vector<std::string> all() const {
        const std::lock_guard lock(mutex_);
        return findings_;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> findings_;
};

// An item of work, and what became of it.
struct Item {
    bool was_held = false;  // else the worker refused it
    bool was_committed = false;
    std::atomic<int> handed_back = 0;
};

// A program that does at random, on several threads, what a program can do with its Worker: requests, sessions, items
// of work, tasks and resources begin and end in every stage, and everything uses the resources that it may use. Checks
// what it is told, and uses of resources, while it runs.
class RandomProgram {
  public:
    // Registers callbacks, tasks and resources.
    RandomProgram(Worker& worker, unsigned seed);
    ~RandomProgram();
    RandomProgram(const RandomProgram&) = delete;
    RandomProgram& operator=(const RandomProgram&) = delete;

    void start_threads();

    // Ends what the threads hold, and the threads. Tasks run until the worker asks them to stop.
    void wind_up();

    bool can_pause() const { return can_pause_; }
    bool is_accepting() const { return accepting_; }
    bool is_cancelled() const { return cancelled_; }

    // How often accepting began or stopped.
    std::uint64_t accepting_changes() const { return accepting_changes_; }

    std::uint64_t begun() const { return begun_; }     // requests
    bool was_refused() const { return was_refused_; }  // a request, or another thing, because the release has begun

    // Whether something failed that makes wait() return 3: a close, a hand-back, a task. Call it after wait().
    bool has_failed() const { return failures_ > 0; }

    // Whether a close may have exceeded its timeout, which makes wait() return 3 as well.
    bool may_have_failed() const { return may_fail_ || has_failed(); }

    // Adds what must not be once the worker has released everything. `begun_elsewhere`: requests of the caller.
    void check_end(std::uint64_t begun_elsewhere);
    std::vector<std::string> findings() const { return findings_.all(); }

  private:
    class Thread;
    enum class HandBack { works, fails };

    void add_callbacks();
    void add_accept_callbacks();
    void ensure_stopped();
    void stop_accepting();
    void start_accepting();
    void add_task();
    void run_task(std::size_t number, Random random, const std::stop_token& stop);
    void start_short_task(Random& random);
    void serve_in_task(Random& random);
    void add_resource();
    void add_resource_users();
    void add_external_user(unsigned used);

    WatchedPool& later_pool();
    Item& new_item();
    void hand_back(Item& item, HandBack hand_back);
    static bool claim(Item& item, Work& held);
    void finish(Item& item, Work& held);
    void pass_on(Request request);
    std::optional<Request> take_passed_on();
    std::uint64_t check_items();

    Worker& worker_;
    Random random_;
    Findings findings_;
    std::atomic<int> violations_ = 0;
    std::stop_source winding_up_;
    bool can_pause_ = false;
    bool may_fail_ = false;
    std::atomic<bool> accepting_ = true;
    std::atomic<bool> cancelled_ = false;
    std::atomic<bool> was_refused_ = false;
    std::atomic<bool> tasks_may_begin_ = false;
    std::atomic<int> released_ = 0;
    std::atomic<std::uint64_t> accepting_changes_ = 0;
    std::atomic<std::uint64_t> begun_ = 0;
    std::atomic<int> later_open_ = 0;
    std::atomic<std::uint64_t> lost_ = 0;
    std::atomic<std::uint64_t> failures_ = 0;

    // Not changed once the threads and tasks run, so that no lock of this program orders uses and closes.
    std::deque<WatchedPool> pools_;
    std::vector<std::vector<WatchedPool*>> used_by_pool_;
    std::vector<std::vector<WatchedPool*>> used_by_task_;
    std::vector<WatchedPool*> used_by_requests_;
    std::vector<WatchedPool*> used_by_sessions_;
    std::vector<WatchedPool*> used_by_work_;
    std::vector<WatchedPool*> used_by_tasks_;  // by all of them
    std::vector<Resource> resources_;
    std::vector<Task> tasks_;

    mutable std::mutex mutex_;  // guards the following
    std::deque<WatchedPool> later_pools_;
    std::deque<Item> items_;
    std::vector<Request> passed_on_;  // requests that any thread may end

    std::deque<Thread> threads_;
};

}  // namespace holdfast
