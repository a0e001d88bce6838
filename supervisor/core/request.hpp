#pragma once

#include <string>
#include <variant>
#include <vector>

namespace holdfast::core {

// What an operator can ask for, by signal or over the API.
struct Restart {};

enum class LameDuck { as_configured, skipped };
struct Stop {
    LameDuck lame_duck = LameDuck::as_configured;
};

struct Scale {
    int target = 0;
};

// SIGTTIN and SIGTTOU: one more, one fewer.
struct ScaleBy {
    int difference = 0;
};

struct Pause {};
struct Resume {};

struct Request {
    std::variant<Restart, Stop, Scale, ScaleBy, Pause, Resume> what;
    std::string asked_by;  // "SIGTERM from pid 812", "uid 1000, pid 3101 over the API": for the log
};

// How it ended. Exactly one for each request that has an id.
struct Outcome {
    enum class Result {
        done,         // what was asked for is so
        failed,       // it is not, and the former state was brought back
        mixed,        // it is not, and not everything could be brought back
        superseded,   // a later request took its place
        interrupted,  // a stop came
        refused,      // it cannot be done; nothing was changed
    };
    Result result = Result::done;
    std::string text;                     // a sentence: what happened and, if it failed, what to do
    std::vector<std::string> last_words;  // of the worker that was to blame
    int exit_code = 0;                    // for stop: what `run` returns; else 0 where done, 1 where not
};

}  // namespace holdfast::core
