#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

// The faults of this worker. Without any, it sends nothing and ignores every stage and every signal that can be
// ignored.
struct Options {
    using Delay = std::optional<std::chrono::milliseconds>;

    bool says_hello = false;
    bool speaks_by_notify_socket = false;
    bool is_chatty = false;
    bool exits_on_drain = false;
    bool reads_nothing = false;
    Delay ready_after;
    Delay exit_after;
    Delay crash_after;
    Delay freeze_after;
    int status = 0;
    std::vector<std::string> holds;  // "kind:name"

    bool has_grandchildren = false;
    bool floods = false;
    bool clears_nonblock = false;
    bool shuts_listener_down = false;
    bool unlinks_path = false;
    int backlog = -1;
    int descriptors = 0;
    long last_words = 0;
    std::vector<std::string> malformed;  // kinds
    std::vector<std::string> main_pids;  // numbers, "child" or "self"
};

enum class Parsed { run, help_shown, wrong };

// Prints the help to stdout, or an error to stderr.
Parsed parse(int argc, char** argv, Options& options);
