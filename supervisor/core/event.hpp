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
enum class KilledBy { not_known, out_of_memory };  // the kernel, where it counted one at that moment
struct Exited {
    WorkerId worker;
    ExitStatus status;
    std::vector<std::string> last_words;
    KilledBy killed_by = KilledBy::not_known;
    std::vector<std::string> listeners{};  // that it was launched with, from descriptor 3 on, as they were written
};

// What a Probe found. `text` says how it failed: "HTTP 500", "connection refused", "no answer within 1.0 s".
struct ProbeAnswered {
    WorkerId worker;
    enum class Answer { good, bad } answer = Answer::bad;
    std::string text;
};

// What CheckListenerClaim found: some process of the worker has a listener open; none has, `text` says so in words for
// the operator; or nobody can know.
enum class ListenerClaim { not_known, held, missing };
struct ListenerClaimed {
    WorkerId worker;
    ListenerClaim claim = ListenerClaim::not_known;
    std::string text;
};

// The answer to Prepare. `fault` is empty where workers can be launched from the spec; else a sentence, and
// `last_words` are those of the command that vetoed it.
struct Prepared {
    LaunchSpecId spec;
    std::string fault;
    std::vector<std::string> last_words;
};

struct Asked {
    RequestId id;  // 0: nobody waits for an answer
    Request request;
};

// Time has passed; perhaps a deadline with it.
struct Elapsed {};

using Event = std::variant<Spawned, SpawnFailed, Said, ChannelLost, MainExited, Exited, ProbeAnswered, ListenerClaimed,
                           Prepared, Asked, Elapsed>;

}  // namespace holdfast::core
