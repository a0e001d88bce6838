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

// One line of the supervisor's log. The event is "" for lines that were copied from a worker.
struct LogEntry {
    std::size_t index = 0;
    std::int64_t mono_usec = 0;
    std::string level;
    std::string event;
    std::string worker;  // "1.0"
    pid_t pid = 0;
    std::string text;  // the whole line if the event is ""
};

using LogPredicate = std::function<bool(const LogEntry&)>;

LogPredicate any_entry();
LogPredicate of_worker(std::string worker);
LogPredicate of_generation(std::uint64_t generation);
LogPredicate with_text(std::string part);

// Reads a supervisor's log on its own thread and lets a test wait for entries.
class EventLog {
  public:
    // Takes ownership of the reading end of the pipe.
    explicit EventLog(int pipe_fd);
    ~EventLog();
    EventLog(const EventLog&) = delete;
    EventLog& operator=(const EventLog&) = delete;

    // The first matching entry at or after index `from`. Throws an exception with the whole log after `deadline`.
    LogEntry wait_for(std::string_view event, const LogPredicate& fits = any_entry(), std::size_t from = 0,
                      Duration deadline = test_timeout);
    std::optional<LogEntry> find(std::string_view event, const LogPredicate& fits = any_entry(), std::size_t from = 0);
    std::size_t count(std::string_view event, const LogPredicate& fits = any_entry(), std::size_t from = 0);
    // Waits until there are at least `count` entries and returns their number: a command may end before the last lines
    // that it causes are written.
    std::size_t await_count(std::size_t count, std::string_view event, const LogPredicate& fits = any_entry(),
                            std::size_t from = 0);
    // The index that the next entry will have.
    std::size_t mark();
    // All lines in the order in which they were read.
    std::string text();

    // Stops and resumes reading from the pipe; meanwhile the pipe fills up.
    void stop_reading();
    void resume_reading();
    // Waits until everything is read and no process has the writing end open. False after `deadline`.
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
