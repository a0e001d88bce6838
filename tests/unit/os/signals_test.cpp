#include "os/signals.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

#include "os/pipe.hpp"
#include "socket_support.hpp"

namespace holdfast::os {
namespace {

// Each test runs in a child process, because it changes the signal mask of the process.

TEST(Signals, AreReadWithTheirSender) {
    expect_in_child([] {
        prepare_signals();
        const Signals signals = Signals::open().value();
        EXPECT_FALSE(signals.read());
        ::kill(::getpid(), SIGTERM);
        ASSERT_TRUE(is_readable_now(signals.fd()));
        const auto received = signals.read();
        ASSERT_TRUE(received);
        EXPECT_EQ(received->signal, SIGTERM);
        EXPECT_EQ(received->sender_pid, ::getpid());
        EXPECT_EQ(received->sender_uid, ::getuid());
        EXPECT_EQ(received->origin, Origin::process);
        EXPECT_FALSE(signals.read());
    });
}

TEST(Signals, ThatHoldfastHandlesDoNotEndTheProcess) {
    expect_in_child([] {
        prepare_signals();
        const Signals signals = Signals::open().value();
        for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU}) {
            ::kill(::getpid(), signal);
            const auto received = signals.read();
            ASSERT_TRUE(received) << signal;
            EXPECT_EQ(received->signal, signal);
        }
        ::raise(SIGPIPE);
    });
}

TEST(Signals, SigchldComesFromTheKernelEvenIfTheParentIgnoredIt) {
    expect_in_child([] {
        ::signal(SIGCHLD, SIG_IGN);
        prepare_signals();
        const Signals signals = Signals::open().value();
        const pid_t child = ::fork();
        if (child == 0) ::_exit(7);
        ASSERT_TRUE(becomes_readable(signals.fd()));
        const auto received = signals.read();
        ASSERT_TRUE(received);
        EXPECT_EQ(received->signal, SIGCHLD);
        EXPECT_EQ(received->origin, Origin::kernel);
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(WEXITSTATUS(status), 7);
    });
}

TEST(Signals, SighupIgnoredAtStartIsReportedAndStillRead) {
    expect_in_child([] {
        ::signal(SIGHUP, SIG_IGN);
        EXPECT_EQ(prepare_signals(), SighupDisposition::ignored);
        const Signals signals = Signals::open().value();
        ::kill(::getpid(), SIGHUP);
        const auto received = signals.read();
        ASSERT_TRUE(received);
        EXPECT_FALSE(signals.is_terminal_gone(*received));
    });
    expect_in_child([] {
        ::signal(SIGHUP, SIG_DFL);
        EXPECT_EQ(prepare_signals(), SighupDisposition::handled);
    });
}

// A session with its own terminal. The test is the session leader and has the master side open.
struct Terminal {
    UniqueFd master;
    UniqueFd terminal;
};

Terminal begin_session_on_terminal() {
    ::setsid();
    Terminal made{UniqueFd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), {}};
    ::grantpt(made.master.get());
    ::unlockpt(made.master.get());
    made.terminal.reset(::open(::ptsname(made.master.get()), O_RDWR | O_CLOEXEC));  // becomes the controlling terminal
    return made;
}

TEST(Signals, TerminalHangUpIsDistinguishedFromARequestToRestart) {
    expect_in_child([] {
        prepare_signals();
        Terminal terminal = begin_session_on_terminal();
        const Signals signals = Signals::open().value();
        ::kill(::getpid(), SIGHUP);
        const auto asked = signals.read();
        ASSERT_TRUE(asked);
        EXPECT_FALSE(signals.is_terminal_gone(*asked)) << "the terminal still exists";
        terminal.master.reset();
        ASSERT_TRUE(becomes_readable(signals.fd()));
        const auto hung_up = signals.read();
        ASSERT_TRUE(hung_up);
        EXPECT_EQ(hung_up->signal, SIGHUP);
        EXPECT_EQ(hung_up->origin, Origin::kernel);
        EXPECT_TRUE(signals.is_terminal_gone(*hung_up));
        ReceivedSignal later = *hung_up;
        later.origin = Origin::process;
        later.sender_pid = ::getpid() + 1;
        EXPECT_FALSE(signals.is_terminal_gone(later)) << "another process requests a restart";
        later.sender_pid = ::getsid(0);
        EXPECT_TRUE(signals.is_terminal_gone(later)) << "the shell exits";
        later.signal = SIGTERM;
        EXPECT_FALSE(signals.is_terminal_gone(later));
    });
}

TEST(OutputPipe, IsReadWithoutBlockingUntilTheLastWriterCloses) {
    OutputPipe pipe = open_output_pipe().value();
    std::array<char, 8> buffer{};
    EXPECT_EQ(read_chunk(pipe.reader.get(), buffer).reading, Reading::nothing);
    ASSERT_EQ(::write(pipe.writer.get(), "last words", 10), 10);
    EXPECT_EQ(read_chunk(pipe.reader.get(), buffer).size, 8U);
    EXPECT_EQ(read_chunk(pipe.reader.get(), buffer).size, 2U);
    EXPECT_EQ(read_chunk(pipe.reader.get(), buffer).reading, Reading::nothing);
    pipe.writer.reset();
    EXPECT_EQ(read_chunk(pipe.reader.get(), buffer).reading, Reading::end);
}

TEST(OutputPipe, LeavesTheWorkersEndBlockingAndBothCloseOnExec) {
    const OutputPipe pipe = open_output_pipe().value();
    EXPECT_EQ(::fcntl(pipe.writer.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(::fcntl(pipe.writer.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(::fcntl(pipe.reader.get(), F_GETFD), FD_CLOEXEC);
}

TEST(OutputPipe, DoesNotKillAWorkerThatOutlivesItsReader) {
    expect_in_child([] {
        ::signal(SIGPIPE, SIG_DFL);
        OutputPipe pipe = open_output_pipe().value();
        pipe.reader.reset();
        EXPECT_EQ(::write(pipe.writer.get(), "x", 1), 1);
    });
}

}  // namespace
}  // namespace holdfast::os
