#pragma once

#include <holdfast/message.hpp>
#include <string>
#include <variant>
#include <vector>

#include "base/exit_status.hpp"
#include "base/ids.hpp"
#include "core/request.hpp"

namespace holdfast::core {

// Everything that can happen. Simultaneous events are delivered in this order: for one worker its unread messages, then
// its exit (who reports and exits leaves both at once); then operators; then deadlines.

// The launch succeeded: the command was executed. Known before the worker can be told anything.
struct Spawned {
    WorkerId worker;
    int pid = 0;  // for words alone: signals go through the runtime's pidfd
};

// The launch failed, nothing was left behind. `stage` says at what ("execute ./srv", "change directory to /x"), and why
// too where error_number is 0 ("find the user www: there is no such user").
struct SpawnFailed {
    WorkerId worker;
    std::string stage;
    int error_number = 0;
};

// One well-formed message, from the control pipe or the notify socket.
struct Said {
    WorkerId worker;
    Report report;
};

// The control pipe hung up while the worker lives: from now on it hears signals alone.
struct ChannelLost {
    WorkerId worker;
};

// The main process has ended, others of its worker live on: the worker is not gone. `strays` are those that left the
// process group.
struct MainExited {
    WorkerId worker;
    ExitStatus status;
    int left_in_group = 0;
    int strays = 0;
};

// Group empty, no descendant left, leader reaped. `status` is the main process's. `last_words` are the last lines of
// its standard error, oldest first, escaped for a terminal.
struct Exited {
    WorkerId worker;
    ExitStatus status;
    std::vector<std::string> last_words;
};

struct Asked {
    RequestId id;  // 0: nobody waits for an answer
    Request request;
};

// Time has passed; perhaps a deadline with it.
struct Elapsed {};

using Event = std::variant<Spawned, SpawnFailed, Said, ChannelLost, MainExited, Exited, Asked, Elapsed>;

}  // namespace holdfast::core
