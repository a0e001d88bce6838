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

// Appends lines to the ledger's file, on a thread of its own behind a bounded queue: a disk that does not answer stops
// that thread, never the loop. What does not fit or cannot be written is dropped and counted.
class LedgerWriter {
  public:
    static constexpr std::size_t max_queued_bytes = 256 * 1024;
    static constexpr Duration flush_timeout = std::chrono::seconds{1};  // of the destructor

    // How the writing goes, in words for the log: once when it begins to fail, once when it works again. Called on the
    // writing thread, never after the destructor has returned.
    using Tell = std::function<void(core::Level, std::string)>;

    // `directory` is where `name` lies; each of two files is at most `limit` bytes long.
    LedgerWriter(os::UniqueFd directory, std::string name, std::uint64_t limit, Tell tell);
    // Waits a moment for what is still to be written, then lets a thread that is stuck go: the process is about to end.
    ~LedgerWriter();
    LedgerWriter(const LedgerWriter&) = delete;
    LedgerWriter& operator=(const LedgerWriter&) = delete;

    void write(std::string line);

    // Waits until everything is written or given up, at most `patience`.
    void flush(Duration patience);

  private:
    struct Shared;
    static void run(const std::shared_ptr<Shared>& shared);

    std::shared_ptr<Shared> shared_;  // outlives a thread that never returns from write(2)
    std::thread thread_;
};

}  // namespace holdfast::runtime
