#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "runtime/blocking_thread.hpp"

namespace holdfast::runtime {

// Runs a function that may block indefinitely (for example on a dead NFS mount) on its own thread and posts the result
// to the loop. Destroying the task abandons it: a thread that is still blocked is detached, and its late result is
// passed to `discard` on that thread. Not thread-safe: use from the loop's thread.
template <class Value>
class BlockingTask {
  public:
    using Work = std::function<Value()>;
    using Take = std::function<void(Value)>;

    // Throws std::system_error if no thread can be started. Calls `done` once, on the loop, unless the task is
    // destroyed before; `done` may destroy it. Tasks that share a limit are refused together when it is reached.
    BlockingTask(boost::asio::io_context& io, Work work, Take done, Take discard, StuckThreadLimit limit = {})
        : receiver_(std::make_shared<Receiver>(io, std::move(done), std::move(discard))),
          thread_({.idle_timeout = {}, .signals = BlockingThread::Signals::inherited, .limit = std::move(limit)}) {
        thread_.start();
        thread_.post(std::make_unique<Job>(receiver_, std::move(work)));
    }

    ~BlockingTask() { receiver_->wanted = Wanted::no; }
    BlockingTask(const BlockingTask&) = delete;
    BlockingTask& operator=(const BlockingTask&) = delete;

  private:
    enum class Wanted { yes, no };
    struct Receiver {
        Receiver(boost::asio::io_context& loop, Take on_done, Take on_discard)
            : io(loop), done(std::move(on_done)), discard(std::move(on_discard)) {}
        boost::asio::io_context& io;  // not used once the job is abandoned
        Take done, discard;
        Wanted wanted = Wanted::yes;  // used on the loop's thread alone
    };

    class Job final : public BlockingJob {
      public:
        Job(std::shared_ptr<Receiver> receiver, Work work) : receiver_(std::move(receiver)), work_(std::move(work)) {}

        void run(MoreQueued) override { value_ = std::make_shared<Value>(work_()); }
        void deliver() override {
            boost::asio::post(receiver_->io, [receiver = receiver_, value = value_] {
                // The task may have been destroyed after the result was posted.
                if (receiver->wanted == Wanted::no) return receiver->discard(std::move(*value));
                const Take done = std::move(receiver->done);
                done(std::move(*value));
            });
        }
        void discard() override { receiver_->discard(std::move(*value_)); }

      private:
        std::shared_ptr<Receiver> receiver_;
        Work work_;
        std::shared_ptr<Value> value_;
    };

    std::shared_ptr<Receiver> receiver_;
    BlockingThread thread_;
};

}  // namespace holdfast::runtime
