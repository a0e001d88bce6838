#include "os/process_table.hpp"

#include <dirent.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>
#include <utility>

#include "os/errno_error.hpp"
#include "os/read_file.hpp"

namespace holdfast::os {
namespace {

constexpr std::size_t stat_limit = 4096;
constexpr std::size_t children_limit = 16 << 20;
constexpr std::size_t environment_limit = 8 << 20;

std::string proc_path(pid_t pid, std::string_view file) {
    return "/proc/" + std::to_string(pid) + "/" + std::string(file);
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
    Number number{};
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// Removes the next word from the front and returns it.
std::string_view next_word(std::string_view& text) {
    const auto begin = text.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return text = {};
    const auto end = text.find_first_of(" \t\n", begin);
    const std::string_view word = text.substr(begin, end - begin);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end);
    return word;
}

template <class Number>
void read_number(std::string_view& text, Number& into) {
    into = parse_number<Number>(next_word(text)).value_or(Number{});
}

// The errors that mean that there is no such process (or thread) any more.
bool is_gone(const Error& error) { return error.code == ENOENT || error.code == ESRCH; }

Error foreign_proc() {
    return error("cannot look at processes: /proc is not mounted, or shows those of another PID namespace", ENOENT);
}

// A file of a process in /proc: not there if the process has ended.
Look<std::string> read_of(pid_t pid, std::string_view file, std::size_t limit) {
    if (!proc_is_ours()) return foreign_proc();
    auto content = read_file(proc_path(pid, file), limit);
    if (content) return std::optional(std::move(*content));
    if (is_gone(content.error())) return std::optional<std::string>();
    return content.error();
}

// The entries of a directory of /proc whose names are numbers. Empty if it is not there.
Result<std::vector<pid_t>> numbered_entries(const std::string& directory) {
    if (!proc_is_ours()) return foreign_proc();
    std::vector<pid_t> numbers;
    errno = 0;
    const std::unique_ptr<DIR, int (*)(DIR*)> listing{::opendir(directory.c_str()), &::closedir};
    while (const dirent* entry = listing == nullptr ? nullptr : ::readdir(listing.get())) {
        if (const auto number = parse_number<pid_t>(entry->d_name)) numbers.push_back(*number);
        errno = 0;
    }
    if (errno == 0) return numbers;
    const Error failure = errno_error("list " + directory);
    return is_gone(failure) ? Result<std::vector<pid_t>>(numbers) : failure;
}

Result<void> add_children(pid_t pid, pid_t thread, std::vector<pid_t>& children) {
    const auto content = read_of(pid, "task/" + std::to_string(thread) + "/children", children_limit);
    if (!content) return content.error();
    if (!*content) return {};
    std::string_view text = **content;
    while (const auto child = parse_number<pid_t>(next_word(text))) children.push_back(*child);
    return {};
}

bool kernel_lists_children() {
    static const bool is_there = ::access("/proc/thread-self/children", F_OK) == 0;
    return is_there;
}

}  // namespace

bool proc_is_ours() {
    static const bool is_ours = [] {
        std::array<char, 24> target{};
        const ssize_t size = ::readlink("/proc/self", target.data(), target.size());
        return size > 0 && parse_number<pid_t>({target.data(), static_cast<std::size_t>(size)}) == ::getpid();
    }();
    return is_ours;
}

Look<ProcessStatus> process_status(pid_t pid) {
    const auto content = read_of(pid, "stat", stat_limit);
    if (!content) return content.error();
    if (!*content) return std::optional<ProcessStatus>();
    std::string_view text = **content;
    // "812 (name) S …": only the name can contain blanks and parentheses.
    const auto open = text.find('(');
    const auto close = text.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
        return error("cannot read " + proc_path(pid, "stat") + ": it has another form than proc(5) says", EPROTO);
    }
    ProcessStatus status;
    status.pid = pid;
    status.name = text.substr(open + 1, close - open - 1);
    text.remove_prefix(close + 1);
    if (const std::string_view state = next_word(text); !state.empty()) status.state = state.front();
    read_number(text, status.parent);
    read_number(text, status.group);
    read_number(text, status.session);
    constexpr int fields_to_threads = 13;  // tty_nr … nice, see proc(5)
    for (int field = 0; field < fields_to_threads; ++field) next_word(text);
    read_number(text, status.threads);
    next_word(text);  // itrealvalue
    read_number(text, status.start_time);
    return std::optional(std::move(status));
}

bool is_dead(const ProcessStatus& status) {
    return (status.state == 'Z' || status.state == 'X') && status.threads <= 1;
}

Look<uid_t> process_uid(pid_t pid) {
    const auto content = read_of(pid, "status", stat_limit);
    if (!content) return content.error();
    if (!*content) return std::optional<uid_t>();
    constexpr std::string_view key = "\nUid:";
    const auto line = (*content)->find(key);
    std::string_view text = line == std::string::npos ? "" : std::string_view(**content).substr(line + key.size());
    const auto uid = parse_number<uid_t>(next_word(text));
    if (!uid) return error("cannot read " + proc_path(pid, "status") + ": it names no uid", EPROTO);
    return uid;
}

Result<std::vector<pid_t>> children_by_scanning_proc(pid_t pid) {
    const auto candidates = numbered_entries("/proc");
    if (!candidates) return candidates.error();
    std::vector<pid_t> children;
    for (const pid_t candidate : *candidates) {
        const auto status = process_status(candidate);
        if (!status) return status.error();
        if (*status && (*status)->parent == pid) children.push_back(candidate);
    }
    return children;
}

Result<std::vector<pid_t>> children_of(pid_t pid) {
    if (!kernel_lists_children()) return children_by_scanning_proc(pid);
    const auto threads = numbered_entries(proc_path(pid, "task"));
    if (!threads) return threads.error();
    std::vector<pid_t> children;
    for (const pid_t thread : *threads) {
        if (const auto added = add_children(pid, thread, children); !added) return added.error();
    }
    return children;
}

Result<std::vector<pid_t>> children_of_first_thread(pid_t pid) {
    if (!kernel_lists_children()) return children_by_scanning_proc(pid);
    std::vector<pid_t> children;
    if (const auto added = add_children(pid, pid, children); !added) return added.error();
    return children;
}

Result<std::vector<ProcessStatus>> members_of_group(pid_t group) {
    const auto candidates = numbered_entries("/proc");
    if (!candidates) return candidates.error();
    std::vector<ProcessStatus> members;
    for (const pid_t candidate : *candidates) {
        auto status = process_status(candidate);
        if (!status) return status.error();
        if (*status && (*status)->group == group && !is_dead(**status)) members.push_back(std::move(**status));
    }
    return members;
}

Result<bool> has_environment_entry(pid_t pid, std::span<const std::string> entries) {
    if (entries.empty()) return false;
    const auto content = read_of(pid, "environ", environment_limit);
    if (!content) {
        const int code = content.error().code;
        if (code == EACCES || code == EPERM) return false;
        return content.error();
    }
    if (!*content) return false;
    std::string_view rest = **content;
    while (!rest.empty()) {
        const auto end = rest.find('\0');
        const std::string_view entry = rest.substr(0, end);
        for (const std::string& wanted : entries) {
            if (entry == wanted) return true;
        }
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return false;
}

}  // namespace holdfast::os
