#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "core/policy.hpp"

namespace holdfast::core {

// The requests that an operator can make, by signal or over the API.
struct Restart {};

enum class LameDuck { as_configured, skipped };
struct Stop {
    LameDuck lame_duck = LameDuck::as_configured;
};

struct Scale {
    int target = 0;
};

// SIGTTIN adds one worker, SIGTTOU removes one.
struct ScaleBy {
    int difference = 0;
};

struct Pause {};
struct Resume {};

// Returns to the program of the last good generation.
struct Rollback {};

// Reverts a restart, reload, rollback or stop that is in progress.
struct Undo {};

// Applies a configuration file that was read again. Created by runtime/, which reads the file.
struct Reload {
    enum class Workers { keep, replace };  // `replace`: their environment has changed, or the operator asks for it
    PlanId plan;
    std::shared_ptr<const Policy> policy;  // takes effect when this change starts
    Workers workers = Workers::keep;
    std::string changes;  // "adds the listener admin (127.0.0.1:9000); workers 2 → 4"; empty: no change
};

struct Request {
    std::variant<Restart, Stop, Scale, ScaleBy, Pause, Resume, Rollback, Undo, Reload> what;
    std::string asked_by;  // for the log: "SIGTERM from pid 812", "uid 1000, pid 3101 over the API"
};

// The outcome of a request. Each request with an id gets exactly one.
struct Outcome {
    enum class Result {
        done,         // the request was carried out
        failed,       // it failed, and the former state was restored
        mixed,        // it failed, and the former state could not be restored completely
        superseded,   // a later request replaced it
        interrupted,  // a stop interrupted it
        undone,       // an operator reverted it
        refused,      // it cannot be carried out; nothing was changed
    };
    Result result = Result::done;
    std::string text;                     // a sentence: what happened and, after a failure, what to do
    std::vector<std::string> last_words;  // last lines of standard error of the worker that caused the failure
    int exit_code = 0;                    // stop: the exit status of `run`; other requests: 0 if done, otherwise 1
};

}  // namespace holdfast::core
