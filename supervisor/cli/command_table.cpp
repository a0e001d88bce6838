#include <array>

#include "cli/commands.hpp"

namespace holdfast::cli {

std::span<const CommandRow> command_table() {
    static constexpr std::array table = {
        CommandRow{"run", "[OPTIONS] -- COMMAND [ARG...]",
                   "hold the sockets, launch the workers, stay in the foreground"},
        CommandRow{"restart", "[NAME]", "replace every worker by one of a new generation; waits for the outcome"},
        CommandRow{"reload", "[NAME]", "read the configuration again and carry out what it changes"},
        CommandRow{"stop", "[NAME]", "drain every worker and end; waits, and returns what run will"},
        CommandRow{"scale", "[NAME] N", "run N workers; waits for the outcome"},
        CommandRow{"rollback", "[NAME]", "back to the program of the last good generation"},
        CommandRow{"undo", "[NAME]", "take back the restart, reload, rollback or stop that is under way"},
        CommandRow{"pause", "[NAME]", "accept nothing for a while and keep the queue"},
        CommandRow{"resume", "[NAME]", "accept again"},
        CommandRow{"status", "[NAME]", "show the workers; without NAME of all supervisors of this user"},
        CommandRow{"history", "[NAME]", "the generations: what, when, who asked, how it ended, what was cut off"},
        CommandRow{"why", "[NAME] WORKER", "say why this worker is still here"},
        CommandRow{"logs", "[NAME] [WORKER]", "the last lines of the workers' standard error"},
        CommandRow{"events", "[NAME]", "a JSON line for each event, from now on"},
        CommandRow{"check", "[OPTIONS] -- COMMAND [ARG...]", "is this configuration sound? nothing is started"},
        CommandRow{"doctor", "[NAME]", "what this machine offers, what it lacks, and what to do about it"},
        CommandRow{"help", "[COMMAND]", "explain the program, or a command with its options"},
        CommandRow{"version", "", "print the version"},
    };
    return table;
}

}  // namespace holdfast::cli
