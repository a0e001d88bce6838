#include "core/describe/hints.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/text.hpp"

namespace holdfast::core {
namespace {

constexpr std::size_t first_listener_fd = 3;

constexpr char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter; }

bool contains_in_any_case(std::string_view text, std::string_view words) {
    const auto is_same = [](char left, char right) { return lower(left) == lower(right); };
    return std::search(text.begin(), text.end(), words.begin(), words.end(), is_same) != text.end();
}

// Matches the English text of strerror(3), and EADDRINUSE as printed by Node.js and others.
bool mentions_address_in_use(std::string_view line) {
    return contains_in_any_case(line, "address already in use") || contains_in_any_case(line, "eaddrinuse");
}

// The part of an address that a program which tries to bind it is likely to print: the port, or the unix path.
std::string_view mentioned_part(std::string_view address) {
    if (address.starts_with("unix:")) return address.substr(5);
    const auto colon = address.rfind(':');
    return colon == std::string_view::npos ? address : address.substr(colon + 1);
}

// "8080" in ":::8080" and "port 8080", not in "18080".
bool mentions(std::string_view line, std::string_view part) {
    for (auto at = line.find(part); at != std::string_view::npos; at = line.find(part, at + 1)) {
        const auto end = at + part.size();
        const bool goes_on = (at > 0 && is_digit(line[at - 1])) || (end < line.size() && is_digit(line[end]));
        if (!goes_on) return true;
    }
    return false;
}

// Returns the index of the first listener that a line mentions.
std::optional<std::size_t> find_mentioned(const std::vector<std::string>& lines,
                                          const std::vector<std::string>& listeners) {
    for (std::size_t index = 0; index < listeners.size(); ++index) {
        const std::string_view part = mentioned_part(listeners[index]);
        if (part.empty()) continue;
        if (std::ranges::any_of(lines, [&](const std::string& line) { return mentions(line, part); })) return index;
    }
    return std::nullopt;
}

}  // namespace

std::string hint_for_main_exit(const ExitStatus& status, WorkerState state) {
    if (state != WorkerState::starting || status != ExitStatus{ExitedWith{0}}) return {};
    return "it put itself into the background: use its foreground option (nginx: daemon off; httpd: -DFOREGROUND; "
           "redis: --daemonize no)";
}

std::string hint_for_last_words(const std::vector<std::string>& last_words, const std::vector<std::string>& listeners) {
    if (std::ranges::none_of(last_words, mentions_address_in_use)) return {};
    if (const auto mentioned = find_mentioned(last_words, listeners)) {
        return "your worker tried to bind " + listeners[*mentioned] + ", which it already has as fd " +
               std::to_string(first_listener_fd + *mentioned) + ": let it accept on that descriptor instead of binding";
    }
    std::string text =
        "your worker tried to bind an address that is in use; the addresses that holdfast listens on are inherited as "
        "descriptors and must not be bound again";
    for (std::size_t index = 0; index < listeners.size(); ++index) {
        text += (index == 0 ? ": " : ", ") + listeners[index] + " is fd " + std::to_string(first_listener_fd + index);
    }
    return text;
}

std::string hint_for_launch(std::string_view stage, int error_number) {
    if (error_number == EMFILE) {
        return "the supervisor may not open more files: raise its hard limit (ulimit -Hn, LimitNOFILE= in its unit), "
               "or run fewer workers";
    }
    if (error_number == ENFILE) return "this machine has no file handle left: raise fs.file-max";
    if (!stage.starts_with("execute ")) return {};
    if (error_number == ENOEXEC) {
        return "it is neither a program for this machine nor a script that names its interpreter: check the "
               "architecture that it is built for, or the #! in its first line";
    }
    if (error_number == EACCES) {
        return "the worker's user may not execute it: check its mode (chmod +x), the search permission of every "
               "directory in its path, and whether its file system is mounted noexec";
    }
    return {};
}

}  // namespace holdfast::core
