#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/time.hpp"

namespace holdfast::runtime {

// Everything that the supervisor writes to its standard error goes through here: its log and what workers said there.
// One thread writes, behind a bounded queue: a reader of ours that has stopped (a full pipe, ^S on a terminal) can stop
// that thread, never the loop. What does not fit is dropped and counted, and the count is written when there is room.
class Output {
  public:
    static constexpr std::size_t max_queued_bytes = 512 * 1024;
    static constexpr std::size_t max_queued_for_workers =
        max_queued_bytes / 2;  // a flood leaves room for our own words

    static constexpr Duration flush_timeout = std::chrono::seconds{1};  // of the destructor

    enum class Source { supervisor, worker };

    // `fd` is borrowed for the life of the object.
    explicit Output(int fd);
    // Waits for flush(), then lets a thread that is still stuck go: the process is about to end.
    ~Output();
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    // Any thread. Never blocks on the reader. `lines` ends with a newline, or goes on with the next call.
    void write(std::string lines, Source source = Source::supervisor);

    // Waits until everything is written, at most `timeout`.
    void flush(Duration timeout);

  private:
    struct Shared {
        std::mutex mutex;
        std::condition_variable changed;
        std::deque<std::string> queue;
        std::size_t queued_bytes = 0;
        std::uint64_t dropped_bytes = 0;
        enum class Running { yes, no } running = Running::yes;
        enum class Writing { yes, no } writing = Writing::no;

        // The oldest lines, not none.
        std::string take();
    };

    static void run(std::shared_ptr<Shared> shared, int fd);

    std::shared_ptr<Shared> shared_;  // outlives a thread that never returns from write(2)
    std::thread thread_;
};

}  // namespace holdfast::runtime
