#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "runtime/blocking_thread.hpp"

namespace holdfast::runtime {

// Writes the supervisor's standard error: its log, and the output of workers. A thread writes from a bounded queue, so
// that a reader that has stopped (a full pipe, ^S on a terminal) blocks that thread and never the loop. Text that does
// not fit is dropped; the number of dropped bytes is written once there is room again.
class Output {
  public:
    static constexpr std::size_t max_queued_bytes = 512 * 1024;
    // The other half is reserved for the supervisor's own lines.
    static constexpr std::size_t max_queued_for_workers = max_queued_bytes / 2;

    static constexpr Duration flush_timeout = std::chrono::seconds{1};  // of the destructor

    enum class Source { supervisor, worker };

    // Throws std::system_error if no thread can be started. `fd` is borrowed as long as the object lives, and longer if
    // the destructor detaches the thread.
    explicit Output(int fd);
    // Flushes, at most `flush_timeout`. Detaches the thread if it is still blocked then: the process is about to end.
    ~Output();
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    // Thread-safe. Never blocks on the reader. `lines` ends with a newline, or is continued by the next call.
    void write(std::string lines, Source source = Source::supervisor);

    // Waits until everything is written, at most `timeout`.
    void flush(Duration timeout);

  private:
    struct Shared;
    class WriteJob;

    std::shared_ptr<Shared> shared_;
    BlockingThread thread_;
};

}  // namespace holdfast::runtime
