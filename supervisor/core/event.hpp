#pragma once

#include <holdfast/message.hpp>
#include <string>
#include <variant>
#include <vector>

#include "base/exit_status.hpp"
#include "base/ids.hpp"
#include "core/request.hpp"

namespace holdfast::core {

// The events that the core handles. Simultaneous events are delivered in this order: for each worker its unread
// messages, then its exit (a worker that reports and exits at once causes both); then requests of operators; then
// deadlines.

// The launch succeeded: the command was executed. Always precedes the first message to the worker.
struct Spawned {
    WorkerId worker;
    int pid = 0;  // only for display: the runtime sends signals through a pidfd
};

// The launch failed and left nothing behind. `stage` names the failed step ("execute ./srv", "change directory to /x").
// If error_number is 0, it includes the cause ("find the user www: there is no such user").
struct SpawnFailed {
    WorkerId worker;
    std::string stage;
    int error_number = 0;
};

// A well-formed message from the worker, received on the control pipe or the notify socket.
struct Said {
    WorkerId worker;
    Report report;
};

// The control pipe hung up while the worker still runs. From now on only signals reach it.
struct ChannelLost {
    WorkerId worker;
};

// The main process exited, but other processes of the worker still run, so the worker is not gone. `strays` is the
// number of descendants outside the process group.
struct MainExited {
    WorkerId worker;
    ExitStatus status;
    int left_in_group = 0;
    int strays = 0;
    std::string not_seen{};  // why there may be more: a look has failed; empty: these are all
};

// A later look at the processes of a worker whose MainExited said that they could not all be seen, or could then.
struct LookedAgain {
    WorkerId worker;
    int strays = 0;
    std::string not_seen;  // as in MainExited
};

// All processes of the worker have exited: the group is empty, no descendant is left, the leader is reaped. `status` is
// that of the main process. `last_words` are the last lines of its standard error, oldest first, escaped for a
// terminal.
enum class KilledBy { not_known, out_of_memory };  // out_of_memory: the kernel's OOM counter rose at that moment
struct Exited {
    WorkerId worker;
    ExitStatus status;
    std::vector<std::string> last_words;
    KilledBy killed_by = KilledBy::not_known;
    std::vector<std::string> listeners{};  // the listeners it inherited, from descriptor 3 on, as configured
};

// The result of a Probe. `text` is the failure: "HTTP 500", "connection refused", "no answer within 1.0 s".
struct ProbeAnswered {
    WorkerId worker;
    enum class Answer { good, bad } answer = Answer::bad;
    std::string text;
};

// The result of CheckListenerClaim. `held`: a process of the worker has a listener open; `missing`: none has, and
// `text` explains this to the operator; `not_known`: it cannot be determined.
enum class ListenerClaim { not_known, held, missing };
struct ListenerClaimed {
    WorkerId worker;
    ListenerClaim claim = ListenerClaim::not_known;
    std::string text;
};

// The answer to Prepare. `fault` is empty if workers can be launched from the spec. Otherwise it is a sentence, and
// `last_words` are the last lines of the --pre-restart command that vetoed the spec.
struct Prepared {
    LaunchSpecId spec;
    std::string fault;
    std::vector<std::string> last_words;
};

// An operator's request, by signal or over the API.
struct Asked {
    RequestId id;  // 0: no answer is expected
    Request request;
};

// Time has passed; a deadline may be due.
struct Elapsed {};

using Event = std::variant<Spawned, SpawnFailed, Said, ChannelLost, MainExited, LookedAgain, Exited, ProbeAnswered,
                           ListenerClaimed, Prepared, Asked, Elapsed>;

}  // namespace holdfast::core
