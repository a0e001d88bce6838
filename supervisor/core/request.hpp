#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "core/policy.hpp"

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

// Back to the program of the last good generation.
struct Rollback {};

// Take back a restart or a stop that is under way.
struct Undo {};

// A configuration that was read again. Only runtime/ makes it, for it alone can read the file.
struct Reload {
    enum class Workers { keep, replace };  // `replace`: what they see has changed, or the operator wants it so
    PlanId plan;
    std::shared_ptr<const Policy> policy;  // in force from the start of this change
    Workers workers = Workers::keep;
    std::string changes;  // "adds the listener admin (127.0.0.1:9000); workers 2 → 4"; empty: nothing
};

struct Request {
    std::variant<Restart, Stop, Scale, ScaleBy, Pause, Resume, Rollback, Undo, Reload> what;
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
        undone,       // an operator took it back
        refused,      // it cannot be done; nothing was changed
    };
    Result result = Result::done;
    std::string text;                     // a sentence: what happened and, if it failed, what to do
    std::vector<std::string> last_words;  // of the worker that was to blame
    int exit_code = 0;                    // for stop: what `run` returns; else 0 where done, 1 where not
};

}  // namespace holdfast::core
