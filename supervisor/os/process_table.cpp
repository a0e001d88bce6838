#include "os/process_table.hpp"

#include <dirent.h>
#include <unistd.h>

#include <charconv>
#include <memory>
#include <string_view>

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

// Calls `visit` for each entry of a directory of /proc whose name is a number.
template <class Visit>
void for_each_numbered(const std::string& directory, Visit visit) {
    const std::unique_ptr<DIR, int (*)(DIR*)> listing{::opendir(directory.c_str()), &::closedir};
    if (listing == nullptr) return;
    while (const dirent* entry = ::readdir(listing.get())) {
        if (const auto number = parse_number<pid_t>(entry->d_name)) visit(*number);
    }
}

void add_children(pid_t pid, pid_t thread, std::vector<pid_t>& children) {
    const auto content = read_file(proc_path(pid, "task/" + std::to_string(thread) + "/children"), children_limit);
    if (!content) return;
    std::string_view text = *content;
    while (const auto child = parse_number<pid_t>(next_word(text))) children.push_back(*child);
}

bool kernel_lists_children() {
    static const bool is_there = ::access("/proc/thread-self/children", F_OK) == 0;
    return is_there;
}

}  // namespace

std::optional<ProcessStatus> process_status(pid_t pid) {
    const auto content = read_file(proc_path(pid, "stat"), stat_limit);
    if (!content) return std::nullopt;
    std::string_view text = *content;
    // "812 (name) S …": only the name can contain blanks and parentheses.
    const auto open = text.find('(');
    const auto close = text.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
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
    return status;
}

bool is_dead(const ProcessStatus& status) {
    return (status.state == 'Z' || status.state == 'X') && status.threads <= 1;
}

std::optional<uid_t> process_uid(pid_t pid) {
    const auto content = read_file(proc_path(pid, "status"), stat_limit);
    if (!content) return std::nullopt;
    constexpr std::string_view key = "\nUid:";
    const auto line = content->find(key);
    if (line == std::string::npos) return std::nullopt;
    std::string_view text = std::string_view(*content).substr(line + key.size());
    return parse_number<uid_t>(next_word(text));
}

std::vector<pid_t> children_by_scanning_proc(pid_t pid) {
    std::vector<pid_t> children;
    for_each_numbered("/proc", [&](pid_t candidate) {
        const auto status = process_status(candidate);
        if (status && status->parent == pid) children.push_back(candidate);
    });
    return children;
}

std::vector<pid_t> children_of(pid_t pid) {
    if (!kernel_lists_children()) return children_by_scanning_proc(pid);
    std::vector<pid_t> children;
    for_each_numbered(proc_path(pid, "task"), [&](pid_t thread) { add_children(pid, thread, children); });
    return children;
}

std::vector<pid_t> children_of_first_thread(pid_t pid) {
    if (!kernel_lists_children()) return children_by_scanning_proc(pid);
    std::vector<pid_t> children;
    add_children(pid, pid, children);
    return children;
}

std::vector<ProcessStatus> members_of_group(pid_t group) {
    std::vector<ProcessStatus> members;
    for_each_numbered("/proc", [&](pid_t candidate) {
        auto status = process_status(candidate);
        if (status && status->group == group && !is_dead(*status)) members.push_back(std::move(*status));
    });
    return members;
}

bool has_environment_entry(pid_t pid, std::span<const std::string> entries) {
    if (entries.empty()) return false;
    const auto content = read_file(proc_path(pid, "environ"), environment_limit);
    if (!content) return false;
    std::string_view rest = *content;
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
