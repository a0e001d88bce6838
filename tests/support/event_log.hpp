#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/time.hpp"
#include "child_process.hpp"

namespace holdfast::test {

// One line of the supervisor's log. Lines that are not its own (a worker's, copied) have the event "".
struct LogEntry {
    std::size_t index = 0;
    std::int64_t mono_usec = 0;
    std::string level;
    std::string event;
    std::string worker;  // "1.0"
    pid_t pid = 0;
    std::string text;  // the whole line where the event is ""
};

using LogPredicate = std::function<bool(const LogEntry&)>;

LogPredicate any_entry();
LogPredicate of_worker(std::string worker);
LogPredicate of_generation(std::uint64_t generation);
LogPredicate with_text(std::string part);

// Reads a supervisor's log on a thread of its own and lets a test wait for facts in it.
class EventLog {
  public:
    // Takes the reading end of the pipe.
    explicit EventLog(int pipe_fd);
    ~EventLog();
    EventLog(const EventLog&) = delete;
    EventLog& operator=(const EventLog&) = delete;

    // The first fitting entry at or after `from`; throws with the whole log after `deadline`.
    LogEntry wait_for(std::string_view event, const LogPredicate& fits = any_entry(), std::size_t from = 0,
                      Duration deadline = test_timeout);
    std::optional<LogEntry> find(std::string_view event, const LogPredicate& fits = any_entry(), std::size_t from = 0);
    std::size_t count(std::string_view event, const LogPredicate& fits = any_entry(), std::size_t from = 0);
    // How many there are when there are `count` at least: a command may be over before its last lines are written.
    std::size_t await_count(std::size_t count, std::string_view event, const LogPredicate& fits = any_entry(),
                            std::size_t from = 0);
    // The index that the next entry will have.
    std::size_t mark();
    // All lines as they came.
    std::string text();

    // Stops and starts taking what the supervisor writes: its pipe fills up meanwhile.
    void stop_reading();
    void resume_reading();
    // Everything is read: nobody holds the writing end any more. False after `deadline`.
    bool wait_for_end(Duration deadline);

  private:
    std::size_t count_locked(std::string_view event, const LogPredicate& fits, std::size_t from) const;
    void read_all();
    bool wait_until_readable();
    void add_line(std::string_view line);

    int pipe_fd_;
    int wake_fd_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<LogEntry> entries_;
    std::string text_;
    bool reading_ = true;
    bool ended_ = false;
    bool closing_ = false;
    std::thread thread_;
};

}  // namespace holdfast::test
