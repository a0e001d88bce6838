#include "tasks.hpp"

#include <utility>

namespace holdfast {

std::optional<std::uint32_t> Tasks::start(std::string name, std::function<void(std::stop_token)> body) {
    join_ended();
    const std::lock_guard lock(mutex_);
    if (is_closed_) return std::nullopt;
    Task& task = tasks_.emplace_back();
    task.number = ++last_number_;
    task.name = std::move(name);
    task.since = Clock::now();
    if (stop_requested_) task.stop.request_stop();
    try {
        task.thread = std::thread([this, &task, body = std::move(body)]() mutable { run(task, std::move(body)); });
    } catch (...) {
        tasks_.pop_back();
        throw;
    }
    return task.number;
}

void Tasks::run(Task& task, std::function<void(std::stop_token)> body) {
    body(task.stop.get_token());
    body = nullptr;  // the objects that it owns may use resources as well
    {
        const std::lock_guard lock(mutex_);
        task.ended = true;
    }
    ended_();
}

void Tasks::request_stop() {
    std::vector<std::stop_source> sources;
    {
        const std::lock_guard lock(mutex_);
        stop_requested_ = true;
        for (const Task& task : tasks_) sources.push_back(task.stop);
    }
    for (std::stop_source& source : sources) source.request_stop();
}

void Tasks::join_ended() {
    std::list<Task> ended;
    {
        const std::lock_guard lock(mutex_);
        for (auto next = tasks_.begin(); next != tasks_.end();) {
            const auto task = next++;
            if (task->ended) ended.splice(ended.end(), tasks_, task);
        }
    }
    for (Task& task : ended) task.thread.join();
}

void Tasks::join_all() {
    for (;;) {
        std::list<Task> next;
        {
            const std::lock_guard lock(mutex_);
            if (tasks_.empty()) return;
            next.splice(next.end(), tasks_, tasks_.begin());
        }
        next.front().thread.join();
    }
}

std::vector<std::uint32_t> Tasks::running() const {
    std::vector<std::uint32_t> numbers;
    const std::lock_guard lock(mutex_);
    for (const Task& task : tasks_) numbers.push_back(task.number);
    return numbers;
}

Tasks::Closed Tasks::close_if_empty() {
    const std::lock_guard lock(mutex_);
    is_closed_ = is_closed_ || tasks_.empty();
    return is_closed_ ? Closed::yes : Closed::no;
}

std::uint64_t Tasks::describe(Clock::time_point now, std::vector<Waiting>& report) const {
    std::uint64_t count = 0;
    const std::lock_guard lock(mutex_);
    for (const Task& task : tasks_) {
        if (task.ended || ++count > max_waiting_of_a_kind) continue;
        const auto age = std::chrono::duration_cast<std::chrono::microseconds>(now - task.since);
        report.push_back({.kind = "task", .name = task.name, .age_usec = age.count()});
    }
    return count;
}

}  // namespace holdfast
