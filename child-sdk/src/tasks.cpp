#include "tasks.hpp"

#include <utility>

namespace holdfast {

Tasks::Start Tasks::start(std::string name, std::function<void(std::stop_token)> body) {
    std::list<Task> ended = take_ended();
    for (Task& task : ended) task.thread.join();

    const std::lock_guard lock(mutex_);
    if (is_closed_) return Start::refused;
    Task& task = tasks_.emplace_back();
    task.name = std::move(name);
    task.since = Clock::now();
    if (stop_requested_) task.stop.request_stop();
    try {
        task.thread = std::thread([this, &task, body = std::move(body)] {
            body(task.stop.get_token());
            const std::lock_guard guard(mutex_);
            task.ended = true;
        });
    } catch (...) {
        tasks_.pop_back();
        throw;
    }
    return Start::started;
}

std::list<Tasks::Task> Tasks::take_ended() {
    std::list<Task> ended;
    const std::lock_guard lock(mutex_);
    if (stop_requested_) return ended;  // join_all() may be at any of them
    for (auto next = tasks_.begin(); next != tasks_.end();) {
        const auto task = next++;
        if (task->ended) ended.splice(ended.end(), tasks_, task);
    }
    return ended;
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

void Tasks::join_all() {
    std::unique_lock lock(mutex_);
    while (!tasks_.empty()) {
        Task& task = tasks_.front();
        lock.unlock();
        task.thread.join();
        lock.lock();
        tasks_.pop_front();
    }
    is_closed_ = true;
}

void Tasks::describe(Clock::time_point now, std::vector<Waiting>& report) const {
    const std::lock_guard lock(mutex_);
    for (const Task& task : tasks_) {
        if (report.size() == max_waiting_entries) return;
        if (task.ended) continue;
        const auto age = std::chrono::duration_cast<std::chrono::microseconds>(now - task.since);
        report.push_back({.kind = "task", .name = task.name, .age_usec = age.count()});
    }
}

}  // namespace holdfast
