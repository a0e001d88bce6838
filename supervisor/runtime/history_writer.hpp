#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "core/action.hpp"
#include "os/unique_fd.hpp"
#include "runtime/blocking_thread.hpp"

namespace holdfast::runtime {

// Appends lines to the history file. A thread writes from a bounded queue, so that a disk that does not respond blocks
// that thread and never the loop. Lines that do not fit or cannot be written are dropped and counted.
class HistoryWriter {
  public:
    static constexpr std::size_t max_queued_bytes = 256 * 1024;
    static constexpr Duration flush_timeout = std::chrono::seconds{1};  // of the destructor

    // Reports a log level and a sentence for the log: once when writing begins to fail, and once when it works again.
    // Called on the writing thread, never after the destructor has returned. Must not block.
    using StatusCallback = std::function<void(core::Level, std::string)>;

    // `directory` contains the file `name` and its predecessor; each is at most `limit` bytes long. Throws
    // std::system_error if no thread can be started.
    HistoryWriter(os::UniqueFd directory, std::string name, std::uint64_t limit, StatusCallback on_status);
    // Flushes, at most `flush_timeout`. Detaches the thread if it is still blocked then: the process is about to end.
    ~HistoryWriter();
    HistoryWriter(const HistoryWriter&) = delete;
    HistoryWriter& operator=(const HistoryWriter&) = delete;

    // `line` ends with a newline and contains no other.
    void write(std::string line);

    // Waits until every line is written or dropped, at most `timeout`.
    void flush(Duration timeout);

  private:
    struct Shared;
    class AppendJob;

    std::shared_ptr<Shared> shared_;
    BlockingThread thread_;
};

}  // namespace holdfast::runtime
