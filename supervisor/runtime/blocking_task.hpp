#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace holdfast::runtime {

// One piece of work that can block, on a dead mount for ever, done on a thread of its own. Its end gives the task up:
// a thread that is still at work is left behind, and what it brings goes to `discard`, on that thread. Loop thread.
template <class Found>
class BlockingTask {
  public:
    using Work = std::function<Found()>;
    using Take = std::function<void(Found)>;

    // Throws std::system_error where no thread can be had. `done` is called on the loop, once, unless given up first.
    BlockingTask(boost::asio::io_context& io, Work work, Take done, Take discard)
        : shared_(std::make_shared<Shared>(io, std::move(done), std::move(discard))) {
        shared_->thread = std::thread(&BlockingTask::run, shared_, std::move(work));
    }

    ~BlockingTask() {
        bool is_stuck = false;
        {
            std::lock_guard lock(shared_->mutex);
            shared_->wanted = Wanted::no;
            is_stuck = shared_->working == Working::yes;
        }
        if (is_stuck) {
            shared_->thread.detach();
        } else {
            shared_->thread.join();
        }
    }
    BlockingTask(const BlockingTask&) = delete;
    BlockingTask& operator=(const BlockingTask&) = delete;

  private:
    enum class Wanted { yes, no };
    enum class Working { yes, no };
    struct Shared {
        Shared(boost::asio::io_context& loop, Take taker, Take other)
            : io(loop), done(std::move(taker)), discard(std::move(other)) {}
        boost::asio::io_context& io;  // not touched once it is given up
        Take done, discard;
        std::mutex mutex;
        Wanted wanted = Wanted::yes;
        Working working = Working::yes;
        std::thread thread;
    };

    static void run(std::shared_ptr<Shared> shared, Work work) {
        auto found = std::make_shared<Found>(work());
        std::lock_guard lock(shared->mutex);
        shared->working = Working::no;
        if (shared->wanted == Wanted::no) return shared->discard(std::move(*found));
        boost::asio::post(shared->io, [shared, found] {
            // Given up after it was posted; the destructor ran on this thread.
            if (shared->wanted == Wanted::no) return shared->discard(std::move(*found));
            const Take done = std::move(shared->done);
            done(std::move(*found));
        });
    }

    std::shared_ptr<Shared> shared_;
};

}  // namespace holdfast::runtime
