#include "tasks.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace holdfast {

std::optional<std::uint32_t> Tasks::add(std::string name, std::function<void(std::stop_token)> body,
                                        TaskOptions options) {
    join_ended();
    const std::lock_guard lock(mutex_);
    if (is_closed_) return std::nullopt;
    Task& task = tasks_.emplace_back();
    task.number = ++last_number_;
    task.name = std::move(name);
    task.options = options;
    task.body = std::move(body);
    task.since = Clock::now();
    if (stop_requested_) task.stop.request_stop();
    if (!may_start_ && options.start == TaskOptions::Start::at_ready) return task.number;
    try {
        start(task);
    } catch (...) {
        tasks_.pop_back();
        throw;
    }
    return task.number;
}

void Tasks::start_pending() {
    const std::lock_guard lock(mutex_);
    may_start_ = true;
    for (Task& task : tasks_) {
        if (!task.thread.joinable()) start(task);
    }
}

// Call with the mutex held. From here on only the new thread uses the body.
void Tasks::start(Task& task) {
    task.since = Clock::now();
    task.thread = std::thread([this, &task] { run(task); });
}

void Tasks::run(Task& task) {
    std::function<void(std::stop_token)> body = std::exchange(task.body, nullptr);
    Ended how{.name = task.name, .options = task.options};
    const std::stop_token stop = task.stop.get_token();
    if (task.options.on_exception == TaskOptions::OnException::abort) {
        body(stop);  // an exception ends the process, because this is the first function of the thread
    } else {
        try {
            body(stop);
        } catch (const std::exception& failure) {
            how.exception = failure.what();
        } catch (...) {
            how.exception = "an exception that is not a std::exception";
        }
    }
    how.was_asked = stop.stop_requested();
    body = nullptr;  // the objects that it owns may use resources as well
    {
        const std::lock_guard lock(mutex_);
        task.ended = true;
    }
    ended_(how);
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
        if (next.front().thread.joinable()) next.front().thread.join();
    }
}

bool Tasks::runs_here() const {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(tasks_,
                               [](const Task& task) { return task.thread.get_id() == std::this_thread::get_id(); });
}

std::vector<std::uint32_t> Tasks::running() const {
    std::vector<std::uint32_t> numbers;
    const std::lock_guard lock(mutex_);
    for (const Task& task : tasks_) numbers.push_back(task.number);
    return numbers;
}

Tasks::Closed Tasks::close_if_empty(const std::function<bool()>& also) {
    const std::lock_guard lock(mutex_);
    is_closed_ = is_closed_ || (tasks_.empty() && also());
    return is_closed_ ? Closed::yes : Closed::no;
}

std::uint64_t Tasks::describe(Clock::time_point now, std::vector<Waiting>& report) const {
    std::uint64_t count = 0;
    const std::lock_guard lock(mutex_);
    for (const Task& task : tasks_) {
        if (task.ended || !task.thread.joinable() || ++count > max_waiting_of_a_kind) continue;
        const auto age = std::chrono::duration_cast<std::chrono::microseconds>(now - task.since);
        report.push_back({.kind = "task", .name = task.name, .age_usec = age.count()});
    }
    return count;
}

}  // namespace holdfast
