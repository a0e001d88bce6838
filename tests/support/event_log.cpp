#include "event_log.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <stdexcept>
#include <utility>

namespace holdfast::test {
namespace json = boost::json;
namespace {

std::string text_at(const json::object& object, std::string_view key) {
    const json::value* const value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_at(const json::object& object, std::string_view key) {
    const json::value* const value = object.if_contains(key);
    return value != nullptr && value->is_number() ? value->to_number<std::int64_t>() : 0;
}

LogEntry parse_line(std::string_view line) {
    LogEntry entry;
    boost::system::error_code failure;
    const json::value value = json::parse(json::string_view(line.data(), line.size()), failure);
    if (failure || !value.is_object() || !value.get_object().contains("event")) {
        entry.text = line;
        return entry;
    }
    const json::object& object = value.get_object();
    entry.mono_usec = number_at(object, "mono_usec");
    entry.level = text_at(object, "level");
    entry.event = text_at(object, "event");
    entry.worker = text_at(object, "worker");
    entry.pid = static_cast<pid_t>(number_at(object, "pid"));
    entry.text = text_at(object, "text");
    return entry;
}

}  // namespace

LogPredicate any_entry() {
    return [](const LogEntry&) { return true; };
}

LogPredicate of_worker(std::string worker) {
    return [worker = std::move(worker)](const LogEntry& entry) { return entry.worker == worker; };
}

LogPredicate of_generation(std::uint64_t generation) {
    return
        [prefix = std::to_string(generation) + '.'](const LogEntry& entry) { return entry.worker.starts_with(prefix); };
}

LogPredicate with_text(std::string part) {
    return [part = std::move(part)](const LogEntry& entry) { return entry.text.find(part) != std::string::npos; };
}

EventLog::EventLog(int pipe_fd) : pipe_fd_(pipe_fd), wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    thread_ = std::thread([this] { read_all(); });
}

EventLog::~EventLog() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    changed_.notify_all();
    ::eventfd_write(wake_fd_, 1);
    thread_.join();
    ::close(pipe_fd_);
    ::close(wake_fd_);
}

LogEntry EventLog::wait_for(std::string_view event, const LogPredicate& fits, std::size_t from, Duration deadline) {
    std::unique_lock lock(mutex_);
    std::size_t next = from;
    std::optional<std::size_t> found;
    const auto look = [&] {
        for (; next < entries_.size() && !found; ++next)
            if (entries_[next].event == event && fits(entries_[next])) found = next;
        return found.has_value() || ended_;
    };
    changed_.wait_for(lock, deadline, look);
    if (found) return entries_[*found];
    throw std::runtime_error("no matching \"" + std::string(event) + "\" " +
                             (ended_ ? "before the end of the log" : "in time") + ", from line " +
                             std::to_string(from + 1) + ":\n" + text_);
}

std::optional<LogEntry> EventLog::find(std::string_view event, const LogPredicate& fits, std::size_t from) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = from; i < entries_.size(); ++i)
        if (entries_[i].event == event && fits(entries_[i])) return entries_[i];
    return std::nullopt;
}

std::size_t EventLog::count(std::string_view event, const LogPredicate& fits, std::size_t from) {
    const std::lock_guard lock(mutex_);
    return count_locked(event, fits, from);
}

std::size_t EventLog::await_count(std::size_t count, std::string_view event, const LogPredicate& fits,
                                  std::size_t from) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, test_timeout, [&] { return ended_ || count_locked(event, fits, from) >= count; });
    return count_locked(event, fits, from);
}

std::size_t EventLog::count_locked(std::string_view event, const LogPredicate& fits, std::size_t from) const {
    std::size_t found = 0;
    for (std::size_t i = from; i < entries_.size(); ++i)
        if (entries_[i].event == event && fits(entries_[i])) ++found;
    return found;
}

std::size_t EventLog::mark() {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

std::string EventLog::text() {
    const std::lock_guard lock(mutex_);
    return text_;
}

void EventLog::stop_reading() {
    const std::lock_guard lock(mutex_);
    reading_ = false;
    ::eventfd_write(wake_fd_, 1);
}

void EventLog::resume_reading() {
    {
        const std::lock_guard lock(mutex_);
        reading_ = true;
    }
    changed_.notify_all();
}

bool EventLog::wait_for_end(Duration deadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] { return ended_; });
}

// False if nothing more will be read.
bool EventLog::wait_until_readable() {
    pollfd fds[] = {{.fd = pipe_fd_, .events = POLLIN, .revents = 0}, {.fd = wake_fd_, .events = POLLIN, .revents = 0}};
    ::poll(fds, 2, -1);
    eventfd_t woken = 0;
    ::eventfd_read(wake_fd_, &woken);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reading_ || closing_; });
    return !closing_;
}

void EventLog::read_all() {
    std::string pending;
    char bytes[16 * 1024];
    while (wait_until_readable()) {
        pollfd ready{.fd = pipe_fd_, .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, 0) != 1) continue;
        const ssize_t count = ::read(pipe_fd_, bytes, sizeof bytes);
        if (count <= 0) break;
        pending.append(bytes, static_cast<std::size_t>(count));
        for (std::size_t end = 0; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1))
            add_line(std::string_view(pending).substr(0, end));
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
}

void EventLog::add_line(std::string_view line) {
    LogEntry entry = parse_line(line);
    const std::lock_guard lock(mutex_);
    entry.index = entries_.size();
    entries_.push_back(std::move(entry));
    text_.append(line) += '\n';
    changed_.notify_all();
}

}  // namespace holdfast::test
