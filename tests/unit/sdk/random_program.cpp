#include "random_program.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "random_program_thread.hpp"

namespace holdfast {

RandomProgram::RandomProgram(Worker& worker, unsigned seed) : worker_(worker), random_(seed) {
    add_callbacks();
    used_by_task_.resize(pick(random_, 4));
    while (tasks_.size() < used_by_task_.size()) {
        add_task();
    }
    const unsigned count = pick(random_, 7) + 1;
    used_by_pool_.resize(count);
    while (pools_.size() < count) {
        add_resource();
    }
    add_resource_users();
    tasks_may_begin_ = true;
    tasks_may_begin_.notify_all();
}

RandomProgram::~RandomProgram() { wind_up(); }

void RandomProgram::add_callbacks() {
    add_accept_callbacks();
    if (pick(random_, 2) == 0) {
        worker_.on_lame_duck([this] {
            if (!accepting_) {
                findings_.add("on_lame_duck after accepting has stopped");
            }
        });
    }
    worker_.on_cancel([this] {
        if (cancelled_.exchange(true)) {
            findings_.add("on_cancel is called twice");
        }
    });
    worker_.on_released([this] {
        ++released_;
        for (const WatchedPool& pool : pools_) {
            if (!pool.is_closed()) {
                findings_.add("on_released before a resource is closed");
            }
        }
    });
}

void RandomProgram::add_accept_callbacks() {
    switch (pick(random_, 3)) {
        case 0:
            worker_.accepts([this] { stop_accepting(); }, [this] { start_accepting(); });
            can_pause_ = true;
            break;
        case 1:
            worker_.on_pause([this] { ensure_stopped(); });
            worker_.on_drain([this] { ensure_stopped(); });
            worker_.on_run([this] {
                if (!accepting_) {
                    start_accepting();
                }
            });
            can_pause_ = true;
            break;
        default:
            worker_.on_drain([this] { stop_accepting(); });
    }
}

// A drain may follow a pause, and a pause a drain that was taken back in the meantime.
void RandomProgram::ensure_stopped() {
    if (accepting_) {
        stop_accepting();
    }
}

void RandomProgram::stop_accepting() {
    ++accepting_changes_;
    if (!accepting_.exchange(false)) {
        findings_.add("asked to stop accepting though it has stopped");
    }
}

void RandomProgram::start_accepting() {
    ++accepting_changes_;
    if (accepting_.exchange(true)) {
        findings_.add("asked to start accepting though it accepts");
    }
    if (released_ > 0 || violations_ > 0 || std::ranges::any_of(pools_, &WatchedPool::is_closed)) {
        findings_.add("asked to start accepting after the release has begun");
    }
}

void RandomProgram::add_task() {
    const std::size_t number = tasks_.size();
    TaskOptions options;
    options.start = pick(random_, 3) == 0 ? TaskOptions::Start::now : TaskOptions::Start::at_ready;
    const auto run = [this, number, seed = random_()](const std::stop_token& stop) {
        tasks_may_begin_.wait(false);
        run_task(number, Random(seed), stop);
    };
    tasks_.push_back(worker_.start_task("task " + std::to_string(number), run, options));
}

// Uses what it may use until it is asked to stop, and a little longer.
void RandomProgram::run_task(std::size_t number, Random random, const std::stop_token& stop) {
    use_all(used_by_task_[number], violations_);
    for (unsigned count = pick(random, 4); count > 0; --count) {
        serve_in_task(random);
    }
    wait_for(stop);
    if (pick(random, 4) == 0) {
        start_short_task(random);
    }
    for (unsigned count = pick(random, 4); count > 0; --count) {
        serve_in_task(random);
        use_all(used_by_task_[number], violations_);
    }
}

// A task that ends by itself, or throws, in the middle of a stage.
void RandomProgram::start_short_task(Random& random) {
    TaskOptions options;
    options.need = TaskOptions::Need::finite;
    options.on_exception = pick(random, 2) == 0 ? TaskOptions::OnException::ignore : TaskOptions::OnException::stop;
    const bool throws = pick(random, 8) == 0;
    const auto run = [this, throws, seed = random()](const std::stop_token&) {
        Random task_random(seed);
        use_all(used_by_tasks_, violations_);
        serve_in_task(task_random);
        if (throws) {
            ++failures_;
            throw std::runtime_error("a task that throws at random");
        }
    };
    worker_.start_task("short", run, options);
}

// A task that runs may begin everything that holds, in every stage.
void RandomProgram::serve_in_task(Random& random) {
    try {
        const Request request = worker_.begin_request("in a task");
        ++begun_;
        use_all(used_by_requests_, violations_);
        Item& item = new_item();
        Work held = worker_.hold_work("in a task", [this, &item] { hand_back(item, HandBack::works); });
        item.was_held = true;
        if (pick(random, 3) > 0) {
            finish(item, held);
        }
    } catch (const std::logic_error& error) {
        findings_.add("refused in a running task: " + std::string(error.what()));
    }
}

void RandomProgram::add_resource() {
    const auto number = static_cast<unsigned>(pools_.size());
    WatchedPool& pool = pools_.emplace_back();
    const bool fails = pick(random_, 60) == 0;
    const bool hangs = pick(random_, 40) == 0;
    const auto close = [this, &pool, number, fails, hangs] {
        if (hangs) {
            wait_for(winding_up_.get_token());
        }
        use_all(used_by_pool_[number], violations_);
        pool.close(violations_);
        if (fails) {
            ++failures_;
            throw std::runtime_error("a close that fails at random");
        }
    };
    const std::string name = "pool " + std::to_string(number);
    if (pick(random_, 3) > 0) {
        resources_.push_back(worker_.resource(name, close));
    } else {
        resources_.push_back(worker_.close_last(name, close));
        used_by_requests_.push_back(&pool);
        used_by_sessions_.push_back(&pool);
        used_by_work_.push_back(&pool);
        used_by_tasks_.push_back(&pool);
        for (std::vector<WatchedPool*>& used : used_by_task_) {
            used.push_back(&pool);
        }
    }
    resources_.back().within(hangs ? std::chrono::milliseconds(1) : sufficient);
    may_fail_ = may_fail_ || hangs;
}

void RandomProgram::add_resource_users() {
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

void RandomProgram::add_external_user(unsigned used) {
    WatchedPool* pool = &pools_[used];
    switch (pick(random_, 4)) {
        case 0:
            resources_[used].used_by(requests);
            used_by_requests_.push_back(pool);
            break;
        case 1:
            resources_[used].used_by(sessions, work);
            used_by_sessions_.push_back(pool);
            used_by_work_.push_back(pool);
            break;
        case 2:
            resources_[used].used_by(tasks);
            used_by_tasks_.push_back(pool);
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

WatchedPool& RandomProgram::later_pool() {
    const std::lock_guard lock(mutex_);
    return later_pools_.emplace_back();
}

Item& RandomProgram::new_item() {
    const std::lock_guard lock(mutex_);
    return items_.emplace_back();
}

void RandomProgram::hand_back(Item& item, HandBack hand_back) {
    use_all(used_by_work_, violations_);
    ++item.handed_back;
    if (hand_back == HandBack::fails) {
        ++lost_;
        ++failures_;
        throw std::runtime_error("a hand-back that fails at random");
    }
}

bool RandomProgram::claim(Item& item, Work& held) {
    item.was_committed = held.claim() == Work::Outcome::ours;
    return item.was_committed;
}

void RandomProgram::finish(Item& item, Work& held) {
    if (claim(item, held)) {
        use_all(used_by_work_, violations_);
    }
    if (held.finish() != (item.was_committed ? Work::Outcome::ours : Work::Outcome::handed_back)) {
        findings_.add("claim() and finish() of an item disagree");
    }
}

void RandomProgram::pass_on(Request request) {
    const std::lock_guard lock(mutex_);
    passed_on_.push_back(std::move(request));
}

std::optional<Request> RandomProgram::take_passed_on() {
    const std::lock_guard lock(mutex_);
    if (passed_on_.empty()) {
        return std::nullopt;
    }
    Request request = std::move(passed_on_.back());
    passed_on_.pop_back();
    return request;
}

void RandomProgram::start_threads() {
    for (unsigned count = pick(random_, 3) + 1; count > 0; --count) {
        threads_.emplace_back(*this, random_());
    }
}

void RandomProgram::wind_up() {
    winding_up_.request_stop();
    while (take_passed_on()) {
    }
    threads_.clear();
    while (take_passed_on()) {
    }
}

void RandomProgram::check_end(std::uint64_t begun_elsewhere) {
    const auto expect = [this](bool holds, std::string_view what) {
        if (!holds) {
            findings_.add("at the end, " + std::string(what) + " is wrong; the report:\n" + worker_.report().text());
        }
    };
    const DrainReport report = worker_.report();
    expect(violations_ == 0, "the number of uses of a closed resource");
    expect(std::ranges::all_of(pools_, &WatchedPool::is_closed), "that all resources are closed");
    expect(later_open_ == 0, "the number of open resources that were added later");
    expect(worker_.draining(), "draining()");
    expect(released_ == 1, "the number of calls of on_released");
    expect(report.requests + report.sessions + report.work + report.tasks + report.resources == 0, "what is held");
    expect(report.served == begun_ + begun_elsewhere, "the number of requests served");
    expect(report.handed_back + report.lost == check_items(), "the number of items handed back");
    expect(report.lost == lost_, "the number of items lost");
}

// Returns how many were handed back.
std::uint64_t RandomProgram::check_items() {
    std::uint64_t handed_back = 0;
    for (const Item& item : items_) {
        if (item.handed_back != (item.was_held && !item.was_committed ? 1 : 0)) {
            findings_.add("an item of work was committed " + std::to_string(item.was_committed ? 1 : 0) +
                          " times and handed back " + std::to_string(item.handed_back) + " times");
        }
        handed_back += static_cast<std::uint64_t>(item.handed_back);
    }
    return handed_back;
}

}  // namespace holdfast
