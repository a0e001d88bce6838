#include "runtime/history_writer.hpp"

#include <utility>

#include "os/append_file.hpp"

namespace holdfast::runtime {

struct HistoryWriter::Shared {
    Shared(os::UniqueFd owned, std::string name, std::uint64_t limit, StatusCallback callback)
        : directory(std::move(owned)), file(directory.get(), std::move(name), limit), on_status(std::move(callback)) {}

    void on_written();
    void on_failed(const Error& failure);

    const os::UniqueFd directory;
    os::AppendFile file;  // of the writing thread

    // These are used only while the queue is locked.
    const StatusCallback on_status;
    std::uint64_t lost_lines = 0;  // since the last line that was written
    enum class Failing { no, yes } failing = Failing::no;
};

class HistoryWriter::AppendJob final : public BlockingJob {
  public:
    AppendJob(std::shared_ptr<Shared> shared, std::string line) : shared_(std::move(shared)), line_(std::move(line)) {}

    void run(MoreQueued) override { written_ = shared_->file.append(line_); }
    void deliver() override {
        if (written_) {
            shared_->on_written();
        } else {
            shared_->on_failed(written_.error());
        }
    }
    void refuse() override { ++shared_->lost_lines; }

  private:
    std::shared_ptr<Shared> shared_;
    std::string line_;
    Result<void> written_;
};

// All signals are blocked: a file that may not grow (RLIMIT_FSIZE) is then an error of write(2), and not the end of the
// process by SIGXFSZ.
HistoryWriter::HistoryWriter(os::UniqueFd directory, std::string name, std::uint64_t limit, StatusCallback on_status)
    : shared_(std::make_shared<Shared>(std::move(directory), std::move(name), limit, std::move(on_status))),
      thread_({.idle_timeout = flush_timeout, .signals = BlockingThread::Signals::blocked, .limit = {}}) {
    thread_.start();
}

HistoryWriter::~HistoryWriter() = default;

void HistoryWriter::write(std::string line) {
    const std::size_t size = line.size();
    thread_.post(std::make_unique<AppendJob>(shared_, std::move(line)),
                 {.id = {}, .size = size, .max_queued = max_queued_bytes});
}

void HistoryWriter::flush(Duration timeout) { thread_.wait_until_idle(timeout); }

void HistoryWriter::Shared::on_written() {
    if (lost_lines > 0) {
        on_status(core::Level::info,
                  "the history is written again; " + std::to_string(lost_lines) + " lines are missing in it");
    }
    lost_lines = 0;
    failing = Failing::no;
}

void HistoryWriter::Shared::on_failed(const Error& failure) {
    ++lost_lines;
    if (failing == Failing::no) {
        on_status(core::Level::warning, failure.text + "; lines are left out of the history until it works again");
    }
    failing = Failing::yes;
}

}  // namespace holdfast::runtime
