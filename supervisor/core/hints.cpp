#include "core/hints.hpp"

#include <algorithm>
#include <cerrno>

namespace holdfast::core {
namespace {

constexpr char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter; }

bool contains_in_any_case(std::string_view text, std::string_view words) {
    return !std::ranges::search(text, words, {}, lower, lower).empty();
}

// As strerror(3) says it in English, and as Node.js and others name it.
bool tells_of_taken_address(std::string_view line) {
    return contains_in_any_case(line, "address already in use") || contains_in_any_case(line, "eaddrinuse");
}

}  // namespace

std::string hint_for_main_exit(const ExitStatus& status, WorkerState state) {
    if (state != WorkerState::starting || status != ExitStatus{ExitedWith{0}}) return {};
    return "it put itself into the background: use its foreground option (nginx: daemon off; httpd: -DFOREGROUND; "
           "redis: --daemonize no)";
}

std::string hint_for_last_words(const std::vector<std::string>& last_words) {
    if (std::ranges::none_of(last_words, tells_of_taken_address)) return {};
    return "your worker tried to bind an address that is taken; one that holdfast listens on it already has as an "
           "inherited descriptor: let it accept from fd 3, or from 3 + n of the LISTEN_FDS there are, and not bind";
}

std::string hint_for_launch(std::string_view stage, int error_number) {
    if (!stage.starts_with("execute ")) return {};
    if (error_number == ENOEXEC) {
        return "it is neither a program for this machine nor a script that names its interpreter: is it built for "
               "another architecture, or is its first line not #!/bin/sh or the like";
    }
    if (error_number == EACCES) {
        return "the worker's user may not execute it: chmod +x, enter every directory of its path, and look whether "
               "its file system is mounted noexec";
    }
    return {};
}

}  // namespace holdfast::core
