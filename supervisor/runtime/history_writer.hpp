#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/time.hpp"
#include "core/action.hpp"
#include "os/append_file.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::runtime {

// Appends lines to the history's file, on a thread of its own behind a bounded queue: a disk that does not answer stops
// that thread, never the loop. What does not fit or cannot be written is dropped and counted.
class HistoryWriter {
  public:
    static constexpr std::size_t max_queued_bytes = 256 * 1024;
    static constexpr Duration flush_timeout = std::chrono::seconds{1};  // of the destructor

    // How the writing goes, in words for the log: once when it begins to fail, once when it works again. Called on the
    // writing thread, never after the destructor has returned.
    using StatusCallback = std::function<void(core::Level, std::string)>;

    // `directory` is where `name` lies; each of two files is at most `limit` bytes long.
    HistoryWriter(os::UniqueFd directory, std::string name, std::uint64_t limit, StatusCallback on_status);
    // Waits a moment for what is still to be written, then lets a thread that is stuck go: the process is about to end.
    ~HistoryWriter();
    HistoryWriter(const HistoryWriter&) = delete;
    HistoryWriter& operator=(const HistoryWriter&) = delete;

    void write(std::string line);

    // Waits until everything is written or given up, at most `timeout`.
    void flush(Duration timeout);

  private:
    struct Shared;
    static void run(const std::shared_ptr<Shared>& shared);

    std::shared_ptr<Shared> shared_;  // outlives a thread that never returns from write(2)
    std::thread thread_;
};

}  // namespace holdfast::runtime
