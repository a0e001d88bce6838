// Drains real workers with random resources while all kinds of users use them. A use reads the resource without a lock
// and its close writes it, so that ThreadSanitizer finds a close that is not ordered after every use, even if it
// happens to come late enough.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <holdfast/worker.hpp>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "watched_pool.hpp"

namespace holdfast {
namespace {

class RandomWorker {
  public:
    explicit RandomWorker(unsigned seed) : random_(seed) {
        add_tasks();
        add_resources();
        add_users();
        tasks_may_begin_ = true;
        tasks_may_begin_.notify_all();
        worker_.ready();
    }

    // Drains the worker while all users use their resources. Returns the result of wait().
    int drain() {
        std::vector<std::thread> threads;
        for (unsigned thread = pick(random_, 3) + 1; thread > 0; --thread) {
            threads.emplace_back([this, requests_left = pick(random_, 40) + 1] { serve(requests_left); });
        }
        threads.emplace_back([this, session = worker_.begin_session("stream"), more = pick(random_, 5)]() mutable {
            stream(std::move(session), more);
        });
        threads.emplace_back([this, item = worker_.hold_work("item", [] {}), more = pick(random_, 5)]() mutable {
            for (unsigned count = 0; count <= more; ++count) {
                use_all(used_by_work_, violations_);
            }
            item.finish();
        });
        for (unsigned own = pick(random_, 20); own > 0; --own) {
            serve(1);
        }
        worker_.stop();
        const int result = worker_.wait();
        for (std::thread& thread : threads) {
            thread.join();
        }
        return result;
    }

    int violations() const { return violations_; }
    bool are_all_closed() const {
        return std::all_of(pools_.begin(), pools_.end(), [](const WatchedPool& pool) { return pool.is_closed(); });
    }

  private:
    static WorkerOptions options() {
        WorkerOptions options;
        options.grace_period = std::chrono::minutes(5);  // sufficient under any sanitizer and load
        return options;
    }

    // Tasks must exist before their resources, and must not run before they know them.
    void add_tasks() {
        used_by_task_.resize(pick(random_, 3));
        for (std::size_t number = 0; number < used_by_task_.size(); ++number) {
            const auto run = [this, number, more = pick(random_, 5)](const std::stop_token& stop) {
                tasks_may_begin_.wait(false);
                use_all(used_by_task_[number], violations_);
                wait_for(stop);
                for (unsigned count = 0; count < more; ++count) {
                    use_all(used_by_task_[number], violations_);
                }
            };
            tasks_.push_back(worker_.start_task("task " + std::to_string(number), run));
        }
    }

    void add_resources() {
        const unsigned count = pick(random_, 8) + 1;
        used_by_pool_.resize(count);
        for (unsigned number = 0; number < count; ++number) {
            WatchedPool& pool = pools_.emplace_back();
            const auto close = [this, &pool, number] {
                use_all(used_by_pool_[number], violations_);
                pool.close(violations_);
            };
            const std::string name = "pool " + std::to_string(number);
            if (pick(random_, 3) > 0) {
                resources_.push_back(worker_.resource(name, close));
                continue;
            }
            resources_.push_back(worker_.close_last(name, close));
            used_by_requests_.push_back(&pool);
            used_by_sessions_.push_back(&pool);
            used_by_work_.push_back(&pool);
            for (std::vector<WatchedPool*>& used : used_by_task_) {
                used.push_back(&pool);
            }
        }
    }

    void add_users() {
        const auto count = static_cast<unsigned>(resources_.size());
        for (unsigned uses = pick(random_, 2 * count + 1); uses > 0; --uses) {
            const unsigned user = pick(random_, count);
            const unsigned used = pick(random_, count);
            try {
                resources_[used].used_by(resources_[user]);
                used_by_pool_[user].push_back(&pools_[used]);
            } catch (const std::logic_error&) {
                // The use would create a cycle and was rejected.
            }
        }
        for (unsigned uses = pick(random_, 2 * count + 1); uses > 0; --uses) {
            add_external_user(pick(random_, count));
        }
    }

    void add_external_user(unsigned used) {
        WatchedPool* pool = &pools_[used];
        switch (pick(random_, 5)) {
            case 0:
                resources_[used].used_by(requests, work);
                used_by_requests_.push_back(pool);
                used_by_work_.push_back(pool);
                break;
            case 1:
                resources_[used].used_by(requests);
                used_by_requests_.push_back(pool);
                break;
            case 2:
                resources_[used].used_by(sessions);
                used_by_sessions_.push_back(pool);
                break;
            case 3:
                resources_[used].used_by(tasks);
                for (std::vector<WatchedPool*>& one : used_by_task_) {
                    one.push_back(pool);
                }
                break;
            default:
                if (!tasks_.empty()) {
                    const unsigned task = pick(random_, static_cast<unsigned>(tasks_.size()));
                    resources_[used].used_by(tasks_[task]);
                    used_by_task_[task].push_back(pool);
                }
        }
    }

    void serve(unsigned requests_left) {
        try {
            for (; requests_left > 0; --requests_left) {
                const Request request = worker_.begin_request("GET /");
                use_all(used_by_requests_, violations_);
            }
        } catch (const std::logic_error&) {
            // Rejected, because the resources of the request may be closed.
        }
    }

    void stream(Session session, unsigned more) {
        use_all(used_by_sessions_, violations_);
        wait_for(session.stop_token());
        for (unsigned count = 0; count < more; ++count) {
            use_all(used_by_sessions_, violations_);
        }
        session.end();
    }

    Random random_;
    std::atomic<int> violations_ = 0;
    std::atomic<bool> tasks_may_begin_ = false;
    std::deque<WatchedPool> pools_;
    std::vector<std::vector<WatchedPool*>> used_by_pool_;
    std::vector<std::vector<WatchedPool*>> used_by_task_;
    std::vector<WatchedPool*> used_by_requests_;
    std::vector<WatchedPool*> used_by_sessions_;
    std::vector<WatchedPool*> used_by_work_;
    std::vector<Resource> resources_;
    std::vector<Task> tasks_;
    Worker worker_{options()};
};

TEST(RandomGraph, ClosesNoResourceInUseInAThousandWorkers) {
    for (unsigned seed = 0; seed < 1'000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        RandomWorker worker(seed);
        ASSERT_EQ(worker.drain(), 0);
        ASSERT_EQ(worker.violations(), 0);
        ASSERT_TRUE(worker.are_all_closed());
    }
}

}  // namespace
}  // namespace holdfast
