#include "options.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <functional>
#include <string_view>

namespace {

struct Row {
    std::string_view name;
    std::string_view argument;  // empty: none
    std::string_view help;
    std::function<bool(Options&, std::string_view)> apply;  // returns false if the argument is invalid
};

template <class Number>
bool read_number(std::string_view text, Number& target) {
    const char* last = text.data() + text.size();
    const auto [end, failure] = std::from_chars(text.data(), last, target);
    return failure == std::errc{} && end == last && target >= 0;
}

auto flag(bool Options::*member) {
    return [member](Options& options, std::string_view) { return options.*member = true; };
}

template <class Number>
auto number(Number Options::*member) {
    return [member](Options& options, std::string_view text) { return read_number(text, options.*member); };
}

auto delay(Options::Delay Options::*member) {
    return [member](Options& options, std::string_view text) {
        int milliseconds = 0;
        const bool is_number = read_number(text, milliseconds);
        options.*member = std::chrono::milliseconds(milliseconds);
        return is_number;
    };
}

auto word(std::vector<std::string> Options::*member) {
    return [member](Options& options, std::string_view text) {
        (options.*member).emplace_back(text);
        return !text.empty();
    };
}

const std::array rows{
    Row{"--hello", "", "send HELLO=1, to receive stages instead of signals", flag(&Options::says_hello)},
    Row{"--by-notify", "", "send messages over NOTIFY_SOCKET, not over the control pipe",
        flag(&Options::speaks_by_notify_socket)},
    Row{"--chatty", "", "print every message and every stage to stderr", flag(&Options::is_chatty)},
    Row{"--ready-after", "MS", "send READY=1 after this time (default: never)", delay(&Options::ready_after)},
    Row{"--exit-after", "MS", "exit after this time, with --status", delay(&Options::exit_after)},
    Row{"--status", "N", "the exit status (default 0)", number(&Options::status)},
    Row{"--crash-after", "MS", "raise SIGSEGV after this time", delay(&Options::crash_after)},
    Row{"--freeze-after", "MS", "raise SIGSTOP after this time", delay(&Options::freeze_after)},
    Row{"--exit-on-drain", "", "exit at the drain stage or SIGTERM", flag(&Options::exits_on_drain)},
    Row{"--hold", "KIND:NAME", "list it in a drain report each second after the drain begins (repeatable)",
        word(&Options::holds)},
    Row{"--read-nothing", "", "never read the control pipe", flag(&Options::reads_nothing)},
    Row{"--grandchildren", "", "start three: in the process group, in its own session, and double-forked",
        flag(&Options::has_grandchildren)},
    Row{"--flood", "", "send messages as fast as possible", flag(&Options::floods)},
    Row{"--malformed", "KIND", "send empty, no-equals, nul, overlong, number, negative, flag, entry or all of them",
        word(&Options::malformed)},
    Row{"--main-pid", "PID", "send MAINPID=PID; also child (a grandchild), self (repeatable)",
        word(&Options::main_pids)},
    Row{"--descriptors", "N", "send that many unannounced descriptors", number(&Options::descriptors)},
    Row{"--shutdown-listener", "", "shutdown(2) the first listener", flag(&Options::shuts_listener_down)},
    Row{"--clear-nonblock", "", "clear O_NONBLOCK of the first listener every millisecond",
        flag(&Options::clears_nonblock)},
    Row{"--backlog", "N", "listen(2) again with that backlog", number(&Options::backlog)},
    Row{"--unlink", "", "unlink the path of the first listener", flag(&Options::unlinks_path)},
    Row{"--last-words", "BYTES", "write that many bytes to stderr", number(&Options::last_words)},
};

void print_help() {
    std::puts("Usage: stubborn [OPTION]...\n\nA worker that ignores every stage and every signal, and misbehaves:\n");
    for (const Row& row : rows) {
        const std::string left = std::string(row.name) + " " + std::string(row.argument);
        std::printf("  %-22s %s\n", left.c_str(), std::string(row.help).c_str());
    }
}

const Row* find(std::string_view name) {
    for (const Row& row : rows) {
        if (row.name == name) return &row;
    }
    return nullptr;
}

}  // namespace

Parsed parse(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--help") {
            print_help();
            return Parsed::help_shown;
        }
        const Row* row = find(name);
        const bool takes_argument = row != nullptr && !row->argument.empty();
        const std::string_view argument = takes_argument && i + 1 < argc ? argv[++i] : "";
        if (row == nullptr || !row->apply(options, argument)) {
            std::fprintf(stderr, "stubborn: %s %s: see --help\n", argv[i], row == nullptr ? "is unknown" : "is wrong");
            return Parsed::wrong;
        }
    }
    return Parsed::run;
}
