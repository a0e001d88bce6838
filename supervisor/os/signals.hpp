#pragma once

#include <sys/types.h>

#include <optional>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

enum class SighupDisposition { handled, ignored };  // the disposition of SIGHUP at start; nohup ignores it

// Call it first in main, before any thread exists. Blocks all signals that holdfast handles (TERM INT QUIT HUP USR1
// USR2 TTIN TTOU CHLD) in this thread and in all later ones, ignores SIGPIPE, and sets SIGCHLD to its default
// disposition (if the parent ignored it, every wait would fail). Signals are read from a signalfd instead of handlers,
// because a blocked SIGTTOU is not raised when a supervisor in a background job writes a log line to the terminal.
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
    // Call it after prepare_signals. Keeps the controlling terminal open, if there is one, to detect its hang-up.
    static Result<Signals> open();

    // Readable when a signal is pending; non-blocking.
    int fd() const { return signals_.get(); }
    std::optional<ReceivedSignal> read() const;

    // Whether this SIGHUP means that our terminal is gone rather than a request to restart: the terminal has hung up,
    // and the sender is the kernel or the session leader (a shell that exits).
    bool is_terminal_gone(const ReceivedSignal& signal) const;

  private:
    UniqueFd signals_;
    UniqueFd terminal_;
};

}  // namespace holdfast::os
