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

// One piece of work that can block, on a dead mount for ever, done on a thread of its own. Its end gives the errand up:
// a thread that is still at work is left behind, and what it brings goes to `unwanted`, on that thread. Loop thread.
template <class Found>
class Errand {
  public:
    using Work = std::function<Found()>;
    using Take = std::function<void(Found)>;

    // Throws std::system_error where no thread can be had. `done` is called on the loop, once, unless given up first.
    Errand(boost::asio::io_context& io, Work work, Take done, Take unwanted)
        : shared_(std::make_shared<Shared>(io, std::move(done), std::move(unwanted))) {
        shared_->thread = std::thread(&Errand::run, shared_, std::move(work));
    }

    ~Errand() {
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
    Errand(const Errand&) = delete;
    Errand& operator=(const Errand&) = delete;

  private:
    enum class Wanted { yes, no };
    enum class Working { yes, no };
    struct Shared {
        Shared(boost::asio::io_context& loop, Take taker, Take other)
            : io(loop), done(std::move(taker)), unwanted(std::move(other)) {}
        boost::asio::io_context& io;  // not touched once it is unwanted
        Take done, unwanted;
        std::mutex mutex;
        Wanted wanted = Wanted::yes;
        Working working = Working::yes;
        std::thread thread;
    };

    static void run(std::shared_ptr<Shared> shared, Work work) {
        auto found = std::make_shared<Found>(work());
        std::lock_guard lock(shared->mutex);
        shared->working = Working::no;
        if (shared->wanted == Wanted::no) return shared->unwanted(std::move(*found));
        boost::asio::post(shared->io, [shared, found] {
            // Given up after it was posted; the destructor ran on this thread.
            if (shared->wanted == Wanted::no) return shared->unwanted(std::move(*found));
            const Take done = std::move(shared->done);
            done(std::move(*found));
        });
    }

    std::shared_ptr<Shared> shared_;
};

}  // namespace holdfast::runtime
