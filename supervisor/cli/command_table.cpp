#include <array>

#include "cli/commands.hpp"

namespace holdfast::cli {

std::span<const CommandRow> command_table() {
    static constexpr std::array table = {
        CommandRow{"run", "[OPTIONS] -- COMMAND [ARG...]",
                   "hold the listening sockets and run the workers, in the foreground"},
        CommandRow{"restart", "[NAME]", "replace all workers by a new generation; waits for the outcome"},
        CommandRow{"reload", "[NAME]", "read the configuration again and apply what has changed"},
        CommandRow{"stop", "[NAME]", "drain all workers and end the supervisor; returns the exit status of run"},
        CommandRow{"scale", "[NAME] N", "set the number of workers to N; waits for the outcome"},
        CommandRow{"rollback", "[NAME]", "restart with the program of the last good generation"},
        CommandRow{"undo", "[NAME]", "undo the restart, reload, rollback or stop that is under way"},
        CommandRow{"pause", "[NAME]", "stop accepting connections; clients wait in the queue"},
        CommandRow{"resume", "[NAME]", "accept connections again after a pause"},
        CommandRow{"status", "[NAME]", "show the service and its workers; without NAME all services of this user"},
        CommandRow{"history", "[NAME]", "list the generations: start, program, outcome, killed workers, requester"},
        CommandRow{"why", "[NAME] WORKER", "explain why this worker is still running"},
        CommandRow{"logs", "[NAME] [WORKER]", "print the last lines of the workers' standard error"},
        CommandRow{"events", "[NAME]", "print each event from now on as a line of JSON"},
        CommandRow{"check", "[OPTIONS] -- COMMAND [ARG...]", "check the configuration; nothing is started"},
        CommandRow{"doctor", "[NAME]", "report what this machine provides and lacks, with remedies"},
        CommandRow{"help", "[COMMAND]", "explain the program, or one command and its options"},
        CommandRow{"version", "", "print the version"},
    };
    return table;
}

}  // namespace holdfast::cli
