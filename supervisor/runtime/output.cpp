#include "runtime/output.hpp"

#include <atomic>
#include <cstdint>
#include <utility>

#include "os/write.hpp"

namespace holdfast::runtime {

namespace {
constexpr std::size_t max_written_bytes = 16 * 1024;  // of several lines, by one write(2): a burst costs few wake-ups
}  // namespace

struct Output::Shared {
    explicit Shared(int borrowed_fd) : fd(borrowed_fd) {}

    void write_batch();

    const int fd;
    std::string batch;  // lines that were taken from the queue and are not written yet; of the writing thread
    std::atomic<std::uint64_t> dropped_bytes = 0;
};

class Output::WriteJob final : public BlockingJob {
  public:
    WriteJob(std::shared_ptr<Shared> shared, std::string lines)
        : shared_(std::move(shared)), lines_(std::move(lines)) {}

    void run(MoreQueued more) override {
        if (shared_->batch.size() + lines_.size() > max_written_bytes) shared_->write_batch();
        shared_->batch += lines_;
        if (more == MoreQueued::no) shared_->write_batch();
    }
    void refuse() override { shared_->dropped_bytes += lines_.size(); }

  private:
    std::shared_ptr<Shared> shared_;
    std::string lines_;
};

Output::Output(int fd)
    : shared_(std::make_shared<Shared>(fd)),
      thread_({.idle_timeout = flush_timeout, .signals = BlockingThread::Signals::inherited, .limit = {}}) {
    thread_.start();
}

Output::~Output() = default;

void Output::write(std::string lines, Source source) {
    const std::size_t size = lines.size();
    const std::size_t limit = source == Source::supervisor ? max_queued_bytes : max_queued_for_workers;
    thread_.post(std::make_unique<WriteJob>(shared_, std::move(lines)), {.id = {}, .size = size, .max_queued = limit});
}

void Output::flush(Duration timeout) { thread_.wait_until_idle(timeout); }

void Output::Shared::write_batch() {
    if (batch.empty()) return;
    if (const auto dropped = dropped_bytes.exchange(0); dropped != 0) {
        batch += "holdfast: " + std::to_string(dropped) + " bytes of output were dropped: the reader was too slow\n";
    }
    os::write_all(fd, batch);
    batch.clear();
}

}  // namespace holdfast::runtime
