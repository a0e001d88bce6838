#pragma once

#include <sys/types.h>

#include <optional>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

enum class SighupDisposition { handled, ignored };  // SIGHUP's disposition that we were started with: nohup ignores it

// First thing in main, before any thread exists: blocks every signal that means something to holdfast (TERM INT QUIT
// HUP USR1 USR2 TTIN TTOU CHLD), in this thread and all to come, ignores SIGPIPE, and gives SIGCHLD its default
// disposition (a parent that ignored it would make every wait fail). A signalfd and not handlers: a blocked SIGTTOU is
// not raised by a log line of a supervisor in the background of a terminal.
SighupDisposition prepare_signals();

enum class Origin { kernel, process };

struct ReceivedSignal {
    int signal = 0;
    pid_t sender_pid = 0;  // Origin::process
    uid_t sender_uid = 0;
    Origin origin = Origin::process;
};

class Signals {
  public:
    // After prepare_signals. Keeps the controlling terminal open, if there is one, to see whether it hung up.
    static Result<Signals> open();

    // Readable when a signal waits; non-blocking.
    int fd() const { return signals_.get(); }
    std::optional<ReceivedSignal> read() const;

    // Whether this SIGHUP says that our terminal is gone, and not that somebody wants a restart: the terminal has hung
    // up, and the kernel or the session's leader (a shell that ends) sent it.
    bool is_terminal_gone(const ReceivedSignal& signal) const;

  private:
    UniqueFd signals_;
    UniqueFd terminal_;
};

}  // namespace holdfast::os
